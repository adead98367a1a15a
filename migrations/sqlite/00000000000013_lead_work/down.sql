-- drops lead_notes, leads.owner_id, leads.next_step, leads.next_step_at
DROP TABLE lead_notes;
DROP INDEX leads_by_owner;
DROP INDEX leads_by_next_step;
ALTER TABLE leads DROP COLUMN owner_id;
ALTER TABLE leads DROP COLUMN next_step;
ALTER TABLE leads DROP COLUMN next_step_at;
