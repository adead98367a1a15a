-- drops nothing
-- Nothing to do: only the indexes of PostgreSQL changed.
SELECT 1;
