-- keeps rows
-- What a member of the staff may do. NULL is a manager. A superuser is an owner in any case, and an
-- account without is_staff has no role.
ALTER TABLE staff ADD COLUMN role TEXT CHECK (role IN ('manager', 'sales', 'viewer'));
-- Preferences for the back office. NULL leaves them to the browser.
ALTER TABLE staff ADD COLUMN language TEXT CHECK (language IN ('en', 'hr'));
ALTER TABLE staff ADD COLUMN theme TEXT CHECK (theme IN ('light', 'dark'));
ALTER TABLE staff ADD COLUMN single_keys INTEGER NOT NULL DEFAULT 1 CHECK (single_keys IN (0, 1));

-- Sign-ins of staff. Backups do not contain them. They do not refer to staff by a foreign key: a
-- restore replaces all accounts, and ends all sign-ins.
CREATE TABLE sign_ins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the token.
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    staff_id INTEGER NOT NULL,
    -- SHA-256 of staff.password. The sign-in ends when the two no longer agree.
    password_digest BLOB NOT NULL CHECK (length(password_digest) = 32),
    created_at INTEGER NOT NULL,
    -- When it was last used, up to a minute too early.
    seen_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    agent TEXT NOT NULL CHECK (length(agent) <= 255),
    address TEXT NOT NULL CHECK (length(address) <= 64)
) STRICT;
CREATE INDEX sign_ins_staff ON sign_ins (staff_id);

-- One-time invitations: to choose a password, or, with the number 0, to make the account of the
-- first owner. Backups do not contain them.
CREATE TABLE invitations (
    staff_id INTEGER PRIMARY KEY,
    -- SHA-256 of the token.
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
