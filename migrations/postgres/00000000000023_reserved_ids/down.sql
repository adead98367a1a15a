-- drops nothing
DROP FUNCTION reserve_lead_ids(integer);
