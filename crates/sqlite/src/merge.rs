//! Lists filtered by choices, merged from one part of an index for each value.
//!
//! An index that begins with the filtered columns has the rows of each combination of values side
//! by side, in the order of the list. SQLite merges these parts row by row, so the number of rows
//! read depends only on the page. The statements name the indexes, because SQLite would choose by
//! statistics, which may be out of date, or by a guess.

use exit3_domain::order::{ListPosition, SortValue};

use crate::sql::Sql;

/// The rows of one combination of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arm {
    /// ` INDEXED BY ...` or ` NOT INDEXED`.
    pub(crate) index: &'static str,
    /// Columns and their values.
    pub(crate) equal: Vec<(&'static str, Equal)>,
    /// Whether rows before the position of a walk must be excluded.
    pub(crate) is_beyond: bool,
    /// If the index has all columns that conditions and orders need: its first ones, up to the id.
    /// Then only the rows that are wanted are read from the table, even if all must be sorted. They
    /// are found by these columns in the same index, because SQLite might read the whole table to
    /// find them by id, if its statistics are out of date.
    pub(crate) covers: &'static [&'static str],
    /// The ids of the rows as a JSON array, if the search index has found them.
    pub(crate) ids: Option<String>,
}

/// The value of a column in an [`Arm`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Equal {
    Text(String),
    Int(i64),
}

impl Equal {
    fn of(value: &SortValue) -> Self {
        match value {
            SortValue::Time(time) => Self::Int(time.timestamp_micros()),
            SortValue::Text(text) => Self::Text(text.clone()),
            SortValue::Word(word) => Self::Text((*word).to_owned()),
            SortValue::Boolean(truth) => Self::Int(i64::from(*truth)),
            SortValue::Number(number) => Self::Int(*number),
        }
    }

    fn bind<ST>(&self, select: &mut Sql<ST>) {
        match self {
            Self::Text(text) => select.text(text),
            Self::Int(number) => select.int(*number),
        };
    }
}

impl Arm {
    /// All rows of one index.
    pub(crate) fn all(index: &'static str) -> Self {
        Self { index, equal: Vec::new(), is_beyond: true, covers: &[], ids: None }
    }

    /// The rows that the search index finds, in no order.
    pub(crate) fn found(ids: &[i64]) -> Self {
        Self { ids: Some(json(ids)), ..Self::all(" NOT INDEXED") }
    }

    /// Adds the table and the conditions of the combination.
    pub(crate) fn rows<ST>(&self, select: &mut Sql<ST>, table: &'static str) {
        select.sql(" FROM ").sql(table).sql(self.index).sql(" WHERE 1");
        for (column, value) in &self.equal {
            select.sql(" AND ").sql(column).sql(" = ");
            value.bind(select);
        }
        if let Some(ids) = &self.ids {
            select.sql(" AND id IN (SELECT value FROM json_each(").text(ids).sql("))");
        }
    }

    /// Restricts the rows to those beyond a position. Within the arm, only the columns that it does
    /// not fix decide that.
    pub(crate) fn beyond<ST>(
        &self,
        select: &mut Sql<ST>,
        key: &[&'static str],
        from: &ListPosition,
        descending: bool,
    ) {
        let values = from.values.iter().map(Equal::of).chain([Equal::Int(from.id)]);
        let pairs = key.iter().zip(values).filter(|(column, _)| self.fixed(column).is_none());
        let (columns, values): (Vec<_>, Vec<_>) = pairs.unzip();
        for (place, column) in columns.into_iter().enumerate() {
            select.sql(if place == 0 { " AND (" } else { ", " }).sql(column);
        }
        select.sql(if descending { ") < (" } else { ") > (" });
        for (place, value) in values.iter().enumerate() {
            select.sql(if place == 0 { "" } else { ", " });
            value.bind(select);
        }
        select.sql(")");
    }

    /// The only value of this column, if the arm fixes one.
    fn fixed(&self, column: &str) -> Option<&Equal> {
        self.equal.iter().find(|(name, _)| *name == column).map(|(_, value)| value)
    }
}

/// Ids as the JSON array that statements take.
pub(crate) fn json(ids: &[i64]) -> String {
    serde_json::Value::from(ids).to_string()
}

/// A sorted list of one table.
pub(crate) struct Merge<'a> {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static str,
    /// The sort columns, at most three; the last one is unique.
    pub(crate) key: &'static [&'static str],
    pub(crate) descending: bool,
    /// At least one arm.
    pub(crate) arms: &'a [Arm],
}

