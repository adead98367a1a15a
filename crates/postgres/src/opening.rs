//! Prepares a new connection: finds out whether it has a server session of its own, and configures
//! that session.
//!
//! A pooler may run each transaction of a connection in a different session of the server, and
//! other programs use these sessions too. Session settings then reach other programs, and a
//! prepared statement of another program may have the name of one of ours. So a connection names
//! its statements only if the session is its own, or if the pooler renames them.

mod process;

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use crate::connection::Names;
use crate::settings::PgSettings;

/// Why a reachable database must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Prepared statements get lost, or belong to other programs.
    #[error(
        "the connection pooler in front of the database gives each transaction another session \
         and does not keep prepared statements: use PgBouncer 1.21 or newer with \
         max_prepared_statements above 0, or pool_mode=session, or connect to PostgreSQL itself"
    )]
    ForgetsStatements,
    /// Writes of several statements could not be atomic.
    #[error(
        "the connection pooler in front of the database allows no transactions: use \
         pool_mode=transaction or pool_mode=session, or connect to PostgreSQL itself"
    )]
    NoTransactions,
    /// An acknowledged write might be lost.
    #[error(
        "synchronous_commit is off, so the database could lose what was answered, and behind a \
         connection pooler the service cannot set it for itself: run ALTER ROLE \"{0}\" SET \
         synchronous_commit = on, then RECONNECT on the pooler"
    )]
    LosesCommits(String),
    /// Transactions would run at another isolation level than this adapter relies on.
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

/// Asks whether the session is our own and, if so, configures it in the same round trip.
///
/// A commit must be on disk before it is acknowledged. Stronger settings of the operator stay. The
/// value is set even if it is unchanged, so that a reload of the server's configuration does not
/// change it.
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

/// How often to check whether two connections share a session.
const LOOKS: usize = 4;

/// Configures the session of a connection, if it has its own.
///
/// A statement whose caller is gone must not run forever, nor wait that long for a lock. The
/// adapter relies on its isolation level, so the role's default must not apply. Compiling plans
/// (JIT) costs more than it could save here.
pub(crate) async fn set_up(client: &Client, settings: &PgSettings) -> Result<Names, ConnectError> {
    let promised = process::promised(client).await;
    let session = ServerSession::ask(client, settings, promised).await?;
    if session.own {
        return Ok(Names::Safe);
    }
    if renames(client).await? {
        session.check()?;
        return Ok(Names::Safe);
    }
    // Checked once: if the pooler changes later, statements have no names anyway.
    let alone = settings.alone.get_or_try_init(async || {
        if shares_sessions(client, settings).await {
            return Err(ConnectError::Unfit(Unfit::ForgetsStatements));
        }
        Ok(())
    });
    alone.await?;
    // The session stays ours until we leave; the pooler only reported another process number.
    ServerSession::ask(client, settings, Some(process_now(client).await?)).await?;
    Ok(Names::Unsafe)
}

/// What a session reports about itself.
struct ServerSession {
    own: bool,
    durability: String,
    isolation: String,
    role: String,
}

impl ServerSession {
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

    /// Checks the settings that cannot be set behind a pooler.
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

/// The server process that serves the connection at the moment.
async fn process_now(client: &Client) -> Result<i32, Error> {
    client.query_typed_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)
}

/// Whether the pooler renames prepared statements. Prepares a statement that asks for its own name
/// at the server, in a transaction, so that one session does both.
async fn renames(client: &Client) -> Result<bool, ConnectError> {
    client.batch_execute("BEGIN").await.map_err(|error| match error.code() {
        Some(&SqlState::PROTOCOL_VIOLATION) => ConnectError::Unfit(Unfit::NoTransactions),
        _ => error.into(),
    })?;
    let name = name_at_the_server(client).await;
    let ended = client.batch_execute("ROLLBACK").await;
    match name {
        // The driver's names are "s" and a number.
        Ok(name) => {
            let ours = name.strip_prefix('s').is_some_and(|rest| rest.parse::<u64>().is_ok());
            ended?;
            Ok(!ours)
        }
        // The name belongs to another program's statement, or to none.
        Err(error) if is_about_names(&error) => {
            ended?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

async fn name_at_the_server(client: &Client) -> Result<String, Error> {
    // Unique, so that it matches no statement prepared earlier.
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

/// Whether two connections share a session, or this one has changed its session. If no second
/// connection can be opened in time, sessions are assumed not to be shared.
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
    async fn statements_have_names_unless_another_program_could_use_the_same() {
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
