-- keeps rows
-- What happened to rows, when, and who did it. Rows are added in the transaction of the
-- write that they describe, and change only when a person is erased.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    -- Such as lead.created.
    verb TEXT NOT NULL,
    -- The kind of row, such as lead, and its id; 0 for an event of the whole database.
    resource TEXT NOT NULL,
    resource_id INTEGER NOT NULL,
    -- JSON: {"field": [before, after]}, or all values of a deleted row.
    changes TEXT,
    -- Ties the events of one bulk action together.
    batch TEXT,
    -- The id of the HTTP request.
    request TEXT
) STRICT;

-- Lists are ordered by at, and by id where times are equal. SQLite appends the id to every
-- index, so each index has its events in that order. The index of verbs begins with the kind
-- of resource, so that a list of both reads nothing else.
CREATE INDEX events_by_at ON events (at);
CREATE INDEX events_by_row ON events (resource, resource_id, at);
CREATE INDEX events_by_resource ON events (resource, at);
CREATE INDEX events_by_verb ON events (resource, verb, at);
CREATE INDEX events_by_actor ON events (actor, at);
CREATE INDEX events_by_batch ON events (batch, at) WHERE batch IS NOT NULL;

-- How far each consumer has read. Ids are in the order of commits, so the id of the last
-- event that was read suffices; transaction_id is for PostgreSQL.
CREATE TABLE event_consumers (
    name TEXT PRIMARY KEY NOT NULL CHECK (length(name) <= 100),
    transaction_id INTEGER NOT NULL,
    event_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
