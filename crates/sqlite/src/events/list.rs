//! How events are found. A page costs about the same for any number of events.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::events::{EventFilter, EventId, NEVER_REMOVED};

use super::row::{COLUMNS, EventTypes, StoredRow};
use crate::sql::Sql;
use crate::values::microseconds_rounded_up;

/// An actor with fewer events than this is rare.
const RARE: i64 = 1000;

/// Events that match, newest first.
pub(super) fn list(
    connection: &mut SqliteConnection,
    filter: &EventFilter,
    before: Option<(DateTime<Utc>, EventId)>,
    size: u32,
) -> QueryResult<Vec<StoredRow>> {
    let mut select = Sql::<EventTypes>::new("SELECT ");
    select.sql(COLUMNS).sql(" FROM events INDEXED BY ").sql(index(connection, filter)?);
    select.sql(" WHERE in_time()").uncached();
    conditions(&mut select, filter, before);
    select.sql(" ORDER BY at DESC, id DESC LIMIT ").int(size.into());
    select.load(connection)
}

/// Removes the oldest events of before this time that all consumers have read. Returns their number.
pub(super) fn remove_before(
    connection: &mut SqliteConnection,
    at: i64,
    most: u32,
) -> QueryResult<usize> {
    let mut delete = Sql::<()>::new(
        "DELETE FROM events WHERE id IN (SELECT id FROM events INDEXED BY events_by_at WHERE at < ",
    );
    delete.int(at).sql(" AND verb <> ").text(NEVER_REMOVED);
    delete.sql(" AND NOT EXISTS (SELECT 1 FROM event_consumers WHERE event_id < events.id)");
    delete.sql(" ORDER BY at, id LIMIT ").int(most.into()).sql(")");
    delete.execute(connection)
}

/// The index that has the fewest events beside those that match, in the order of the list. SQLite
/// would choose by statistics, which may be out of date, or by a guess.
fn index(connection: &mut SqliteConnection, filter: &EventFilter) -> QueryResult<&'static str> {
    let EventFilter { actor, verb, resource, id, batch, .. } = filter;
    let is_by_verb = verb.is_some() || resource.is_some();
    Ok(if batch.is_some() {
        "events_by_batch"
    } else if id.is_some() && is_by_verb {
        "events_by_row"
    } else if let Some(actor) = actor
        && (!is_by_verb || is_rare(connection, &actor.to_string())?)
    {
        "events_by_actor"
    } else if verb.is_some() {
        "events_by_verb"
    } else if resource.is_some() {
        "events_by_resource"
    } else {
        "events_by_at"
    })
}

fn is_rare(connection: &mut SqliteConnection, actor: &str) -> QueryResult<bool> {
    let mut count = Sql::<BigInt>::new(
        "SELECT count(*) FROM (SELECT 1 FROM events INDEXED BY events_by_actor WHERE actor = ",
    );
    count.text(actor).sql(" LIMIT ").int(RARE).sql(")");
    Ok(count.get_result::<i64>(connection)? < RARE)
}

fn conditions<ST>(
    select: &mut Sql<ST>,
    filter: &EventFilter,
    before: Option<(DateTime<Utc>, EventId)>,
) {
    let EventFilter { actor, verb, resource: _, id, batch, after, before: _ } = filter;
    if let Some(actor) = actor {
        select.sql(" AND actor = ").text(actor.to_string());
    }
    // The index of verbs begins with the kind of resource.
    if let Some(resource) = filter.only_resource() {
        select.sql(" AND resource = ").text(resource);
    }
    if let Some(verb) = verb {
        select.sql(" AND verb = ").text(verb.as_str());
    }
    if let Some(id) = id {
        select.sql(" AND resource_id = ").int(*id);
    }
    if let Some(batch) = batch {
        select.sql(" AND batch = ").text(&*batch.0);
    }
    if let Some(after) = after {
        select.sql(" AND at >= ").int(microseconds_rounded_up(*after));
    }
    // One bound alone, because SQLite would read from either one of several. It reads from the first
    // event of the time, and passes over those of the same microsecond with higher ids.
    if let Some((at, id)) = filter.end(before) {
        select.sql(" AND (at, id) < (").int(microseconds_rounded_up(at));
        select.sql(", ").int(id.0).sql(")");
    }
}
