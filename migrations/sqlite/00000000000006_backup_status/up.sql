-- keeps rows
-- The state of the backups of this database, in one row. Backups do not contain it.
CREATE TABLE backup_status (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- When the last complete backup began.
    backed_up_at INTEGER,
    -- When a trial restore of a backup last succeeded.
    verified_at INTEGER,
    -- Whether the last trial restore succeeded.
    verification_ok INTEGER CHECK (verification_ok IN (0, 1))
) STRICT;
