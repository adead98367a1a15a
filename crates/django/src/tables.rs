//! Which table of the Django service becomes which of ours.

use exit3_domain::email::DisposableDomains;
use exit3_ports::{ForeignTable, Row, Shape, Table, table};

use crate::rows::{self, Reading};
use crate::source::{AUTH_USER, COMMON_CLIENT, COMMON_LEAD, COMMON_NEWSLETTER};

/// A table to import.
pub(crate) struct Move {
    pub(crate) from: &'static ForeignTable,
    /// The imported columns. Columns that only exist here are neither compared nor written.
    pub(crate) to: Shape,
    /// The table that remembers imported rows: the hash of each row, and its original values where
    /// they could not be kept.
    pub(crate) memory: Shape,
    /// The position of a unique column, if there is one.
    pub(crate) unique: Option<usize>,
    /// Whether other tables refer to this one. Its rows are then deleted last.
    pub(crate) referred_to: bool,
    /// Converts a row.
    pub(crate) read: Read,
}

/// A function that converts a row.
type Read = fn(&mut Reading<'_>, &DisposableDomains);

/// All tables, ordered so that each comes after the tables it refers to.
pub(crate) fn moves() -> Vec<Move> {
    let moves = [
        of(&COMMON_LEAD, "leads", "django_leads", None, rows::lead),
        of(
            &COMMON_NEWSLETTER,
            "subscribers",
            "django_subscribers",
            Some("email"),
            rows::subscriber,
        ),
        of(&COMMON_CLIENT, "clients", "django_clients", Some("lead_id"), rows::client),
        of(&AUTH_USER, "staff", "django_staff", Some("username"), rows::staff),
    ];
    moves.into_iter().flatten().collect()
}

fn of(
    from: &'static ForeignTable,
    to: &str,
    memory: &str,
    unique: Option<&str>,
    read: Read,
) -> Option<Move> {
    let (to, memory) = (imported(from, table(to)?)?, table(memory).and_then(whole)?);
    let place = |name: &str| to.columns.iter().position(|column| column.name == name);
    let unique = unique.and_then(place);
    let referred_to = to.table.name == "leads";
    Some(Move { from, to, memory, unique, referred_to, read })
}

/// The columns of `to` that `from` has, under their names here.
fn imported(from: &ForeignTable, to: &'static Table) -> Option<Shape> {
    fn own_name(column: &str) -> &str {
        if column == "client_info_id" { "lead_id" } else { column }
    }
    Shape::of(to, |name| from.columns.iter().any(|column| own_name(column) == name))
}

fn whole(table: &'static Table) -> Option<Shape> {
    Shape::of(table, |_| true)
}

/// The id of a row.
pub(crate) fn id(row: &Row) -> i64 {
    match row.first() {
        Some(exit3_ports::Value::Integer(id)) => *id,
        // Every row has an id.
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::DJANGO_TABLES;
    use exit3_ports::{Column, Kind};

    #[test]
    fn every_table_is_imported() {
        let moves = moves();
        assert_eq!(moves.len(), DJANGO_TABLES.len());
        for it in &moves {
            assert_eq!(it.unique.is_some(), it.to.table.name != "leads");
            assert_eq!(it.to.columns.len(), it.from.columns.len(), "{}", it.from.name);
        }
    }

    #[test]
    fn columns_that_only_exist_here_are_not_imported() {
        const COLUMNS: &[Column] = &[
            Column { name: "id", kind: Kind::Integer },
            Column { name: "email", kind: Kind::Text },
            Column { name: "ours", kind: Kind::Text },
        ];
        static OURS: Table = Table { columns: COLUMNS, ..exit3_ports::subscribers::TABLE };
        let shape = imported(&COMMON_NEWSLETTER, &OURS).unwrap();
        let names: Vec<_> = shape.columns.iter().map(|column| column.name).collect();
        assert_eq!(names, ["id", "email"]);
    }
}
