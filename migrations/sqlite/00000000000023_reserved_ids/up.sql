-- keeps rows
-- Only PostgreSQL needs something here: ids that nodes reserve.
SELECT 1;
