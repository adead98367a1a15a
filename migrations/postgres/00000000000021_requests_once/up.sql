-- keeps rows
-- A request with an Idempotency-Key is carried out once, even if two nodes get it at the same
-- moment. The batch of its events begins with once- and 32 digits for the client and the key. What
-- the request makes has an event whose verb ends in .created, and a second one breaks this rule.
CREATE UNIQUE INDEX events_request_key ON events (left(batch, 37))
WHERE left(batch, 5) = 'once-' AND right(verb, 8) = '.created';
