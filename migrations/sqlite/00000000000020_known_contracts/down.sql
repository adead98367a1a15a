-- drops nothing
DROP INDEX clients_by_contract_file;
DROP TRIGGER clients_contract_delete;
DROP TRIGGER clients_contract_update;
DROP TRIGGER clients_contract_insert;
