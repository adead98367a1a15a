DROP TABLE backup_status;
