//! Deadlines of queries.

use std::cell::Cell;
use std::time::Instant;

use diesel::prelude::*;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use crate::error::Refusal;

thread_local! {
    /// The deadline of the query that runs on this thread.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Runs `work` on this thread. Its queries fail after the deadline.
pub(crate) fn until<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    DEADLINE.set(Some(deadline));
    let done = work();
    DEADLINE.set(None);
    done
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// True until the query's deadline, then an error, which ends the query.
    fn in_time() -> Bool;
}

/// Registers `in_time()`. Long queries call it for every row, because SQLite would continue after
/// the caller has given up.
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
