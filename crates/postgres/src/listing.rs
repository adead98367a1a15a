//! Lists, whatever they are of: numbered pages with an exact count, and walks.
//!
//! Each is one statement, so that its rows and its count are of one moment.

use diesel::sql_types::BigInt;
use exit3_domain::paging::{DEFAULT_PAGE_SIZE, Page, PageNumber, PageRequest, last_page};

use crate::sql::{Conditions, Sql, Value};

/// What a list is made of.
pub(crate) struct Listing {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static str,
    /// The table that keeps count, where it can answer for these conditions.
    pub(crate) counts: Option<&'static str>,
    pub(crate) conditions: Conditions,
    /// The ORDER BY clause, and the one that turns the list round.
    pub(crate) order: &'static str,
    pub(crate) reversed: &'static str,
    /// Whether one plan serves the conditions, whatever their values.
    pub(crate) plannable: bool,
}

impl Listing {
    /// The statement that reads a page, and the count beside each of its rows;
    /// `None` for a page beyond the reach of any database.
    pub(crate) fn page<ST>(&self, request: PageRequest) -> Option<Sql<(BigInt, ST)>> {
        match request.number {
            PageNumber::Number(1) => Some(self.first_page(request.size)),
            PageNumber::Number(_) => Some(self.later_page(request.offset()?, request.size)),
            PageNumber::Last => Some(self.last_page(request.size)),
        }
    }

    fn first_page<ST>(&self, size: u32) -> Sql<(BigInt, ST)> {
        let page = self.counted(self.begin("SELECT (")).sql("), ");
        self.rows(page, &self.conditions, self.order, size)
    }

    /// The condition on the offset does not depend on a row: the planner asks it
    /// once, and where the page is past the end no row is looked at.
    fn later_page<ST>(&self, offset: i64, size: u32) -> Sql<(BigInt, ST)> {
        let mut conditions = self.conditions.clone();
        conditions.add("", Value::BigInt(offset), " < (SELECT n FROM total)");
        let page = self.counted(self.begin("WITH total (n) AS MATERIALIZED ("));
        let page = page.sql(") SELECT (SELECT n FROM total), ");
        let page = self.rows(page, &conditions, self.order, size);
        page.sql(" OFFSET ").value(Value::BigInt(offset))
    }

    /// Read from the end, in reverse.
    fn last_page<ST>(&self, size: u32) -> Sql<(BigInt, ST)> {
        let size_of_last = i64::from(size);
        let page = self.counted(self.begin("WITH total (n) AS MATERIALIZED ("));
        let page = page.sql(") SELECT (SELECT n FROM total), page.* FROM (SELECT ");
        self.rows(page, &self.conditions, self.reversed, size)
            .sql(") page ")
            .sql(self.reversed)
            .sql(" LIMIT (SELECT (n - 1) % ")
            .value(Value::BigInt(size_of_last))
            .sql(" + 1 FROM total)")
    }

    /// The statement that reads the rows from `from` (a condition) on.
    pub(crate) fn step<ST>(
        &self,
        from: Option<(&'static str, Vec<Value>)>,
        forward: bool,
        size: u32,
    ) -> Sql<ST> {
        let mut conditions = self.conditions.clone();
        if let Some((comparison, position)) = from {
            conditions.add_beyond(comparison, position);
        }
        let order = if forward { self.order } else { self.reversed };
        self.rows(self.begin("SELECT "), &conditions, order, size)
    }

    fn begin<ST>(&self, sql: &'static str) -> Sql<ST> {
        if self.plannable { Sql::cached(sql) } else { Sql::planned(sql) }
    }

    fn counted<ST>(&self, statement: Sql<ST>) -> Sql<ST> {
        let statement = match self.counts {
            Some(counts) => statement.sql("SELECT coalesce(sum(n), 0)::bigint FROM ").sql(counts),
            None => statement.sql("SELECT count(*) FROM ").sql(self.table),
        };
        statement.all_of(&self.conditions)
    }

    fn rows<ST>(
        &self,
        statement: Sql<ST>,
        conditions: &Conditions,
        order: &'static str,
        size: u32,
    ) -> Sql<ST> {
        let statement = statement.sql(self.columns).sql(" FROM ").sql(self.table);
        limited(statement.all_of(conditions).sql(order), size)
    }
}

/// The usual sizes stand in the text, where the planner sees them: it then makes
/// one good plan and keeps it. With others it plans anew each time.
fn limited<ST>(statement: Sql<ST>, size: u32) -> Sql<ST> {
    let statement = statement.sql(" LIMIT ");
    let size = i64::from(size);
    let usual = i64::from(DEFAULT_PAGE_SIZE);
    if size == usual || size == usual + 1 {
        statement.literal(size)
    } else {
        statement.value(Value::BigInt(size))
    }
}

/// The page that the rows of [`Listing::page`] make, `None` past the end.
pub(crate) fn page_of<R, T: From<R>>(
    request: PageRequest,
    mut rows: Vec<(i64, R)>,
) -> Option<Page<T>> {
    let count = rows.first().map_or(0, |(count, _)| u64::try_from(*count).unwrap_or_default());
    let number = match request.number {
        PageNumber::Number(number) if rows.is_empty() && number != 1 => return None,
        PageNumber::Number(number) => number,
        PageNumber::Last => {
            rows.reverse();
            last_page(count, request.size)
        }
    };
    let rows = rows.into_iter().map(|(_, row)| T::from(row)).collect();
    Some(Page { count, number, rows })
}
