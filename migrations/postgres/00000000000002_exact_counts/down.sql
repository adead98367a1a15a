-- drops nothing
DROP FUNCTION recount_rows();
DROP FUNCTION count_subscribers() CASCADE;
DROP FUNCTION count_leads() CASCADE;
DROP TABLE subscriber_counts;
DROP TABLE lead_counts;
