-- drops nothing
SELECT 1;
