-- keeps rows
-- When each person used the back office last, and before that visit. Backups do not contain it, and a
-- restore empties it, because it replaces all accounts.
CREATE TABLE staff_visits (
    staff_id bigint PRIMARY KEY,
    seen_at timestamptz NOT NULL,
    -- NULL on the first visit.
    left_at timestamptz
);

-- The leads of each week, so that pages need not count them. The program counts a week again after
-- its leads have changed: see docs/adr/0023-numbers-of-today.md. Waiting times are microseconds.
CREATE TABLE lead_weeks (
    begins_at timestamptz PRIMARY KEY,
    received bigint NOT NULL,
    contacted bigint NOT NULL,
    half_waited bigint,
    most_waited bigint
);
