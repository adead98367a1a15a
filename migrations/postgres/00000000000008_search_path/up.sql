-- The functions name their tables with the schema, so that they find them whatever the
-- search_path is: pg_restore empties it, and a role may have another one. A search_path
-- of the functions' own would do so too, but costs each insert a quarter of its time.
DO $$
DECLARE
    own text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'leads'::regclass);
BEGIN
    EXECUTE replace(
        pg_get_functiondef('count_leads'::regproc), 'lead_counts', own || '.lead_counts');
    EXECUTE replace(
        pg_get_functiondef('count_subscribers'::regproc),
        'subscriber_counts', own || '.subscriber_counts');
    -- Only an operator calls this one.
    EXECUTE 'ALTER FUNCTION recount_rows() SET search_path = ' || own || ', pg_temp';
END
$$;
