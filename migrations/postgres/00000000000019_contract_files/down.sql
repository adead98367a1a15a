-- drops contract_files
DROP TABLE contract_files;
