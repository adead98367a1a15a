-- drops nothing
DROP TRIGGER leads_search_insert;
DROP TRIGGER leads_search_update;
DROP TRIGGER leads_search_delete;
DROP TABLE lead_search;
DROP TABLE lead_search_queue;
DROP TABLE lead_search_state;
