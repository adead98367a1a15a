-- keeps rows
-- A file that a client loses is known from then on, also an imported one, so that the sweep finds it.
-- A file that a client gets is not unused any more, from the same moment on.
CREATE FUNCTION know_contracts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.contract_file <> '' THEN
        INSERT INTO contract_files (file, client_id) VALUES (OLD.contract_file, OLD.id)
        ON CONFLICT (file) DO NOTHING;
        -- It is unused from now on, whatever was noted before.
        UPDATE contract_files SET unused_since = NULL
        WHERE file = OLD.contract_file AND unused_since IS NOT NULL;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.contract_file <> '' THEN
        UPDATE contract_files SET unused_since = NULL
        WHERE file = NEW.contract_file AND unused_since IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;

-- With any search_path: see migration 8.
DO $$
DECLARE
    own text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'clients'::regclass);
BEGIN
    EXECUTE replace(
        pg_get_functiondef('know_contracts'::regproc), 'contract_files', own || '.contract_files');
END
$$;

CREATE TRIGGER clients_contract_added AFTER INSERT OR DELETE ON clients
    FOR EACH ROW EXECUTE FUNCTION know_contracts();
CREATE TRIGGER clients_contract_changed AFTER UPDATE ON clients
    FOR EACH ROW WHEN (OLD.contract_file IS DISTINCT FROM NEW.contract_file)
    EXECUTE FUNCTION know_contracts();
