//! What a new connection needs before it serves: settings of its session, and certainty
//! about whose session that is.
//!
//! A pooler may run each transaction of a connection in another session of the server,
//! and the sessions serve other programs too. Settings of the session then reach others,
//! and a prepared statement of another program may have the name of one of ours. So a
//! connection names statements only where the session is its own, or where the pooler
//! gives them names of its own.

mod process;

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use crate::connection::Names;
use crate::settings::PgSettings;

/// Why a database is not used although it can be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Statements that were prepared are lost, or are those of other programs.
    #[error(
        "the connection pooler in front of the database gives each transaction another session \
         and does not keep prepared statements: use PgBouncer 1.21 or newer with \
         max_prepared_statements above 0, or pool_mode=session, or connect to PostgreSQL itself"
    )]
    ForgetsStatements,
    /// Rows of many could not be stored as a whole.
    #[error(
        "the connection pooler in front of the database allows no transactions: use \
         pool_mode=transaction or pool_mode=session, or connect to PostgreSQL itself"
    )]
    NoTransactions,
    /// An answered write might be lost.
    #[error(
        "synchronous_commit is off, so the database could lose what was answered, and behind a \
         connection pooler the service cannot set it for itself: run ALTER ROLE \"{0}\" SET \
         synchronous_commit = on, then RECONNECT on the pooler"
    )]
    LosesCommits(String),
    /// Transactions would see something else than the adapter is built on.
    #[error(
        "default_transaction_isolation is {1}, and behind a connection pooler the service cannot \
         set it for itself: run ALTER ROLE \"{0}\" SET default_transaction_isolation = 'read \
         committed', then RECONNECT on the pooler"
    )]
    OtherIsolation(String, String),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot connect to the database")]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("the server did not answer within {0:?}")]
    Slow(Duration),
    #[error("the runtime of the connections has ended")]
    Runtime,
}

/// Asks whose session it is, and in the same round trip sets it up if it is ours.
///
/// A commit is to be on disk before it is answered. What the operator has chosen beyond
/// that stays. It is set although it may be what it was: a reload of the server's settings
/// then changes nothing.
const SET_UP: &str = "\
WITH session AS MATERIALIZED (
    SELECT pg_backend_pid() = $1 AS own,
           current_setting('synchronous_commit') AS durability,
           current_setting('default_transaction_isolation') AS isolation,
           current_user::text AS role
)
SELECT own, durability, isolation, role, CASE WHEN own THEN concat(
    set_config('statement_timeout', $2, false),
    set_config('lock_timeout', $3, false),
    set_config('idle_in_transaction_session_timeout', $4, false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('TimeZone', 'UTC', false),
    set_config('jit', 'off', false),
    set_config('synchronous_commit',
               CASE durability WHEN 'off' THEN 'on' ELSE durability END, false)
) END
FROM session";

/// How often it is looked whether two connections share a session.
const LOOKS: usize = 4;

/// Sets the session of a connection up, where it has one.
///
/// A statement whose caller has gone must not run for ever, nor queue that long for a lock.
/// The adapter relies on its isolation level, so the role's default must not change it.
/// Compiling a plan costs more than it could save here.
pub(crate) async fn set_up(client: &Client, settings: &PgSettings) -> Result<Names, ConnectError> {
    let promised = process::promised(client).await;
    let session = Session::ask(client, settings, promised).await?;
    if session.own {
        return Ok(Names::Safe);
    }
    if renames(client).await? {
        session.check()?;
        return Ok(Names::Safe);
    }
    // Once is enough: where it changes later, statements have no names.
    let alone = settings.alone.get_or_try_init(async || {
        if shares_sessions(client, settings).await {
            return Err(ConnectError::Unfit(Unfit::ForgetsStatements));
        }
        Ok(())
    });
    alone.await?;
    // The session is ours until we leave; the pooler only gives another number for it.
    Session::ask(client, settings, Some(process_now(client).await?)).await?;
    Ok(Names::Unsafe)
}

/// What a session says of itself.
struct Session {
    own: bool,
    durability: String,
    isolation: String,
    role: String,
}

impl Session {
    async fn ask(
        client: &Client,
        settings: &PgSettings,
        promised: Option<i32>,
    ) -> Result<Self, Error> {
        let limit = settings.timeout.as_millis();
        let times = [limit, limit * 3 / 4, settings.bulk_timeout.as_millis()];
        let [statement, lock, idle] = times.map(|time| time.to_string());
        let binds: [(&(dyn ToSql + Sync), Type); 4] = [
            (&promised, Type::INT4),
            (&statement, Type::TEXT),
            (&lock, Type::TEXT),
            (&idle, Type::TEXT),
        ];
        let row = client.query_typed_one(SET_UP, &binds).await?;
        Ok(Self {
            own: row.try_get::<_, Option<bool>>(0)?.unwrap_or_default(),
            durability: row.try_get(1)?,
            isolation: row.try_get(2)?,
            role: row.try_get(3)?,
        })
    }

    /// Sees that a session does by itself what cannot be set.
    fn check(self) -> Result<(), Unfit> {
        if self.durability == "off" {
            return Err(Unfit::LosesCommits(self.role));
        }
        if self.isolation != "read committed" {
            return Err(Unfit::OtherIsolation(self.role, self.isolation));
        }
        Ok(())
    }
}

/// The process that serves the connection at the moment.
async fn process_now(client: &Client) -> Result<i32, Error> {
    client.query_typed_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)
}

