-- keeps rows
-- The folded team and description of a client. The name and the company of its lead are not copied:
-- a search looks at the document of the lead too.
ALTER TABLE clients ADD COLUMN search_document text COLLATE "C";

-- Rows of earlier releases, which wrote no document. The program writes these documents while it
-- serves; then the index is empty.
CREATE INDEX clients_unfolded ON clients (id) WHERE search_document IS NULL;

-- One index per order.
CREATE INDEX clients_team_id ON clients (team_id, id);
CREATE INDEX clients_monthly_charge ON clients (coalesce(monthly_charge, 0), id);
CREATE INDEX clients_one_time_charge ON clients (coalesce(one_time_charge, 0), id);
