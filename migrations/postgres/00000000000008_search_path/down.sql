-- drops nothing
DO $$
DECLARE
    own text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'leads'::regclass);
BEGIN
    EXECUTE replace(
        pg_get_functiondef('count_leads'::regproc), own || '.lead_counts', 'lead_counts');
    EXECUTE replace(
        pg_get_functiondef('count_subscribers'::regproc),
        own || '.subscriber_counts', 'subscriber_counts');
    ALTER FUNCTION recount_rows() RESET search_path;
END
$$;
