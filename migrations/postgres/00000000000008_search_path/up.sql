-- keeps rows
-- The functions name their tables with the schema, so that they find them with any
-- search_path: pg_restore empties it, and a role may have another one. Setting a
-- search_path on the functions would work too, but adds a quarter to the time of each
-- insert.
DO $$
DECLARE
    own text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'leads'::regclass);
BEGIN
    EXECUTE replace(
        pg_get_functiondef('count_leads'::regproc), 'lead_counts', own || '.lead_counts');
    EXECUTE replace(
        pg_get_functiondef('count_subscribers'::regproc),
        'subscriber_counts', own || '.subscriber_counts');
    -- Only operators call this function, so its speed does not matter.
    EXECUTE 'ALTER FUNCTION recount_rows() SET search_path = ' || own || ', pg_temp';
END
$$;
