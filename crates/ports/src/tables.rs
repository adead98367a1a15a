use exit3_domain::contact::ContactKind;
use exit3_domain::search;
use serde::{Deserialize, Serialize};

use crate::error::Constraint;

/// The type of a column, independent of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A 64-bit integer.
    Integer,
    /// A boolean.
    Boolean,
    /// A text.
    Text,
    /// A point in time, in microseconds.
    Time,
    /// Bytes.
    Bytes,
}

/// A column that is copied between databases.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, the same in every database.
    pub name: &'static str,
    /// The type of its values, which may also be NULL.
    pub kind: Kind,
}

impl Column {
    /// A column of this name and type.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind }
    }
}

/// A table that is copied between databases, and all that the adapters must know about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, the same in every database.
    pub name: &'static str,
    /// The columns. The first is the `id`.
    pub columns: &'static [Column],
    /// The word for one of its rows in events; empty if rows have no events.
    pub resource: &'static str,
    /// The columns by which a person can be recognised. Erasing a person removes the rows.
    pub contacts: &'static [(&'static str, ContactKind)],
    /// If its rows are parts of rows of another table: the column with the id of that row, and the
    /// other table. Nothing but an erasure removes them together.
    pub part_of: Option<(&'static str, &'static str)>,
    /// The columns that form its `search_document`; empty if it has no such column.
    pub searched_by: &'static [&'static str],
    /// The rules that every database enforces on it: which values are unique, and which rows must
    /// exist. A test of each adapter compares them with the schema, in both directions.
    pub rules: &'static [Constraint],
    /// The SQL rights on it that requests need. Backups need others.
    pub rights: &'static str,
}

impl Table {
    /// A table without a name and columns, for the fields that a table does not set.
    pub const EMPTY: Self = Self {
        name: "",
        columns: &[],
        resource: "",
        contacts: &[],
        part_of: None,
        searched_by: &[],
        rules: &[],
        rights: "",
    };
}

/// A value of a row, in a form that is independent of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Boolean`].
    Boolean(bool),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Time`], in microseconds since 1970, UTC.
    Time(i64),
    /// Of [`Kind::Bytes`].
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of its [`Shape`].
pub type Row = Vec<Value>;

/// The columns of a table that a database or an archive has. An older one may lack some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The table.
    pub table: &'static Table,
    /// The existing columns, in the order of the table. The first is `id`.
    pub columns: Vec<&'static Column>,
}

impl Shape {
    /// The columns of `table` for which `has` returns true; `None` without an `id`, that is, if the
    /// table is missing.
    pub fn of(table: &'static Table, has: impl Fn(&str) -> bool) -> Option<Self> {
        let columns: Vec<_> = table.columns.iter().filter(|column| has(column.name)).collect();
        let id = table.columns.first()?;
        columns.first().is_some_and(|first| *first == id).then_some(Self { table, columns })
    }

    /// The search document of `row`, if the table has one.
    pub fn search_document(&self, row: &[Value]) -> Option<String> {
        let text = |name: &&str| {
            let at = self.columns.iter().position(|column| column.name == *name)?;
            match row.get(at)? {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            }
        };
        let searched_by = self.table.searched_by;
        (!searched_by.is_empty()).then(|| search::document(searched_by.iter().map(text)))
    }
}

/// Finds a table by name.
pub fn table(name: &str) -> Option<&'static Table> {
    crate::TABLES.iter().find(|table| table.name == name)
}

/// A table that remembers the rows imported from the Django service.
const fn memory(name: &'static str) -> Table {
    const COLUMNS: &[Column] = &[
        Column::new("id", Kind::Integer),
        Column::new("digest", Kind::Bytes),
        Column::new("original", Kind::Text),
    ];
    Table { name, columns: COLUMNS, rights: "SELECT", ..Table::EMPTY }
}

pub(crate) const DJANGO_LEADS: Table = memory("django_leads");
pub(crate) const DJANGO_SUBSCRIBERS: Table = memory("django_subscribers");
pub(crate) const DJANGO_CLIENTS: Table = memory("django_clients");
pub(crate) const DJANGO_STAFF: Table = memory("django_staff");

/// Tables that no archive contains: counts and search indexes, which are computed from the rows, and
/// facts about a single database. Those of [`STAYING`](crate::STAYING) are among them.
pub const NOT_MOVED: &[&str] = &[
    "lead_counts",
    "subscriber_counts",
    "lead_search",
    "lead_search_config",
    "lead_search_data",
    "lead_search_docsize",
    "lead_search_idx",
    "lead_search_queue",
    "lead_search_state",
    "backup_status",
    "event_consumers",
    "jobs",
    "schedules",
    "sign_ins",
    "staff_visits",
    "invitations",
    "lead_weeks",
    "canaries",
    "__diesel_schema_migrations",
    "__exit3_modules",
];

/// Asserts that a backup has every field that clients may set, and every column of an order.
#[cfg(test)]
pub(crate) fn assert_backed_up(
    table: &Table,
    fields: &[exit3_domain::fields::Field],
    sorts: &[&str],
) {
    use exit3_domain::fields::FieldKind;
    let kind = |name: &str| table.columns.iter().find(|own| own.name == name).map(|own| own.kind);
    for field in fields {
        let expected = match field.kind {
            FieldKind::Text { .. } | FieldKind::Choice(_) => Kind::Text,
            FieldKind::Boolean => Kind::Boolean,
            FieldKind::Time => Kind::Time,
            FieldKind::Money | FieldKind::Reference => Kind::Integer,
        };
        let column = match field.kind {
            FieldKind::Reference => format!("{}_id", field.name),
            _ => field.name.to_owned(),
        };
        assert_eq!(kind(&column), Some(expected), "{}.{column}", table.name);
    }
    for sort in sorts {
        assert!(kind(sort).is_some(), "{} has no column {sort} to sort by", table.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_both_stays_and_moves() {
        for table in crate::STAYING {
            assert!(NOT_MOVED.contains(&table.name), "{}", table.name);
            assert_eq!(super::table(table.name), None);
        }
    }

    #[test]
    fn a_rule_is_about_a_column_of_its_own_table() {
        for table in crate::TABLES.iter().chain(crate::STAYING) {
            for rule in table.rules {
                let (Constraint::Taken { table: of, column }
                | Constraint::Missing { table: of, column }) = rule
                else {
                    panic!("{rule:?} is about no column");
                };
                assert_eq!(*of, table.name);
                assert!(table.columns.iter().any(|own| own.name == *column), "{rule:?}");
            }
        }
    }
}
