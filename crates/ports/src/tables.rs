use exit3_domain::search;

/// The type of a column, independent of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A table that is copied between databases.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, the same in every database.
    pub name: &'static str,
    /// The columns. The first is the `id`.
    pub columns: &'static [Column],
    /// The columns that form its `search_document`; empty if it has no such column.
    pub searched_by: &'static [&'static str],
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
    TABLES.iter().find(|table| table.name == name)
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// The columns of the tables that remember the rows imported from the Django service.
const BROUGHT: &[Column] =
    &[column("id", Kind::Integer), column("digest", Kind::Bytes), column("original", Kind::Text)];

/// All tables with data, ordered so that rows come after the rows that they refer to. Everything
/// that copies a database uses this list. A test of each adapter compares it with the schema.
pub const TABLES: &[Table] = &[
    Table {
        name: "leads",
        columns: &[
            column("id", Kind::Integer),
            column("full_name", Kind::Text),
            column("position", Kind::Text),
            column("company_name", Kind::Text),
            column("phone_number", Kind::Text),
            column("email", Kind::Text),
            column("source", Kind::Text),
            column("status", Kind::Text),
            column("notes", Kind::Text),
            column("category", Kind::Text),
            column("created_at", Kind::Time),
            column("updated_at", Kind::Time),
        ],
        searched_by: &["full_name", "company_name", "email", "phone_number"],
    },
    Table {
        name: "subscribers",
        columns: &[
            column("id", Kind::Integer),
            column("email", Kind::Text),
            column("is_subscribed", Kind::Boolean),
        ],
        searched_by: &["email"],
    },
    Table {
        name: "api_keys",
        columns: &[
            column("id", Kind::Integer),
            column("name", Kind::Text),
            column("prefix", Kind::Text),
            column("digest", Kind::Bytes),
            column("scopes", Kind::Text),
            column("origins", Kind::Text),
            column("rate", Kind::Text),
            column("forwards_visitors", Kind::Boolean),
            column("created_at", Kind::Time),
            column("expires_at", Kind::Time),
            column("revoked_at", Kind::Time),
            column("last_used_at", Kind::Time),
        ],
        searched_by: &[],
    },
    Table {
        name: "clients",
        columns: &[
            column("id", Kind::Integer),
            column("lead_id", Kind::Integer),
            column("team_id", Kind::Text),
            column("monthly_charge", Kind::Integer),
            column("one_time_charge", Kind::Integer),
            column("contract_file", Kind::Text),
            column("short_description", Kind::Text),
            column("category", Kind::Text),
        ],
        searched_by: &[],
    },
    Table {
        name: "staff",
        columns: &[
            column("id", Kind::Integer),
            column("username", Kind::Text),
            column("first_name", Kind::Text),
            column("last_name", Kind::Text),
            column("email", Kind::Text),
            column("is_staff", Kind::Boolean),
            column("is_active", Kind::Boolean),
            column("is_superuser", Kind::Boolean),
            column("password", Kind::Text),
            column("date_joined", Kind::Time),
            column("last_login", Kind::Time),
        ],
        searched_by: &[],
    },
    Table { name: "django_leads", columns: BROUGHT, searched_by: &[] },
    Table { name: "django_subscribers", columns: BROUGHT, searched_by: &[] },
    Table { name: "django_clients", columns: BROUGHT, searched_by: &[] },
    Table { name: "django_staff", columns: BROUGHT, searched_by: &[] },
];

/// Tables that no archive contains: counts, which are computed from the rows, and facts about a
/// single database.
pub const NOT_MOVED: &[&str] =
    &["lead_counts", "subscriber_counts", "backup_status", "__diesel_schema_migrations"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_has_every_field_that_clients_may_set_and_every_column_of_an_order() {
        use exit3_domain::fields::FieldKind;
        use exit3_domain::{leads, subscribers};
        for (name, fields, sorts) in [
            ("leads", leads::FIELDS, leads::LeadSort::WORDS),
            ("subscribers", subscribers::FIELDS, subscribers::SubscriberSort::WORDS),
        ] {
            let columns = table(name).unwrap().columns;
            let kind = |name: &str| columns.iter().find(|own| own.name == name).map(|own| own.kind);
            for field in fields {
                let expected = match field.kind {
                    FieldKind::Text { .. } | FieldKind::Choice(_) => Kind::Text,
                    FieldKind::Boolean => Kind::Boolean,
                };
                assert_eq!(kind(field.name), Some(expected), "{name}.{}", field.name);
            }
            for sort in sorts {
                assert!(kind(sort).is_some(), "{name} has no column {sort} to sort by");
            }
        }
    }
}
