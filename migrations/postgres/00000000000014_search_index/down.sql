-- drops nothing
-- Nothing to do: only SQLite has a table for its search index.
SELECT 1;
