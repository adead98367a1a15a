-- One index an order that begins with the three choices: it has the rows of each
-- combination side by side, in the order of the list. A list by any choices is merged
-- from them, so that it costs the same whichever rows are the newest.
CREATE INDEX leads_by_choices_created_at ON leads (status, source, category, created_at);
CREATE INDEX leads_by_choices_updated_at ON leads (status, source, category, updated_at);
CREATE INDEX leads_by_choices_full_name ON leads (status, source, category, full_name);
CREATE INDEX leads_by_choices_company_name
    ON leads (status, source, category, coalesce(company_name, ''));
CREATE INDEX subscribers_by_choice_email ON subscribers (is_subscribed, email);

-- The rows whose search document an earlier release wrote, which did not fold accents:
-- it has more than ASCII, and lacks the page break before the texts without accents. The
-- program writes these documents anew while it serves; then the indexes are empty.
CREATE INDEX leads_with_accents ON leads (id)
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document)
        AND instr(search_document, char(12)) = 0;
CREATE INDEX subscribers_with_accents ON subscribers (id)
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document)
        AND instr(search_document, char(12)) = 0;
