#!/bin/bash
# Copies the primary if there is no data yet, then follows it.
set -euo pipefail
export PGPASSWORD=$REPLICATION_PASSWORD
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # Remove the remains of an interrupted copy.
    find "$PGDATA" -mindepth 1 -delete
    chmod 700 "$PGDATA"
    pg_basebackup -h "${PRIMARY_HOST:-primary}" -p "${PRIMARY_PORT:-5432}" -U replicator \
        -D "$PGDATA/new" -R -S replica -X stream --checkpoint=fast
    # PG_VERSION comes last: it marks the copy as complete.
    find "$PGDATA/new" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
    mv "$PGDATA/new/PG_VERSION" "$PGDATA/"
    rmdir "$PGDATA/new"
fi
exec postgres -D "$PGDATA" -c hot_standby=on
