-- What was brought from the Django service: a row here for each that came, by its id.
-- It tells a row that was changed there since from one that was changed here.
CREATE TABLE django_leads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The columns that could not be kept as they were, in JSON; else empty.
    original TEXT NOT NULL
) STRICT;
CREATE TABLE django_subscribers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The columns that could not be kept as they were, in JSON; else empty.
    original TEXT NOT NULL
) STRICT;
CREATE TABLE django_clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The columns that could not be kept as they were, in JSON; else empty.
    original TEXT NOT NULL
) STRICT;
CREATE TABLE django_staff (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The columns that could not be kept as they were, in JSON; else empty.
    original TEXT NOT NULL
) STRICT;