const NAMES: [&str; 3] = ["key_1", "key_2", "key_3"];
const FOUND_BY: [&str; 3] = ["found_by_1", "found_by_2", "found_by_3"];

impl Merge<'_> {
    /// Builds the statement that reads `limit` rows after the first `offset` ones. `conditions`
    /// adds further conditions to each arm.
    pub(crate) fn select<ST>(
        &self,
        limit: i64,
        offset: Option<i64>,
        conditions: impl Fn(&mut Sql<ST>, &Arm),
    ) -> Sql<ST> {
        let joined = match self.arms {
            [arm] if !arm.covers.is_empty() => Some(arm),
            _ => None,
        };
        let is_direct = joined.is_none() && self.arms.len() == 1;
        let mut select = Sql::new("");
        if !is_direct {
            select.sql("SELECT ").sql(self.columns).sql(" FROM (");
        }
        if let Some(arm) = joined {
            for (place, (column, name)) in self.key.iter().zip(NAMES).enumerate() {
                select.sql(if place == 0 { "SELECT " } else { ", " }).sql(column);
                select.sql(" AS ").sql(name);
            }
            for (column, name) in arm.covers.iter().zip(FOUND_BY) {
                select.sql(", ").sql(column).sql(" AS ").sql(name);
            }
            arm.rows(&mut select, self.table);
            conditions(&mut select, arm);
            self.order(&mut select, self.key.iter().copied());
            select.sql(" LIMIT ").int(limit);
        } else {
            if !is_direct {
                select.uncached();
            }
            self.add(&mut select, limit, conditions);
        }
        if let Some(offset) = offset {
            select.sql(" OFFSET ").int(offset);
        }
        if let Some(arm) = joined {
            select.sql(") CROSS JOIN ").sql(self.table).sql(arm.index);
            for (place, (column, name)) in arm.covers.iter().zip(FOUND_BY).enumerate() {
                select.sql(if place == 0 { " ON " } else { " AND " });
                select.sql(column).sql(" = ").sql(name);
            }
        } else if !is_direct {
            select.sql(")");
        }
        if !is_direct {
            self.order(&mut select, self.names());
        }
        select
    }

    /// Adds a statement that reads the first `limit` rows, one after another: a surrounding
    /// statement that needs fewer of them does not read the others. With several arms, the columns
    /// of the key follow the others.
    pub(crate) fn add<ST>(
        &self,
        select: &mut Sql<ST>,
        limit: i64,
        conditions: impl Fn(&mut Sql<ST>, &Arm),
    ) {
        if let [arm] = self.arms {
            select.sql("SELECT ").sql(self.columns);
            arm.rows(select, self.table);
            conditions(select, arm);
            self.order(select, self.key.iter().copied());
        } else {
            for (place, arm) in self.arms.iter().enumerate() {
                select.sql(if place == 0 { "SELECT " } else { " UNION ALL SELECT " });
                select.sql(self.columns);
                for (column, name) in self.key.iter().zip(NAMES) {
                    select.sql(", ").sql(column).sql(" AS ").sql(name);
                }
                arm.rows(select, self.table);
                conditions(select, arm);
            }
            self.order(select, self.names());
        }
        select.sql(" LIMIT ").int(limit);
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().take(self.key.len())
    }

    pub(crate) fn order<ST>(
        &self,
        select: &mut Sql<ST>,
        columns: impl Iterator<Item = &'static str>,
    ) {
        for (place, column) in columns.enumerate() {
            select.sql(if place == 0 { " ORDER BY " } else { ", " }).sql(column);
            select.sql(if self.descending { " DESC" } else { "" });
        }
    }
}

/// Drops what lies before a position from arms that fix the first sort column: other values are
/// included or excluded as a whole, and the position's own value is restricted unless all of its
/// rows lie beyond the position.
pub(crate) fn start_beyond(
    arms: &mut Vec<Arm>,
    key: &[&'static str],
    from: &ListPosition,
    begins_beyond: bool,
    descending: bool,
) {
    let (Some(column), Some(at)) = (key.first(), from.values.first().map(Equal::of)) else {
        return;
    };
    arms.retain_mut(|arm| {
        let Some(order) = arm.fixed(column).map(|value| value.cmp(&at)) else { return true };
        arm.is_beyond = order.is_eq() && !begins_beyond;
        order.is_eq() || order.is_lt() == descending
    });
}
