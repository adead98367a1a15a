-- drops nothing
DROP FUNCTION know_contracts() CASCADE;
