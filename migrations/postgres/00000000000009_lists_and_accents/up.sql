-- keeps rows
-- One index per order that begins with the three choices: it holds the rows of each
-- combination side by side, in the order of the list. A list filtered by choices is merged
-- from these parts, so its cost does not depend on which rows are the newest. Each index
-- begins with a different expression, so that the planner cannot use another index and sort.
CREATE INDEX leads_choices_created_at
    ON leads ((status || ' ' || source || ' ' || category || ' created'), created_at, id);
CREATE INDEX leads_choices_updated_at
    ON leads ((status || ' ' || source || ' ' || category || ' updated'), updated_at, id);
CREATE INDEX leads_choices_full_name
    ON leads ((status || ' ' || source || ' ' || category || ' name'), full_name, id);
CREATE INDEX leads_choices_company_name
    ON leads ((status || ' ' || source || ' ' || category || ' company'), coalesce(company_name, ''), id);
CREATE INDEX subscribers_choice_email ON subscribers ((is_subscribed::int), email, id);

-- Rows whose search document was written by an earlier release, which did not fold accents:
-- the document has non-ASCII characters, but no form feed before the part without accents.
-- The program rewrites these documents while it serves; then the indexes are empty.
CREATE INDEX leads_with_accents ON leads (id)
    WHERE octet_length(search_document) <> char_length(search_document)
        AND position(chr(12) IN search_document) = 0;
CREATE INDEX subscribers_with_accents ON subscribers (id)
    WHERE octet_length(search_document) <> char_length(search_document)
        AND position(chr(12) IN search_document) = 0;
