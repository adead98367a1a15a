//! The only file that knows the texts of SQLite's errors.

use std::error::Error;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use exit3_ports::leads::ID_TAKEN;
use exit3_ports::{Constraint, StoreError, rules};

/// Messages of errors that pass by themselves or that an operator can fix: BUSY, LOCKED, FULL,
/// IOERR, CANTOPEN, READONLY, PROTOCOL, NOMEM and INTERRUPT. Diesel passes on the message, not the
/// code.
const PASSING: &[&str] = &[
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
    "out of memory",
    "interrupted",
    // An operator restores a backup, or rebuilds the index.
    "database disk image is malformed",
    "file is not a database",
    FROZEN,
];

/// The error of writes while the database is frozen (see `freeze.rs`), treated as temporary.
pub(crate) const FROZEN: &str = "the database is read-only";

/// The start of messages about a schema that is not migrated yet.
const NOT_MIGRATED: &[&str] = &["no such table: ", "no such column: "];

/// Why the adapter itself refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("out of time")]
    OutOfTime,
    #[error("too many operations wait for the database")]
    Crowded,
    #[error("the database is closed")]
    Closed,
    #[error("the commit failed")]
    NotCommitted,
    #[error("a bug: the database operation panicked")]
    Panicked,
    #[error("a text with a NUL character")]
    Nul,
    #[error("the database file was moved, replaced or removed")]
    FileGone,
    #[error(
        "the files beside the database (their names end in -wal and -shm) were moved, replaced \
         or removed"
    )]
    LogGone,
    #[error("another program has overwritten or truncated the database file")]
    FileOverwritten,
    #[error(
        "another program has overwritten or truncated the -wal file beside the database, or the -shm file"
    )]
    LogOverwritten,
    #[error("the disk of the database is full")]
    DiskFull,
    #[error("another program has locked the database")]
    Locked,
    #[error("the database cannot be opened for writing")]
    NotOpened,
}

impl Refusal {
    /// Whether the files are damaged, moved or removed.
    pub(crate) fn is_of_files(self) -> bool {
        matches!(
            self,
            Self::FileGone | Self::LogGone | Self::FileOverwritten | Self::LogOverwritten
        )
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Panicked | Refusal::Nul => Self::Other(Box::new(refusal)),
            _ => Self::Unavailable(Box::new(refusal)),
        }
    }
}

/// Maps an error of a statement to the port's error.
pub fn from_diesel(error: DieselError) -> StoreError {
    let DieselError::DatabaseError(kind, information) = &error else {
        return StoreError::Other(Box::new(error));
    };
    let message = information.message();
    match kind {
        DatabaseErrorKind::UniqueViolation => match unique(message) {
            Some(constraint) => StoreError::Conflict(constraint),
            None => StoreError::Other(Box::new(error)),
        },
        DatabaseErrorKind::Unknown if is_passing(message) || is_not_migrated(message) => {
            StoreError::Unavailable(Box::new(error))
        }
        _ => StoreError::Other(Box::new(error)),
    }
}

/// Like [`from_diesel`], for statements that add or change rows of `table`. SQLite does not say
/// which reference is broken, so it is known only if the table has just one.
pub(crate) fn from_diesel_about(table: &'static str) -> impl Fn(DieselError) -> StoreError {
    move |error| match (&error, reference(table)) {
        (
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _),
            Some(constraint),
        ) => StoreError::Conflict(constraint),
        _ => from_diesel(error),
    }
}

/// The unique rule whose table and column, or whose index, the message names. An index over an
/// expression is named like one of PostgreSQL: after the table and the column.
fn unique(message: &str) -> Option<Constraint> {
    let columns = message.strip_prefix("UNIQUE constraint failed: ")?;
    if let Some(index) = columns.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        let is_named = |rule: &Constraint| matches!(rule, Constraint::Taken { table, column } if format!("{table}_{column}_key") == index);
        return rules().find(is_named);
    }
    // A rule is named after the first of its columns.
    let named = columns.split(", ").next()?.split_once('.')?;
    let is_named = |rule: &Constraint| matches!(rule, Constraint::Taken { table, column } if (*table, *column) == named);
    rules().chain([ID_TAKEN]).find(is_named)
}

