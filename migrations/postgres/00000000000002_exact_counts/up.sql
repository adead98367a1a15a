-- Exact counts of leads and subscribers, kept by triggers, so that a list need not
-- count its rows. See docs/adr/0002-exact-counts.md.
--
-- A count is the sum over all shards; a shard may hold a negative number. Every
-- server process has a shard of its own (two of them share one only where there
-- are more than 64 at a time), so that writers do not wait for each other. Updates
-- of a count stay within their page (HOT), which is what the room left by the
-- fill factor is for.
CREATE TABLE lead_counts (
    shard smallint NOT NULL,
    status text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (shard, status, source, category)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

CREATE TABLE subscriber_counts (
    shard smallint NOT NULL,
    is_subscribed boolean NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (shard, is_subscribed)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

-- Rows are counted in the order of the key, so that two statements of many rows
-- that do share a shard cannot wait for each other in a circle.
CREATE FUNCTION count_leads() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT smallint := pg_backend_pid() % 64;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO lead_counts AS kept (shard, status, source, category, n)
        SELECT mine, status, source, category, count(*) FROM added
        GROUP BY status, source, category
        ORDER BY status, source, category
        ON CONFLICT (shard, status, source, category) DO UPDATE SET n = kept.n + excluded.n;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO lead_counts AS kept (shard, status, source, category, n)
        SELECT mine, status, source, category, -count(*) FROM removed
        GROUP BY status, source, category
        ORDER BY status, source, category
        ON CONFLICT (shard, status, source, category) DO UPDATE SET n = kept.n + excluded.n;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO lead_counts AS kept (shard, status, source, category, n)
        SELECT mine, status, source, category, sum(n)
        FROM (
            SELECT status, source, category, 1 AS n FROM added
            UNION ALL
            SELECT status, source, category, -1 FROM removed
        ) changes
        GROUP BY status, source, category
        HAVING sum(n) <> 0
        ORDER BY status, source, category
        ON CONFLICT (shard, status, source, category) DO UPDATE SET n = kept.n + excluded.n;
    ELSE
        DELETE FROM lead_counts;
    END IF;
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
    mine CONSTANT smallint := pg_backend_pid() % 64;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO subscriber_counts AS kept (shard, is_subscribed, n)
        SELECT mine, is_subscribed, count(*) FROM added
        GROUP BY is_subscribed ORDER BY is_subscribed
        ON CONFLICT (shard, is_subscribed) DO UPDATE SET n = kept.n + excluded.n;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO subscriber_counts AS kept (shard, is_subscribed, n)
        SELECT mine, is_subscribed, -count(*) FROM removed
        GROUP BY is_subscribed ORDER BY is_subscribed
        ON CONFLICT (shard, is_subscribed) DO UPDATE SET n = kept.n + excluded.n;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO subscriber_counts AS kept (shard, is_subscribed, n)
        SELECT mine, is_subscribed, sum(n)
        FROM (
            SELECT is_subscribed, 1 AS n FROM added
            UNION ALL
            SELECT is_subscribed, -1 FROM removed
        ) changes
        GROUP BY is_subscribed HAVING sum(n) <> 0 ORDER BY is_subscribed
        ON CONFLICT (shard, is_subscribed) DO UPDATE SET n = kept.n + excluded.n;
    ELSE
        DELETE FROM subscriber_counts;
    END IF;
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

-- Counts anew, for an operator who has written with the triggers switched off
-- (session_replication_role, a data-only restore): SELECT recount_rows();
-- Writers wait while it runs, readers do not.
CREATE FUNCTION recount_rows() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE leads, subscribers IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM lead_counts;
    INSERT INTO lead_counts
    SELECT 0, status, source, category, count(*) FROM leads GROUP BY status, source, category;
    DELETE FROM subscriber_counts;
    INSERT INTO subscriber_counts
    SELECT 0, is_subscribed, count(*) FROM subscribers GROUP BY is_subscribed;
END
$$;

SELECT recount_rows();
