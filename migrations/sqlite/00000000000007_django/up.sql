-- keeps rows
-- The rows imported from the Django service, by their ids. With them, the import tells a
-- row that was changed there since then from one that was changed here.
CREATE TABLE django_leads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The original values of columns that could not be kept unchanged, as JSON; else empty.
    original TEXT NOT NULL
) STRICT;
CREATE TABLE django_subscribers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The original values of columns that could not be kept unchanged, as JSON; else empty.
    original TEXT NOT NULL
) STRICT;
CREATE TABLE django_clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The original values of columns that could not be kept unchanged, as JSON; else empty.
    original TEXT NOT NULL
) STRICT;
CREATE TABLE django_staff (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the row as it was written.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The original values of columns that could not be kept unchanged, as JSON; else empty.
    original TEXT NOT NULL
) STRICT;
