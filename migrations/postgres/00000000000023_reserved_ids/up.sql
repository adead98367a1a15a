-- keeps rows
-- A node reserves ids for the leads that it takes, so that it knows the id of a lead even if the
-- database is away. The function has the rights of the owner of the tables: a role that only serves
-- may insert leads, but not read the next value of a sequence. A role that may not insert gets none.
DO $$
BEGIN
    EXECUTE format(
        'CREATE FUNCTION reserve_lead_ids(count integer) RETURNS SETOF bigint
        LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $body$SELECT nextval(%L::regclass) FROM generate_series(1, least(count, 100000))
        WHERE has_table_privilege(session_user, %L::regclass, ''INSERT'')$body$',
        pg_get_serial_sequence('leads', 'id'),
        (SELECT relnamespace::regnamespace || '.leads' FROM pg_class WHERE oid = 'leads'::regclass));
END
$$;
