-- drops nothing
DROP INDEX events_request_key;
