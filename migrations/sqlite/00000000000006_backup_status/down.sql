-- drops nothing
DROP TABLE backup_status;
