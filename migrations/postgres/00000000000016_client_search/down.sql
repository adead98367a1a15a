-- drops nothing
-- After the next upgrade, the program computes the search documents again.
DROP INDEX clients_unfolded;
DROP INDEX clients_team_id;
DROP INDEX clients_monthly_charge;
DROP INDEX clients_one_time_charge;
ALTER TABLE clients DROP COLUMN search_document;
