-- One index an order that begins with the three choices: it has the rows of each
-- combination side by side, in the order of the list. A list by any choices is merged
-- from them, so that it costs the same whichever rows are the newest. Each begins with an
-- expression of its own, so that the planner cannot take another one and sort.
CREATE INDEX leads_choices_created_at
    ON leads ((status || ' ' || source || ' ' || category || ' created'), created_at, id);
CREATE INDEX leads_choices_updated_at
    ON leads ((status || ' ' || source || ' ' || category || ' updated'), updated_at, id);
CREATE INDEX leads_choices_full_name
    ON leads ((status || ' ' || source || ' ' || category || ' name'), full_name, id);
CREATE INDEX leads_choices_company_name
    ON leads ((status || ' ' || source || ' ' || category || ' company'), coalesce(company_name, ''), id);
CREATE INDEX subscribers_choice_email ON subscribers ((is_subscribed::int), email, id);

-- The rows whose search document an earlier release wrote, which did not fold accents:
-- it has more than ASCII, and lacks the page break before the texts without accents. The
-- program writes these documents anew while it serves; then the indexes are empty.
CREATE INDEX leads_with_accents ON leads (id)
    WHERE octet_length(search_document) <> char_length(search_document)
        AND position(chr(12) IN search_document) = 0;
CREATE INDEX subscribers_with_accents ON subscribers (id)
    WHERE octet_length(search_document) <> char_length(search_document)
        AND position(chr(12) IN search_document) = 0;
