-- Keys of the API. A key is found by its prefix; of its secret only a digest is kept.
-- What it is made of is checked by the program, so that an older version of it can
-- live with what a newer one writes.
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    prefix TEXT NOT NULL UNIQUE CHECK (length(prefix) = 12),
    -- SHA-256.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- Words separated by spaces.
    scopes TEXT NOT NULL CHECK (scopes <> ''),
    -- Separated by spaces; with any of them, the key is publishable.
    origins TEXT NOT NULL,
    -- As in 100/hour; null for the usual one.
    rate TEXT,
    forwards_visitors INTEGER NOT NULL CHECK (forwards_visitors IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER CHECK (expires_at > created_at),
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE INDEX api_keys_by_name ON api_keys (name);
