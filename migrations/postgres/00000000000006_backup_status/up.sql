-- keeps rows
-- The state of the backups of this database, in one row. Backups do not contain it.
CREATE TABLE backup_status (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT backup_status_only_row CHECK (only_row),
    -- When the last complete backup began.
    backed_up_at timestamptz,
    -- When a trial restore of a backup last succeeded.
    verified_at timestamptz,
    -- Whether the last trial restore succeeded.
    verification_ok boolean
);
