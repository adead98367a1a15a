DROP TABLE subscribers;
DROP TABLE leads;
