//! Statements that look at a limited number of rows of a list.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::{Arm, Listing, Way};
use crate::sql::{Conditions, Sql, Value};

/// How the next rows of a list are reached in its order, before conditions are checked row by row.
pub(crate) struct Ahead {
    /// Along the index of the order, or merged from arms.
    pub(crate) way: Way,
    /// The conditions that the index of the order fulfils.
    pub(crate) range: Conditions,
    /// What the index of the order has beside the order's columns.
    pub(crate) beside: Option<Beside>,
}

/// A column that an index has after the columns of the order, and the conditions on it. A row that does
/// not fulfil them is not read from the table.
pub(crate) struct Beside {
    pub(crate) column: &'static str,
    pub(crate) conditions: Conditions,
}

impl Ahead {
    /// How many of the next rows to look at, if all arms together may read `most` rows. Each arm may
    /// have all of the next ones.
    pub(crate) fn reach(&self, most: usize) -> i64 {
        let arms = match &self.way {
            Way::Merged(arms) => arms.iter().map(Arm::count).sum(),
            Way::InOrder | Way::Gathered(..) | Way::Few(..) => 1,
        };
        share(most, arms)
    }
}

/// The share of one of these arms in `most` rows, but not too few.
pub(crate) fn share(most: usize, arms: usize) -> i64 {
    const LEAST: usize = 20;
    let share = most.checked_div(arms).unwrap_or(most).max(LEAST.min(most));
    i64::try_from(share).unwrap_or(i64::MAX)
}

impl Listing {
    /// Looks at the next `reach` rows. Returns how many there are, beside the ids of those that
    /// match, at most `most`.
    pub(crate) fn ahead(
        &self,
        ahead: &Ahead,
        descending: bool,
        reach: i64,
        most: i64,
    ) -> Sql<(BigInt, Nullable<BigInt>)> {
        let next = Sql::planned("WITH next AS MATERIALIZED (");
        let next = match &ahead.way {
            Way::Merged(arms) => self.merge(next, arms, None, reach, descending),
            Way::InOrder | Way::Gathered(..) | Way::Few(..) => {
                let mut conditions = ahead.range.clone();
                if let Some(from) = &self.from {
                    conditions.add_beyond(self.key.0, descending, from);
                }
                let mut next = self.key.select(next.sql("SELECT "));
                if let Some(beside) = &ahead.beside {
                    next = next.sql(", ").sql(beside.column);
                }
                let next = next.sql(" FROM ").sql(self.table);
                let next = self.key.order(next.all_of(&conditions), descending);
                // The planner must not see that these may be most rows, or it would sort all.
                next.sql(" LIMIT (SELECT ").value(Value::BigInt(reach)).sql(")")
            }
        };
        let found = self.key.id(next.sql("), found AS MATERIALIZED (SELECT "));
        // A subquery, because the planner might join the whole table.
        let mut found = found.sql(" AS id FROM next WHERE true");
        if let Some(beside) = &ahead.beside {
            found = found.and_all_of(&beside.conditions);
        }
        let found = found.sql(" AND (SELECT true FROM ").sql(self.table);
        let found = self.key.id(found.sql(" WHERE id = next.")).and_all_of(&self.conditions);
        let found = found.sql(") LIMIT ").value(Value::BigInt(most));
        found.sql(
            ") SELECT total.n, found.id FROM (SELECT count(*) AS n FROM next) total \
             LEFT JOIN found ON true",
        )
    }

    /// The rows with these ids, in no order.
    pub(crate) fn of_ids<ST>(&self, ids: Vec<i64>) -> Sql<ST> {
        let rows = Sql::planned("SELECT ").sql(self.columns).sql(" FROM ").sql(self.table);
        rows.sql(" WHERE id = ANY(").value(Value::BigInts(ids)).sql(")")
    }

    /// All matching rows of a list that is gathered, at most `most`, in order: their ids and
    /// statuses, and whether they lie beyond the start.
    pub(crate) fn gathered(
        &self,
        conditions: &Conditions,
        descending: bool,
        most: i64,
    ) -> Sql<(BigInt, Text, Bool)> {
        let mut beyond = Conditions::default();
        if let Some(from) = &self.from {
            beyond.add_beyond(self.key.0, descending, from);
        }
        let found = Sql::planned("WITH found AS MATERIALIZED (SELECT status, (true");
        let found = self.key.select(found.and_all_of(&beyond).sql(") AS beyond, "));
        let found = found.sql(" FROM ").sql(self.table).all_of(conditions);
        let found = self.key.id(found.sql(") SELECT ")).sql(", status, beyond FROM found");
        let found = self.key.order_by_names(found, descending);
        found.sql(" LIMIT ").value(Value::BigInt(most))
    }
}
