-- keeps rows
-- The account that owns a lead, and what to do next. No foreign key guards the owner, because it
-- would cost every create; accounts are never deleted.
ALTER TABLE leads ADD COLUMN owner_id INTEGER;
ALTER TABLE leads ADD COLUMN next_step TEXT CHECK (length(next_step) <= 255);
ALTER TABLE leads ADD COLUMN next_step_at INTEGER
    CHECK (next_step_at BETWEEN -62135596800000000 AND 253402300799999999);

-- Each has everything that filters and orders of lists need, so a list reads these rows from the
-- index alone, sorts them, and reads its page. Most leads have no owner and no next step: they are
-- in neither index, and creating one costs nothing.
CREATE INDEX leads_by_owner ON leads (owner_id, created_at, id, status, source, category,
    next_step_at, updated_at, full_name, company_name)
    WHERE owner_id IS NOT NULL;
CREATE INDEX leads_by_next_step ON leads (next_step_at, id, owner_id, status, source, category,
    created_at, updated_at, full_name, company_name)
    WHERE next_step_at IS NOT NULL;

-- Notes about leads. They stay when their lead is deleted, so that they are there when it comes
-- back. The program removes them when nobody can bring the lead back any more.
CREATE TABLE lead_notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lead_id INTEGER NOT NULL,
    at INTEGER NOT NULL CHECK (at BETWEEN -62135596800000000 AND 253402300799999999),
    -- Such as staff:ana.
    author TEXT NOT NULL,
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 5000)
) STRICT;
-- SQLite appends the id to every index.
CREATE INDEX lead_notes_by_lead ON lead_notes (lead_id, at);