/// Whether a pooler gives prepared statements names of its own. A statement is prepared
/// that asks how the server calls it; in a transaction, so that one session does both.
async fn renames(client: &Client) -> Result<bool, ConnectError> {
    client.batch_execute("BEGIN").await.map_err(|error| match error.code() {
        Some(&SqlState::PROTOCOL_VIOLATION) => ConnectError::Unfit(Unfit::NoTransactions),
        _ => error.into(),
    })?;
    let name = name_at_the_server(client).await;
    let ended = client.batch_execute("ROLLBACK").await;
    match name {
        // The driver's names are an s and a number.
        Ok(name) => {
            let ours = name.strip_prefix('s').is_some_and(|rest| rest.parse::<u64>().is_ok());
            ended?;
            Ok(!ours)
        }
        // The name is that of another program's statement, or of none.
        Err(error) if is_about_names(&error) => {
            ended?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

async fn name_at_the_server(client: &Client) -> Result<String, Error> {
    // Unlike any that was prepared before, there or through another connection.
    let mark = client.query_typed_one("SELECT gen_random_uuid()::text", &[]).await?;
    let mark: String = mark.try_get(0)?;
    let ask = format!(
        "SELECT name FROM pg_prepared_statements WHERE strpos(statement, 'exit3 {mark}') > 0"
    );
    let statement = client.prepare_typed(&ask, &[]).await?;
    client.query_one(&statement, &[]).await?.try_get(0)
}

fn is_about_names(error: &Error) -> bool {
    let names = [&SqlState::DUPLICATE_PSTATEMENT, &SqlState::INVALID_SQL_STATEMENT_NAME];
    error.code().is_some_and(|code| names.contains(&code))
}

/// Whether another connection is found in the session of this one, or this one in another
/// session than before. Where there is no other connection to be had in time, the sessions
/// are taken by connections.
async fn shares_sessions(client: &Client, settings: &PgSettings) -> bool {
    let look = async {
        let connecting = settings.config.connect(settings.tls.clone());
        let (other, connection) = connecting.await?;
        tokio::spawn(connection);
        let first = process_now(client).await?;
        for _ in 0..LOOKS {
            if process_now(&other).await? == first || process_now(client).await? != first {
                return Ok(true);
            }
        }
        Ok::<_, Error>(false)
    };
    let limit: Duration = settings.timeout / 3;
    timeout(limit, look).await.is_ok_and(|shared| shared.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use exit3_testkit::postgres::{self, Statements, TestPgBouncer};

    use super::*;

    async fn names(url: &str) -> Names {
        let settings = PgSettings::parse(url).unwrap();
        let connected = settings.config.connect(settings.tls.clone()).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        set_up(&client, &settings).await.unwrap()
    }

    #[tokio::test]
    async fn statements_have_names_where_no_other_program_could_have_given_them() {
        let database = postgres::shared().create_database().await;
        let admin = postgres::client(database.url()).await;
        let name: String =
            admin.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
        let durable = format!("ALTER DATABASE {name} SET synchronous_commit = on");
        admin.batch_execute(&durable).await.unwrap();
        assert_eq!(names(database.url()).await, Names::Safe);
        for (mode, statements, expected) in [
            ("transaction", Statements::Kept, Names::Safe),
            ("session", Statements::PassedOn, Names::Unsafe),
        ] {
            let pooler = TestPgBouncer::start(database.url(), mode, statements, 5).await;
            assert_eq!(names(&pooler.url_of(database.url())).await, expected, "{mode}");
        }
    }
}
