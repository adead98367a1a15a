-- drops nothing
-- The release before does not read events for this consumer, which would keep them forever.
DELETE FROM event_consumers WHERE name = 'lead_weeks';
DROP TABLE lead_weeks;
DROP TABLE staff_visits;
