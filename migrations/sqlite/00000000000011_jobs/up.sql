-- keeps rows
-- Work that runs later. A finished job is deleted. Backups do not contain jobs.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
    -- JSON.
    payload TEXT NOT NULL CHECK (length(payload) <= 65536),
    -- At most one unfinished job has this key.
    unique_key TEXT CHECK (length(unique_key) BETWEEN 1 AND 200),
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'failed', 'cancelled')),
    -- How often it was begun, without the times when it was given back.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- How often it was claimed. The number of a claim tells a late runner from the present one.
    claims INTEGER NOT NULL DEFAULT 0,
    -- When the next runner may claim it: the time for which it waits, or the end of the lease of
    -- the runner that runs it.
    due_at INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    -- When it failed for the last time or was cancelled.
    ended_at INTEGER,
    last_error TEXT CHECK (length(last_error) <= 2000)
) STRICT;
CREATE UNIQUE INDEX jobs_unique_key_key ON jobs (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running');
CREATE INDEX jobs_due ON jobs (kind, due_at, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_kind_state ON jobs (kind, state);
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;

-- The last occurrence of each schedule, so that one node runs it. Backups do not contain it.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
    occurred_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
