-- keeps rows
-- The trigram index of the search documents of leads. It only says which leads may contain a
-- word; every search compares the documents themselves. The program fills it after commits, so
-- writes of leads do not wait for it: see docs/adr/0021-search-and-counts-for-pages.md.
--
-- Documents are folded already, so the tokenizer leaves their case alone.
CREATE VIRTUAL TABLE lead_search USING fts5(
    document, content = '', contentless_delete = 1, detail = none,
    tokenize = 'trigram case_sensitive 1'
);

-- All leads up to this id are in the index, except for those in the queue.
CREATE TABLE lead_search_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    indexed_to INTEGER NOT NULL
) STRICT;
INSERT INTO lead_search_state (id, indexed_to) VALUES (1, 0);

-- Leads that were changed, deleted or stored again since they were indexed. Triggers fill it,
-- so it is complete if another release or another program writes.
CREATE TABLE lead_search_queue (id INTEGER PRIMARY KEY) STRICT;

-- No OR IGNORE: the statement that fires a trigger may replace its way to handle conflicts.
CREATE TRIGGER leads_search_insert AFTER INSERT ON leads
WHEN new.id <= (SELECT indexed_to FROM lead_search_state)
BEGIN
    INSERT INTO lead_search_queue (id)
    SELECT new.id WHERE new.id NOT IN (SELECT id FROM lead_search_queue);
END;

CREATE TRIGGER leads_search_update AFTER UPDATE OF id, search_document ON leads
WHEN old.search_document <> new.search_document OR old.id <> new.id
BEGIN
    INSERT INTO lead_search_queue (id)
    SELECT old.id
    WHERE old.id <= (SELECT indexed_to FROM lead_search_state)
        AND old.id NOT IN (SELECT id FROM lead_search_queue);
    INSERT INTO lead_search_queue (id)
    SELECT new.id
    WHERE new.id <= (SELECT indexed_to FROM lead_search_state)
        AND new.id NOT IN (SELECT id FROM lead_search_queue);
END;

CREATE TRIGGER leads_search_delete AFTER DELETE ON leads
WHEN old.id <= (SELECT indexed_to FROM lead_search_state)
BEGIN
    INSERT INTO lead_search_queue (id)
    SELECT old.id WHERE old.id NOT IN (SELECT id FROM lead_search_queue);
END;
