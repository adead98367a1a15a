-- keeps rows
-- Canaries that have arrived and were not looked for yet. Their leads are never committed: see
-- docs/adr/0028-canary.md. Backups do not contain this table.
CREATE TABLE canaries (
    id text COLLATE "C" PRIMARY KEY,
    at timestamptz NOT NULL
);
