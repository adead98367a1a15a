-- drops clients
DROP TABLE clients;
