-- drops nothing
-- Nothing to do: only PostgreSQL has a search_path.
SELECT 1;
