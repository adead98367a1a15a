-- drops nothing
DROP INDEX events_batch_key;
