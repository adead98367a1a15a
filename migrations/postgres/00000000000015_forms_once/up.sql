-- keeps rows
-- A form of the back office is carried out once, even if two nodes get it at the same moment. The
-- batch of its events begins with form-, and the second node breaks this rule.
CREATE UNIQUE INDEX events_batch_key ON events (batch, verb)
WHERE batch >= 'form-' AND batch < 'form.';
