//! Maps failures to the port's errors. This is the only file that knows SQLSTATEs.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use exit3_ports::{RowRefused, StoreError, with_causes};
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::opening::ConnectError;
use crate::rules;

/// A failed operation.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: StoreError,
    pub(crate) again: Again,
    /// Whether the connection can serve others.
    pub(crate) connection_is_sound: bool,
    /// Whether the server says that the error will not pass by itself.
    pub(crate) lasts: bool,
    /// Whether the server has undone the statement and serves on. It might accept some of its rows.
    pub(crate) is_undone: bool,
}

/// Whether an immediate retry may help without doing harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    /// Reads only, because the operation may have happened.
    Reads,
    /// Anything, because the operation has not happened.
    Anything,
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { error, again: Again::No, connection_is_sound: false, lasts: false, is_undone: false }
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
        // No answer and no connection: the server or the network is down.
        let gone = error.is_closed() || source_is_io(&error);
        let again = if gone { Again::Reads } else { Again::No };
        let error = Box::new(error);
        let error = if gone { StoreError::Unavailable(error) } else { StoreError::Other(error) };
        Self { error, again, connection_is_sound: false, lasts: false, is_undone: false }
    }
}

/// What a SQLSTATE says about the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It cannot do this now, but perhaps soon.
    Busy,
    /// It cannot do this until an operator fixes something.
    Hindered,
    /// The database works; the statement was wrong.
    Fine,
}

impl State {
    fn of(code: &SqlState) -> Self {
        let code = code.code();
        match code.get(..2).unwrap_or_default() {
            // Connections, time limits, other transactions, the operator: these pass. So do held
            // locks, lost prepared statements and snapshots that are too old.
            "08" | "26" | "40" | "57" | "72" => Self::Busy,
            // A pooler has mixed up prepared statements.
            "42" if code == SqlState::DUPLICATE_PSTATEMENT.code() => Self::Busy,
            "55" if code == "55P03" => Self::Busy,
            // An object is not in the necessary state.
            "55" => Self::Hindered,
            // Our statements are tested. If a well-formed one does not fit, the schema is different
            // or a right is missing.
            "42" if code != SqlState::SYNTAX_ERROR.code() => Self::Hindered,
            // A column that we do not know must have a value.
            "23" if code == SqlState::NOT_NULL_VIOLATION.code() => Self::Fine,
            // A rule, check or trigger that is not ours forbids the row, or ids have run out. Unique
            // indexes may let the next row in.
            "23" if code == SqlState::UNIQUE_VIOLATION.code() => Self::Busy,
            "22" if code == SqlState::SEQUENCE_GENERATOR_LIMIT_EXCEEDED.code() => Self::Hindered,
            "09" | "23" | "27" | "2F" | "38" | "39" | "P0" => Self::Hindered,
            // Read-only; no login; missing role, database or schema; resources; the operating
            // system; settings; foreign servers; damaged data.
            "25" | "28" | "0L" | "0P" | "3D" | "3F" | "53" | "58" | "F0" | "HV" | "XX" => {
                Self::Hindered
            }
            _ => Self::Fine,
        }
    }
}

/// Maps an error that the server has answered.
fn from_answer(answer: &DbError) -> Failure {
    let code = answer.code();
    if let Some(constraint) = answer.constraint().and_then(rules::told) {
        let error = StoreError::Conflict(constraint);
        return Failure {
            error,
            again: Again::No,
            connection_is_sound: true,
            lasts: false,
            is_undone: true,
        };
    }
    let source = Box::new(Refusal::from(answer));
    let class = code.code().get(..2).unwrap_or_default();
    let own_check = *code == SqlState::CHECK_VIOLATION
        && answer.table().zip(answer.constraint()).is_some_and(rules::is_own_check);
    let state = if own_check { State::Fine } else { State::of(code) };
    let again = match *code {
        // Undone by the server. The last three: a prepared statement is older than a change of the
        // tables, or unknown, or belongs to another program.
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::FEATURE_NOT_SUPPORTED
        | SqlState::INVALID_SQL_STATEMENT_NAME
        | SqlState::DUPLICATE_PSTATEMENT => Again::Anything,
        _ if class == "57" && *code != SqlState::QUERY_CANCELED => Again::Reads,
        _ => Again::No,
    };
    let lasts = state == State::Hindered;
    // A server that is stopped, or a pooler that has lost it, may have committed. A lock that was
    // not free in time would keep each row waiting as long again.
    let is_undone = answer.parsed_severity() == Some(Severity::Error)
        && !matches!(class, "08" | "57")
        && *code != SqlState::LOCK_NOT_AVAILABLE;
    let refuses_row = is_undone && matches!(class, "09" | "23" | "27" | "2F" | "38" | "39" | "P0");
    let error = match state {
        State::Fine => StoreError::Other(source),
        State::Busy | State::Hindered if refuses_row => {
            StoreError::Unavailable(Box::new(RowRefused(source)))
        }
        State::Busy | State::Hindered => StoreError::Unavailable(source),
    };
    Failure { error, again, connection_is_sound: class == "23", lasts, is_undone }
}

impl From<Arc<ConnectError>> for Failure {
    /// Any failure to connect means that the database is unavailable.
    fn from(error: Arc<ConnectError>) -> Self {
        no_connection(Some(error))
    }
}

/// The caller got no connection; `why` is the reason, if it is known.
pub(crate) fn no_connection(why: Option<Arc<ConnectError>>) -> Failure {
    let why = why.map_or_else(
        || "no connection was free in time".to_owned(),
        |error| match &*error {
            // The server's answer is kept without its details.
            ConnectError::Postgres(error) if error.as_db_error().is_some() => error
                .as_db_error()
                .map(|answer| Refusal::from(answer).to_string())
                .unwrap_or_default(),
            error => with_causes(error),
        },
    );
    StoreError::Unavailable(why.into()).into()
}

/// An operation exceeded its time limit.
pub(crate) fn timed_out(after: Duration) -> StoreError {
    StoreError::Unavailable(Box::new(TimedOut(after)))
}

/// Whether the error says that a table does not exist.
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

/// The server's answer. Its details are left out, because they quote rows.
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
