-- keeps rows
-- The number of leads of each combination, so that an exact count costs the same for any
-- number of leads. SQLite has one writer at a time, so no writer waits for these rows.
CREATE TABLE lead_counts (
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    category TEXT NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (status, source, category)
) STRICT, WITHOUT ROWID;

INSERT INTO lead_counts (status, source, category, n)
SELECT status, source, category, count(*) FROM leads GROUP BY status, source, category;

CREATE TRIGGER leads_count_insert AFTER INSERT ON leads BEGIN
    INSERT INTO lead_counts (status, source, category, n)
    VALUES (new.status, new.source, new.category, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER leads_count_delete AFTER DELETE ON leads BEGIN
    UPDATE lead_counts SET n = n - 1
    WHERE status = old.status AND source = old.source AND category = old.category;
END;

CREATE TRIGGER leads_count_update AFTER UPDATE OF status, source, category ON leads
WHEN (old.status, old.source, old.category) IS NOT (new.status, new.source, new.category)
BEGIN
    UPDATE lead_counts SET n = n - 1
    WHERE status = old.status AND source = old.source AND category = old.category;
    INSERT INTO lead_counts (status, source, category, n)
    VALUES (new.status, new.source, new.category, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TABLE subscriber_counts (
    is_subscribed INTEGER PRIMARY KEY,
    n INTEGER NOT NULL CHECK (n >= 0)
) STRICT;

INSERT INTO subscriber_counts (is_subscribed, n)
SELECT is_subscribed, count(*) FROM subscribers GROUP BY is_subscribed;

CREATE TRIGGER subscribers_count_insert AFTER INSERT ON subscribers BEGIN
    INSERT INTO subscriber_counts (is_subscribed, n) VALUES (new.is_subscribed, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER subscribers_count_delete AFTER DELETE ON subscribers BEGIN
    UPDATE subscriber_counts SET n = n - 1 WHERE is_subscribed = old.is_subscribed;
END;

CREATE TRIGGER subscribers_count_update AFTER UPDATE OF is_subscribed ON subscribers
WHEN old.is_subscribed <> new.is_subscribed
BEGIN
    UPDATE subscriber_counts SET n = n - 1 WHERE is_subscribed = old.is_subscribed;
    INSERT INTO subscriber_counts (is_subscribed, n) VALUES (new.is_subscribed, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
