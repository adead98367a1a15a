-- drops nothing
DROP INDEX leads_updated_at;
DROP INDEX leads_full_name;
DROP INDEX leads_company_name;
CREATE INDEX leads_updated_at ON leads (updated_at, id);
CREATE INDEX leads_full_name ON leads (full_name, id);
CREATE INDEX leads_company_name ON leads (coalesce(company_name, ''), id);