/// A table's reference to another table, if it has exactly one.
fn reference(of: &str) -> Option<Constraint> {
    let mut references =
        rules().filter(|rule| matches!(rule, Constraint::Missing { table, .. } if *table == of));
    let only = references.next()?;
    if references.next().is_some() { None } else { Some(only) }
}

/// Maps an error of opening or configuring a connection.
pub(crate) fn unreachable(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// Whether trying again can help after an error with this message.
pub(crate) fn is_passing(message: &str) -> bool {
    // Diesel wraps the message of our SQL function in words of its own.
    PASSING.contains(&message) || message.contains("out of time")
}

/// Whether the message says that another connection holds a lock.
pub(crate) fn is_busy(message: &str) -> bool {
    message.contains(" is locked")
}

/// Whether the message says that the disk is full or failing.
pub(crate) fn is_of_disk(message: &str) -> bool {
    ["database or disk is full", "disk I/O error"].iter().any(|said| message.contains(said))
}

/// Whether the message says that the schema is older than the program.
fn is_not_migrated(message: &str) -> bool {
    NOT_MIGRATED.iter().any(|beginning| message.starts_with(beginning))
        || (message.starts_with("table ") && message.contains(" has no column named "))
}

#[cfg(test)]
mod tests {
    use exit3_ports::clients::{LEAD_MISSING, LEAD_TAKEN};
    use exit3_ports::events::{FORM_SENT, REQUEST_SENT};
    use exit3_ports::staff::USERNAME_TAKEN;
    use exit3_ports::subscribers::EMAIL_TAKEN;

    use super::*;

    fn mapped(kind: DatabaseErrorKind, message: &str) -> StoreError {
        from_diesel(DieselError::DatabaseError(kind, Box::new(message.to_owned())))
    }

    #[test]
    fn temporary_errors_are_unavailable() {
        for message in PASSING {
            let error = mapped(DatabaseErrorKind::Unknown, message);
            assert!(matches!(error, StoreError::Unavailable(_)), "{message}");
        }
    }

    #[test]
    fn a_schema_that_is_older_than_the_program_is_unavailable() {
        for message in [
            "no such table: tags",
            "no such column: website",
            "table leads has no column named website",
        ] {
            let error = mapped(DatabaseErrorKind::Unknown, message);
            assert!(matches!(error, StoreError::Unavailable(_)), "{message}");
        }
    }

    #[test]
    fn only_errors_that_callers_can_fix_are_conflicts() {
        for (column, constraint) in [
            ("subscribers.email", EMAIL_TAKEN),
            ("clients.lead_id", LEAD_TAKEN),
            ("staff.username", USERNAME_TAKEN),
            ("leads.id", ID_TAKEN),
            ("events.batch, events.verb", FORM_SENT),
            ("index 'events_request_key'", REQUEST_SENT),
        ] {
            let message = format!("UNIQUE constraint failed: {column}");
            let error = mapped(DatabaseErrorKind::UniqueViolation, &message);
            assert!(matches!(error, StoreError::Conflict(found) if found == constraint));
        }
        let error =
            mapped(DatabaseErrorKind::UniqueViolation, "UNIQUE constraint failed: clients.id");
        assert!(matches!(error, StoreError::Other(_)));
    }

    #[test]
    fn a_broken_reference_is_identified_by_its_table() {
        let broken = || {
            let message = Box::new("FOREIGN KEY constraint failed".to_owned());
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, message)
        };
        let of_clients = from_diesel_about("clients")(broken());
        assert!(matches!(of_clients, StoreError::Conflict(LEAD_MISSING)));
        for other in [from_diesel_about("staff")(broken()), from_diesel(broken())] {
            assert!(matches!(other, StoreError::Other(_)), "{other:?}");
        }
    }

    #[test]
    fn other_errors_are_bugs() {
        let error = mapped(DatabaseErrorKind::Unknown, "near \"SELEC\": syntax error");
        assert!(matches!(error, StoreError::Other(_)));
        assert!(matches!(from_diesel(DieselError::NotFound), StoreError::Other(_)));
    }
}
