//! The sort columns of a list.

use crate::sql::Sql;

/// The names of a [`Key`]'s columns outside of their table.
const NAMES: [&str; 3] = ["key_1", "key_2", "key_3"];

/// The columns of an order, at most three. The last one is unique: `Key(&["starts_at", "id"])`.
#[derive(Debug, Clone, Copy)]
pub struct Key(pub &'static [&'static str]);

impl Key {
    fn names(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().copied().zip(NAMES)
    }

    /// Adds the columns under their names.
    pub(crate) fn select<ST>(self, mut sql: Sql<ST>) -> Sql<ST> {
        for (place, (column, name)) in self.names().enumerate() {
            sql = sql.sql(if place == 0 { "" } else { ", " }).sql(column).sql(" AS ").sql(name);
        }
        sql
    }

    /// Adds the name of the last column.
    pub(crate) fn id<ST>(self, sql: Sql<ST>) -> Sql<ST> {
        sql.sql(self.names().last().map_or("", |(_, name)| name))
    }

    /// Adds an ORDER BY clause over the table's columns.
    pub(crate) fn order<ST>(self, sql: Sql<ST>, descending: bool) -> Sql<ST> {
        ordered(sql, self.0.iter().copied(), descending)
    }

    /// Adds an ORDER BY clause over the names.
    pub(crate) fn order_by_names<ST>(self, sql: Sql<ST>, descending: bool) -> Sql<ST> {
        ordered(sql, self.names().map(|(_, name)| name), descending)
    }
}

fn ordered<ST>(
    mut sql: Sql<ST>,
    columns: impl Iterator<Item = &'static str>,
    descending: bool,
) -> Sql<ST> {
    for (place, column) in columns.enumerate() {
        sql = sql.sql(if place == 0 { " ORDER BY " } else { ", " }).sql(column);
        sql = sql.sql(if descending { " DESC" } else { "" });
    }
    sql
}
