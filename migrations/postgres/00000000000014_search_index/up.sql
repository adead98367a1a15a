-- keeps rows
-- Nothing to do: only SQLite needs a table for its search index. `leads_search` is in the first
-- migration.
SELECT 1;
