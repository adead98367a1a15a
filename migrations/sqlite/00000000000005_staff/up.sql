-- keeps rows
-- Users of the back office. Lengths are those of Django's accounts, so that all of them
-- fit; user names are case-sensitive.
CREATE TABLE staff (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE CHECK (length(username) <= 150),
    first_name TEXT NOT NULL CHECK (length(first_name) <= 150),
    last_name TEXT NOT NULL CHECK (length(last_name) <= 150),
    email TEXT NOT NULL CHECK (length(email) <= 254),
    is_staff INTEGER NOT NULL CHECK (is_staff IN (0, 1)),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    is_superuser INTEGER NOT NULL CHECK (is_superuser IN (0, 1)),
    -- Argon2id, or Django's own format.
    password TEXT NOT NULL CHECK (length(password) <= 255),
    date_joined INTEGER NOT NULL
        CHECK (date_joined BETWEEN -62135596800000000 AND 253402300799999999),
    last_login INTEGER
        CHECK (last_login BETWEEN -62135596800000000 AND 253402300799999999)
) STRICT;
