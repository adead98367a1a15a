-- What is known of the backups of this database, in one row. It is in no backup.
CREATE TABLE backup_status (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- When the last complete backup was begun.
    backed_up_at INTEGER,
    -- When a backup was last restored for a trial with success.
    verified_at INTEGER,
    -- Whether the last trial was one.
    verification_ok INTEGER CHECK (verification_ok IN (0, 1))
) STRICT;
