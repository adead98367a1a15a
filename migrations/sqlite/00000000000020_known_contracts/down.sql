-- drops nothing
DROP TRIGGER clients_contract_delete;
DROP TRIGGER clients_contract_update;
DROP TRIGGER clients_contract_insert;
