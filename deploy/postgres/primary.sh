#!/bin/bash
# Runs once, when the primary's database is created: allows the replica to stream.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$REPLICATION_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
SELECT pg_create_physical_replication_slot('replica');
-- A replica that is down for a long time must not fill the primary's disk.
ALTER SYSTEM SET max_slot_wal_keep_size = '2GB';
SQL
echo "host replication replicator samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
