-- keeps rows
-- The folded team and description of a client. The name and the company of its lead are not copied:
-- a search looks at the document of the lead too.
ALTER TABLE clients ADD COLUMN search_document TEXT;

-- Rows of earlier releases, which wrote no document. The program writes these documents while it
-- serves; then the index is empty.
CREATE INDEX clients_unfolded ON clients (id) WHERE search_document IS NULL;

-- One index per order. SQLite appends the id to every index.
CREATE INDEX clients_by_team_id ON clients (team_id);
CREATE INDEX clients_by_monthly_charge ON clients (coalesce(monthly_charge, 0));
CREATE INDEX clients_by_one_time_charge ON clients (coalesce(one_time_charge, 0));
