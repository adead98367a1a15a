//! What a failure means: the one place that knows SQLSTATEs.

use std::error::Error as StdError;
use std::time::Duration;

use deadpool::managed::PoolError;
use exit3_ports::StoreError;
use tokio_postgres::error::{DbError, SqlState};

use crate::pool::ConnectError;
use crate::rules;

/// A failed operation.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: StoreError,
    pub(crate) again: Again,
    /// Whether the connection can go on to serve others.
    pub(crate) connection_is_sound: bool,
}

/// Whether trying at once again may help, and do no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    /// It may have happened.
    Reads,
    /// It has not happened.
    Anything,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { error, again: Again::No, connection_is_sound: false }
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::QueryBuilderError(error) => {
                match error.downcast::<tokio_postgres::Error>() {
                    Ok(error) => Self::from(*error),
                    Err(error) => StoreError::Other(error).into(),
                }
            }
            error => StoreError::Other(error.into()).into(),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            return from_answer(answer);
        }
        // Neither answer nor connection: the server is gone, or the way to it.
        let gone = error.is_closed() || source_is_io(&error);
        let again = if gone { Again::Reads } else { Again::No };
        let error = Box::new(error);
        let error = if gone { StoreError::Unavailable(error) } else { StoreError::Other(error) };
        Self { error, again, connection_is_sound: false }
    }
}

/// What the server's answer means.
fn from_answer(answer: &DbError) -> Failure {
    let code = answer.code();
    if let Some(constraint) = answer.constraint().and_then(rules::told) {
        let error = StoreError::Conflict(constraint);
        return Failure { error, again: Again::No, connection_is_sound: true };
    }
    let source = Box::new(Refusal::from(answer));
    let class = code.code().get(..2).unwrap_or_default();
    // Connection, resources, the operator, the system below.
    let unavailable = matches!(class, "08" | "53" | "57" | "58")
        || matches!(
            *code,
            SqlState::QUERY_CANCELED
                | SqlState::LOCK_NOT_AVAILABLE
                | SqlState::READ_ONLY_SQL_TRANSACTION
                | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                | SqlState::T_R_SERIALIZATION_FAILURE
                | SqlState::T_R_DEADLOCK_DETECTED
                | SqlState::INVALID_PASSWORD
                | SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                | SqlState::INVALID_CATALOG_NAME
                // A pooler that has lost them.
                | SqlState::INVALID_SQL_STATEMENT_NAME
                | SqlState::DUPLICATE_PSTATEMENT
                // A schema that is not migrated yet.
                | SqlState::UNDEFINED_TABLE
                | SqlState::UNDEFINED_COLUMN
        );
    let again = match *code {
        // Undone by the server. The latter three: a statement that was prepared
        // before the tables changed, or is not known any more, or by another's name.
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::FEATURE_NOT_SUPPORTED
        | SqlState::INVALID_SQL_STATEMENT_NAME
        | SqlState::DUPLICATE_PSTATEMENT => Again::Anything,
        _ if class == "57" && *code != SqlState::QUERY_CANCELED => Again::Reads,
        _ => Again::No,
    };
    let error =
        if unavailable { StoreError::Unavailable(source) } else { StoreError::Other(source) };
    Failure { error, again, connection_is_sound: class == "23" }
}

impl From<PoolError<ConnectError>> for Failure {
    fn from(error: PoolError<ConnectError>) -> Self {
        let error = match error {
            PoolError::Timeout(_) => StoreError::Unavailable(Box::new(NoConnection)),
            // Whatever the reason, there is no database to be had. The answer of
            // the server is kept without its details.
            PoolError::Backend(ConnectError::Postgres(error)) => {
                StoreError::Unavailable(match error.as_db_error() {
                    Some(answer) => Box::new(Refusal::from(answer)),
                    None => Box::new(error),
                })
            }
            PoolError::Backend(error) => StoreError::Unavailable(Box::new(error)),
            error => StoreError::Other(Box::new(error)),
        };
        error.into()
    }
}

/// An operation that took too long.
pub(crate) fn timed_out(after: Duration) -> StoreError {
    StoreError::Unavailable(Box::new(TimedOut(after)))
}

/// Whether the table of a query does not exist.
pub(crate) fn is_undefined_table(error: &diesel::result::Error) -> bool {
    let diesel::result::Error::QueryBuilderError(error) = error else {
        return false;
    };
    let error = error.downcast_ref::<tokio_postgres::Error>();
    error.and_then(tokio_postgres::Error::code) == Some(&SqlState::UNDEFINED_TABLE)
}

fn source_is_io(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// What the server said. Its details are left out: they quote rows.
#[derive(Debug, thiserror::Error)]
#[error("SQLSTATE {code}: {message}")]
struct Refusal {
    code: String,
    message: String,
}

impl From<&DbError> for Refusal {
    fn from(answer: &DbError) -> Self {
        Self { code: answer.code().code().to_owned(), message: answer.message().to_owned() }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
struct TimedOut(Duration);

#[derive(Debug, thiserror::Error)]
#[error("no connection was free in time")]
struct NoConnection;
