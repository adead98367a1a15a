-- Rights for a role that serves and makes backups but does not migrate (AUTO_MIGRATE=false).
-- Run this in the database as the role that ran `exit3 migrate`, and again after a migration
-- that creates tables.
GRANT USAGE ON SCHEMA public TO exit3_serving;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO exit3_serving;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO exit3_serving;
