-- Only PostgreSQL looks tables up by a search_path.
SELECT 1;
