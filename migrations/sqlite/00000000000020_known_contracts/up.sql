-- keeps rows
-- A file that a client loses is known from then on, also an imported one, so that the sweep finds it.
-- A file that a client gets is not unused any more, from the same moment on.
--
-- No OR IGNORE: the statement that fires a trigger may replace its way to handle conflicts.
CREATE TRIGGER clients_contract_insert AFTER INSERT ON clients
WHEN new.contract_file <> ''
BEGIN
    UPDATE contract_files SET unused_since = NULL
    WHERE file = new.contract_file AND unused_since IS NOT NULL;
END;

CREATE TRIGGER clients_contract_update AFTER UPDATE OF contract_file ON clients
WHEN old.contract_file IS NOT new.contract_file
BEGIN
    INSERT INTO contract_files (file, client_id)
    SELECT old.contract_file, old.id
    WHERE old.contract_file <> ''
        AND old.contract_file NOT IN (SELECT file FROM contract_files);
    -- What is lost is unused from now on, whatever was noted before.
    UPDATE contract_files SET unused_since = NULL
    WHERE file IN (old.contract_file, new.contract_file) AND unused_since IS NOT NULL;
END;

CREATE TRIGGER clients_contract_delete AFTER DELETE ON clients
WHEN old.contract_file <> ''
BEGIN
    INSERT INTO contract_files (file, client_id)
    SELECT old.contract_file, old.id
    WHERE old.contract_file NOT IN (SELECT file FROM contract_files);
    UPDATE contract_files SET unused_since = NULL
    WHERE file = old.contract_file AND unused_since IS NOT NULL;
END;

-- For the sweep, which would read all clients for each file.
CREATE INDEX clients_by_contract_file ON clients (contract_file) WHERE contract_file IS NOT NULL;
