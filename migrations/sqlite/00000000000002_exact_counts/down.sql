DROP TRIGGER subscribers_count_update;
DROP TRIGGER subscribers_count_delete;
DROP TRIGGER subscribers_count_insert;
DROP TABLE subscriber_counts;
DROP TRIGGER leads_count_update;
DROP TRIGGER leads_count_delete;
DROP TRIGGER leads_count_insert;
DROP TABLE lead_counts;
