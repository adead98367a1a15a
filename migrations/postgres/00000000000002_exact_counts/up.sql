-- keeps rows
-- Triggers keep exact counts of leads and subscribers, so that a list does not have to
-- count its rows. See docs/adr/0002-exact-counts.md.
--
-- A count is the sum over its slots; a slot may hold a negative number. A writer takes a
-- slot that no other writer holds, or creates one if all are held. So writers do not wait
-- for each other; without concurrent writers there is one slot, and a list adds up few
-- rows. The fill factor leaves space on each page, so that updates of a count stay on it
-- (HOT).
CREATE TABLE lead_counts (
    status text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    slot smallint NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (status, source, category, slot)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

CREATE TABLE subscriber_counts (
    is_subscribed boolean NOT NULL,
    slot smallint NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (is_subscribed, slot)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

-- Changes slots in the order of the key, so that two statements with many rows that share
-- slots cannot deadlock.
CREATE FUNCTION count_leads() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
    changes refcursor;
BEGIN
    IF TG_OP = 'INSERT' THEN
        OPEN changes FOR SELECT status, source, category, count(*) AS n
            FROM added GROUP BY status, source, category ORDER BY status, source, category;
    ELSIF TG_OP = 'DELETE' THEN
        OPEN changes FOR SELECT status, source, category, -count(*) AS n
            FROM removed GROUP BY status, source, category ORDER BY status, source, category;
    ELSIF TG_OP = 'UPDATE' THEN
        OPEN changes FOR SELECT status, source, category, sum(moved.n)::bigint AS n
            FROM (SELECT status, source, category, 1 AS n FROM added
                  UNION ALL SELECT status, source, category, -1 FROM removed) moved
            GROUP BY status, source, category HAVING sum(moved.n) <> 0
            ORDER BY status, source, category;
    ELSE
        DELETE FROM lead_counts;
        RETURN NULL;
    END IF;
    LOOP
        FETCH changes INTO change;
        EXIT WHEN NOT FOUND;
        UPDATE lead_counts SET n = lead_counts.n + change.n
        WHERE (status, source, category, slot) = (change.status, change.source, change.category, (
            SELECT slot FROM lead_counts
            WHERE (status, source, category) = (change.status, change.source, change.category)
            LIMIT 1 FOR UPDATE SKIP LOCKED
        ));
        IF NOT FOUND THEN
            INSERT INTO lead_counts AS kept (status, source, category, slot, n)
            VALUES (change.status, change.source, change.category, pg_backend_pid() % 32, change.n)
            ON CONFLICT (status, source, category, slot) DO UPDATE SET n = kept.n + excluded.n;
        END IF;
    END LOOP;
    CLOSE changes;
    RETURN NULL;
END
$$;

CREATE TRIGGER leads_count_added AFTER INSERT ON leads
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_leads();
CREATE TRIGGER leads_count_changed AFTER UPDATE ON leads
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_leads();
CREATE TRIGGER leads_count_removed AFTER DELETE ON leads
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_leads();
CREATE TRIGGER leads_count_truncated AFTER TRUNCATE ON leads
    FOR EACH STATEMENT EXECUTE FUNCTION count_leads();

CREATE FUNCTION count_subscribers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
    changes refcursor;
BEGIN
    IF TG_OP = 'INSERT' THEN
        OPEN changes FOR SELECT is_subscribed, count(*) AS n
            FROM added GROUP BY is_subscribed ORDER BY is_subscribed;
    ELSIF TG_OP = 'DELETE' THEN
        OPEN changes FOR SELECT is_subscribed, -count(*) AS n
            FROM removed GROUP BY is_subscribed ORDER BY is_subscribed;
    ELSIF TG_OP = 'UPDATE' THEN
        OPEN changes FOR SELECT is_subscribed, sum(moved.n)::bigint AS n
            FROM (SELECT is_subscribed, 1 AS n FROM added
                  UNION ALL SELECT is_subscribed, -1 FROM removed) moved
            GROUP BY is_subscribed HAVING sum(moved.n) <> 0 ORDER BY is_subscribed;
    ELSE
        DELETE FROM subscriber_counts;
        RETURN NULL;
    END IF;
    LOOP
        FETCH changes INTO change;
        EXIT WHEN NOT FOUND;
        UPDATE subscriber_counts SET n = subscriber_counts.n + change.n
        WHERE (is_subscribed, slot) = (change.is_subscribed, (
            SELECT slot FROM subscriber_counts WHERE is_subscribed = change.is_subscribed LIMIT 1 FOR UPDATE SKIP LOCKED
        ));
        IF NOT FOUND THEN
            INSERT INTO subscriber_counts AS kept (is_subscribed, slot, n)
            VALUES (change.is_subscribed, pg_backend_pid() % 32, change.n)
            ON CONFLICT (is_subscribed, slot) DO UPDATE SET n = kept.n + excluded.n;
        END IF;
    END LOOP;
    CLOSE changes;
    RETURN NULL;
END
$$;

CREATE TRIGGER subscribers_count_added AFTER INSERT ON subscribers
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_subscribers();
CREATE TRIGGER subscribers_count_changed AFTER UPDATE ON subscribers
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_subscribers();
CREATE TRIGGER subscribers_count_removed AFTER DELETE ON subscribers
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_subscribers();
CREATE TRIGGER subscribers_count_truncated AFTER TRUNCATE ON subscribers
    FOR EACH STATEMENT EXECUTE FUNCTION count_subscribers();

-- Rebuilds the counts, after an operator has written with triggers disabled
-- (session_replication_role, a data-only restore): SELECT recount_rows();
-- Writers wait while it runs, readers do not.
CREATE FUNCTION recount_rows() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE leads, subscribers IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM lead_counts;
    INSERT INTO lead_counts (status, source, category, slot, n)
    SELECT status, source, category, 0, count(*) FROM leads GROUP BY status, source, category;
    DELETE FROM subscriber_counts;
    INSERT INTO subscriber_counts (is_subscribed, slot, n)
    SELECT is_subscribed, 0, count(*) FROM subscribers GROUP BY is_subscribed;
END
$$;

SELECT recount_rows();
