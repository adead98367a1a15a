-- What is known of the backups of this database, in one row. It is in no backup.
CREATE TABLE backup_status (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT backup_status_only_row CHECK (only_row),
    -- When the last complete backup was begun.
    backed_up_at timestamptz,
    -- When a backup was last restored for a trial with success.
    verified_at timestamptz,
    -- Whether the last trial was one.
    verification_ok boolean
);
