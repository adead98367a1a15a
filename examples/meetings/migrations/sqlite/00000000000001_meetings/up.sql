-- keeps rows
-- Meetings with leads. There is no foreign key: a module depends on no table of the service.
CREATE TABLE meetings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lead_id INTEGER NOT NULL,
    starts_at INTEGER NOT NULL
        CHECK (starts_at BETWEEN -62135596800000000 AND 253402300799999999),
    place TEXT NOT NULL CHECK (length(place) BETWEEN 1 AND 255),
    notes TEXT NOT NULL CHECK (length(notes) <= 5000),
    outcome TEXT CHECK (outcome IN ('held', 'missed', 'moved')),
    reminded_at INTEGER CHECK (reminded_at BETWEEN -62135596800000000 AND 253402300799999999)
) STRICT;
CREATE INDEX meetings_lead ON meetings (lead_id, starts_at, id);
CREATE INDEX meetings_starts_at ON meetings (starts_at, id);
