-- drops leads, subscribers
DROP TABLE subscribers;
DROP TABLE leads;
