-- drops nothing
DROP TABLE canaries;
