-- keeps rows
-- Lists of the leads of some days in another order than that of time read these days from the index
-- of the order, instead of from the table.
DROP INDEX leads_updated_at;
DROP INDEX leads_full_name;
DROP INDEX leads_company_name;
CREATE INDEX leads_updated_at ON leads (updated_at, id, created_at);
CREATE INDEX leads_full_name ON leads (full_name, id, created_at);
CREATE INDEX leads_company_name ON leads (coalesce(company_name, ''), id, created_at, company_name);
