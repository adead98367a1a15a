-- keeps rows
-- API keys. A key is found by its prefix; only a digest of its secret is stored. The
-- program checks the content of the columns, so that an older version of it accepts the
-- rows of a newer one.
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    prefix TEXT NOT NULL UNIQUE CHECK (length(prefix) = 12),
    -- SHA-256.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- Words separated by spaces.
    scopes TEXT NOT NULL CHECK (scopes <> ''),
    -- Separated by spaces; a key with origins is publishable.
    origins TEXT NOT NULL,
    -- Such as 100/hour; null for the default.
    rate TEXT,
    forwards_visitors INTEGER NOT NULL CHECK (forwards_visitors IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER CHECK (expires_at > created_at),
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE INDEX api_keys_by_name ON api_keys (name);
