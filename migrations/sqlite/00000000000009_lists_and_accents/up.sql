-- keeps rows
-- One index per order that begins with the three choices: it holds the rows of each
-- combination side by side, in the order of the list. A list filtered by choices is merged
-- from these parts, so its cost does not depend on which rows are the newest.
CREATE INDEX leads_by_choices_created_at ON leads (status, source, category, created_at);
CREATE INDEX leads_by_choices_updated_at ON leads (status, source, category, updated_at);
CREATE INDEX leads_by_choices_full_name ON leads (status, source, category, full_name);
CREATE INDEX leads_by_choices_company_name
    ON leads (status, source, category, coalesce(company_name, ''));
CREATE INDEX subscribers_by_choice_email ON subscribers (is_subscribed, email);

-- Rows whose search document was written by an earlier release, which did not fold accents:
-- the document has non-ASCII characters, but no form feed before the part without accents.
-- The program rewrites these documents while it serves; then the indexes are empty.
CREATE INDEX leads_with_accents ON leads (id)
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document)
        AND instr(search_document, char(12)) = 0;
CREATE INDEX subscribers_with_accents ON subscribers (id)
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document)
        AND instr(search_document, char(12)) = 0;
