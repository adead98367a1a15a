-- keeps rows
-- What is known of contract files. A row stays for a while after no client has its file any more, so
-- that the client can get it back. Of files that the service has not received itself, such as
-- imported ones, only the path is known.
CREATE TABLE contract_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- A path below CONTRACT_DIR, as in clients.contract_file.
    file TEXT NOT NULL UNIQUE CHECK (length(file) BETWEEN 1 AND 100),
    -- The client for which it was received.
    client_id INTEGER,
    -- The name that the sender gave to it.
    name TEXT CHECK (length(name) BETWEEN 1 AND 255),
    size INTEGER,
    sha256 TEXT,
    received_at INTEGER CHECK (received_at BETWEEN -62135596800000000 AND 253402300799999999),
    -- Such as staff:ana.
    received_by TEXT,
    unused_since INTEGER CHECK (unused_since BETWEEN -62135596800000000 AND 253402300799999999)
) STRICT;
