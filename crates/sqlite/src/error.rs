//! The only place that knows how SQLite words its errors.

use std::error::Error;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use exit3_ports::{Constraint, Guard, RULES, Rule, StoreError};

/// Messages of result codes that pass by themselves, or that an operator can
/// mend: BUSY, LOCKED, FULL, IOERR, CANTOPEN, READONLY, PROTOCOL, NOMEM,
/// INTERRUPT. Diesel hands on the message, not the code.
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
    // An operator restores a backup, or makes the index anew.
    "database disk image is malformed",
    "file is not a database",
    FROZEN,
];

/// What a writer is told while writes are frozen (`freeze.rs`).
pub(crate) const FROZEN: &str = "the database is read-only";

/// How messages begin about a schema that is not migrated yet.
const NOT_MIGRATED: &[&str] = &["no such table: ", "no such column: "];

/// Why the adapter itself gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("out of time")]
    OutOfTime,
    #[error("too many wait for the database")]
    Crowded,
    #[error("the database is closed")]
    Closed,
    #[error("the commit failed")]
    NotCommitted,
    #[error("a defect: the work on the database panicked")]
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
    #[error("another program has overwritten or truncated the -wal file beside the database")]
    LogOverwritten,
    #[error("the disk of the database is full")]
    DiskFull,
    #[error("another program has locked the database")]
    Locked,
    #[error("the database cannot be opened for writing")]
    NotOpened,
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Panicked | Refusal::Nul => Self::Other(Box::new(refusal)),
            _ => Self::Unavailable(Box::new(refusal)),
        }
    }
}

/// What went wrong inside of a statement, as callers of a port see it.
pub(crate) fn from_diesel(error: DieselError) -> StoreError {
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

/// As [`from_diesel`], after a statement that adds or changes rows of `table`. SQLite does not
/// say which reference is broken, so it can be told for a table that has one reference only.
pub(crate) fn from_diesel_about(table: &'static str) -> impl Fn(DieselError) -> StoreError {
    move |error| match (&error, reference(table)) {
        (
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _),
            Some(constraint),
        ) => StoreError::Conflict(constraint),
        _ => from_diesel(error),
    }
}

/// The rule that a message names by table and column.
fn unique(message: &str) -> Option<Constraint> {
    let column = message.strip_prefix("UNIQUE constraint failed: ")?;
    let named = |rule: &&Rule| column.split_once('.') == Some((rule.table, rule.column));
    RULES.iter().filter(|rule| rule.guard == Guard::Unique).find(named)?.told
}

/// The only reference that a table has to others.
fn reference(table: &str) -> Option<Constraint> {
    let mut references =
        RULES.iter().filter(|rule| rule.table == table && rule.guard == Guard::Reference);
    let only = references.next()?;
    if references.next().is_some() { None } else { only.told }
}

/// A connection could not be opened, or be set up.
pub(crate) fn unreachable(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// Whether trying again makes sense after an error of that message.
pub(crate) fn is_passing(message: &str) -> bool {
    // The message of the adapter's own SQL function comes through with words
    // of diesel around it.
    PASSING.contains(&message) || message.contains("out of time")
}

/// Whether a message says that others hold the file.
pub(crate) fn is_busy(message: &str) -> bool {
    message.contains(" is locked")
}

/// Whether a message says that there is no room, or that the disk does not work.
pub(crate) fn is_of_disk(message: &str) -> bool {
    ["database or disk is full", "disk I/O error"].iter().any(|said| message.contains(said))
}

/// Whether a message says that the schema is older than the program.
fn is_not_migrated(message: &str) -> bool {
    NOT_MIGRATED.iter().any(|beginning| message.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(kind: DatabaseErrorKind, message: &str) -> StoreError {
        from_diesel(DieselError::DatabaseError(kind, Box::new(message.to_owned())))
    }

    #[test]
    fn what_passes_is_unavailable() {
        for message in PASSING {
            let error = mapped(DatabaseErrorKind::Unknown, message);
            assert!(matches!(error, StoreError::Unavailable(_)), "{message}");
        }
    }

    #[test]
    fn only_what_callers_can_mend_conflicts() {
        for (column, constraint) in [
            ("subscribers.email", Constraint::SubscriberEmail),
            ("clients.lead_id", Constraint::ClientLead),
            ("staff.username", Constraint::StaffUsername),
        ] {
            let message = format!("UNIQUE constraint failed: {column}");
            let error = mapped(DatabaseErrorKind::UniqueViolation, &message);
            assert!(matches!(error, StoreError::Conflict(found) if found == constraint));
        }
        let error =
            mapped(DatabaseErrorKind::UniqueViolation, "UNIQUE constraint failed: leads.id");
        assert!(matches!(error, StoreError::Other(_)));
    }

    #[test]
    fn a_broken_reference_is_told_by_the_table_that_has_it() {
        let broken = || {
            let message = Box::new("FOREIGN KEY constraint failed".to_owned());
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, message)
        };
        let of_clients = from_diesel_about("clients")(broken());
        assert!(matches!(of_clients, StoreError::Conflict(Constraint::UnknownLead)));
        for other in [from_diesel_about("staff")(broken()), from_diesel(broken())] {
            assert!(matches!(other, StoreError::Other(_)), "{other:?}");
        }
    }

    #[test]
    fn anything_else_is_a_defect() {
        let error = mapped(DatabaseErrorKind::Unknown, "near \"SELEC\": syntax error");
        assert!(matches!(error, StoreError::Other(_)));
        assert!(matches!(from_diesel(DieselError::NotFound), StoreError::Other(_)));
    }
}
