-- Rights for a role that serves and makes backups but does not migrate (AUTO_MIGRATE=false).
-- Run this in the database as the role that runs `exit3 migrate`. It also gives the rights on the
-- tables that this role makes later.
GRANT USAGE ON SCHEMA public TO exit3_serving;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO exit3_serving;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO exit3_serving;
-- Without it, leads are refused while the database is away.
GRANT EXECUTE ON FUNCTION reserve_lead_ids(integer) TO exit3_serving;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO exit3_serving;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON SEQUENCES TO exit3_serving;
