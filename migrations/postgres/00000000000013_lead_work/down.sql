-- drops lead_notes, leads.owner_id, leads.next_step, leads.next_step_at
DROP TABLE lead_notes;
DROP INDEX leads_owner;
DROP INDEX leads_next_step;
ALTER TABLE leads
    DROP COLUMN owner_id,
    DROP COLUMN next_step,
    DROP COLUMN next_step_at;
