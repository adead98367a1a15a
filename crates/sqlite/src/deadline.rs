//! The moment at which a query must have come to its end.

use std::cell::Cell;
use std::time::Instant;

use diesel::prelude::*;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use crate::error::Refusal;

thread_local! {
    /// When the query that this thread runs must have come to its end.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Does `work` on this thread, whose queries end with an error after the deadline.
pub(crate) fn until<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    DEADLINE.set(Some(deadline));
    let done = work();
    DEADLINE.set(None);
    done
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// True until the deadline of the query; after it, an error, which ends it.
    fn in_time() -> Bool;
}

/// Makes `in_time()` known to a connection. It is called for each row that a
/// long query looks at, since SQLite would go on after its caller gave up.
pub(crate) fn teach(connection: &mut SqliteConnection) -> QueryResult<()> {
    in_time_utils::register_nondeterministic_impl(connection, || InTime)
}

#[derive(Debug, Clone, Copy)]
struct InTime;

impl ToSql<Bool, Sqlite> for InTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        if DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline) {
            return Err(Box::new(Refusal::OutOfTime));
        }
        out.set_value(1);
        Ok(IsNull::No)
    }
}
