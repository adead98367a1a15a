//! The migrations, which are part of the program.

mod lock;

use std::error::Error;

use exit3_ports::{Migration, Moved, NoWay, Rows, SchemaState, Target, Way};
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

use crate::settings::PgSettings;

pub(crate) const MIGRATIONS: &[Migration] = exit3_ports::migrations!("postgres");

/// Names the lock that a migrating program holds; the digits mean nothing.
const LOCK: i64 = 0x6578_6974_3300_0001;

/// The oldest server that will do, as `server_version_num`: trusted extensions.
const OLDEST: i32 = 130_000;

/// What was applied; by the name that diesel's own tool has for it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
    version varchar(50) PRIMARY KEY NOT NULL,
    run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
)";

/// Why migrations were not applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database is away.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The database cannot hold every text.
    #[error("the database's encoding is {0}, but must be UTF8")]
    Encoding(String),
    /// The server is too old.
    #[error("the server is PostgreSQL {0}, but 13 or newer is needed")]
    Version(String),
    /// There is no way to the schema that was asked for.
    #[error(transparent)]
    NoWay(#[from] NoWay),
    /// Others held a table for too long.
    #[error("the migration {0} could not be applied: others did not let go of its tables")]
    Locked(&'static str),
    /// A migration could not be applied; those before it were.
    #[error("the migration {0} could not be applied")]
    Failed(&'static str, #[source] Box<dyn Error + Send + Sync>),
}

/// Goes to the schema `target`.
pub(crate) async fn run(
    settings: &PgSettings,
    runtime: &Handle,
    target: Target,
    rows: Rows,
) -> Result<Moved, MigrationError> {
    let work = runtime.spawn(migrate(settings.clone(), target, rows));
    work.await.map_err(unavailable)?
}

/// The names of those migrations that are yet to be applied and change rows.
pub(crate) async fn pending_data_changes(
    settings: &PgSettings,
    runtime: &Handle,
) -> Result<Vec<&'static str>, MigrationError> {
    let settings = settings.clone();
    let work = runtime.spawn(async move {
        let client = connect(&settings).await?;
        Ok(Way::data_changes(MIGRATIONS, &applied(&client).await?)?)
    });
    work.await.map_err(unavailable)?
}

/// How far the schema is.
pub(crate) async fn state(
    settings: &PgSettings,
    runtime: &Handle,
) -> Result<SchemaState, MigrationError> {
    let settings = settings.clone();
    let work = runtime.spawn(async move {
        let client = connect(&settings).await?;
        Ok(SchemaState::of(MIGRATIONS, &applied(&client).await?))
    });
    work.await.map_err(unavailable)?
}

async fn migrate(
    settings: PgSettings,
    target: Target,
    rows: Rows,
) -> Result<Moved, MigrationError> {
    let mut client = connect(&settings).await?;
    check_server(&client).await?;
    // The connection that does the work also holds the lock, so that the lock is
    // gone when the work is, even after a crash.
    client
        .batch_execute("SET statement_timeout = 0; SET lock_timeout = '10min'")
        .await
        .map_err(unavailable)?;
    client.query("SELECT pg_advisory_lock($1)", &[&LOCK]).await.map_err(unavailable)?;
    let way = Way::find(MIGRATIONS, &applied(&client).await?, target)?;
    if way.is_empty() {
        return Ok(Moved::default());
    }
    client.batch_execute(TABLE).await.map_err(unavailable)?;
    client.batch_execute(lock::SETTING).await.map_err(unavailable)?;
    // Up step by step, so that no lock is held longer than its step takes. Down at
    // once, so that rows are lost of all tables or of none.
    for step in &way.up {
        patiently(&mut client, &[step], None).await?;
    }
    if !way.down.is_empty() {
        patiently(&mut client, &way.down, Some(rows)).await?;
    }
    Ok(way.moved())
}

/// Takes these steps in one transaction, again and again until it gets its locks; or
/// takes them back, where it is said what may happen to rows.
async fn patiently(
    client: &mut Client,
    steps: &[&'static Migration],
    back: Option<Rows>,
) -> Result<(), MigrationError> {
    let mut patience = lock::Patience::new();
    loop {
        match attempt(client, steps, back).await {
            Err(Obstacle::Failed(name, error)) if lock::is_busy(&error) => {
                if !patience.waits(name).await {
                    return Err(MigrationError::Locked(name));
                }
            }
            Err(Obstacle::Failed(name, error)) => {
                return Err(MigrationError::Failed(name, error.into()));
            }
            Err(Obstacle::NoWay(error)) => return Err(error.into()),
            Ok(()) => return Ok(()),
        }
    }
}

/// Why a transaction was rolled back.
enum Obstacle {
    Failed(&'static str, tokio_postgres::Error),
    NoWay(NoWay),
}

/// One such transaction. Where it is not committed it is rolled back.
async fn attempt(
    client: &mut Client,
    steps: &[&'static Migration],
    back: Option<Rows>,
) -> Result<(), Obstacle> {
    let Some(last) = steps.last() else { return Ok(()) };
    let failed = |error| Obstacle::Failed(last.name, error);
    let transaction = client.transaction().await.map_err(failed)?;
    for step in steps {
        if back == Some(Rows::Keep) {
            refuse_rows(&transaction, step).await?;
        }
        let (statements, note) = match back {
            None => (step.up, "INSERT INTO __diesel_schema_migrations (version) VALUES ($1)"),
            Some(_) => (step.down, "DELETE FROM __diesel_schema_migrations WHERE version = $1"),
        };
        let failed = |error| Obstacle::Failed(step.name, error);
        transaction.batch_execute(statements).await.map_err(failed)?;
        transaction.execute(note, &[&step.version()]).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// There is no way back where rows would be lost; nobody writes any meanwhile.
async fn refuse_rows(transaction: &Transaction<'_>, step: &Migration) -> Result<(), Obstacle> {
    for table in step.back_drops {
        let failed = |error| Obstacle::Failed(step.name, error);
        let lock = format!("LOCK TABLE {table}");
        transaction.batch_execute(&lock).await.map_err(failed)?;
        let any = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        let row = transaction.query_one(&any, &[]).await.map_err(failed)?;
        if row.try_get(0).map_err(failed)? {
            return Err(Obstacle::NoWay(NoWay::RowsLost(table)));
        }
    }
    Ok(())
}

async fn connect(settings: &PgSettings) -> Result<Client, MigrationError> {
    let connect =
        tokio::time::timeout(settings.timeout, settings.config.connect(settings.tls.clone()));
    let (client, connection) = connect.await.map_err(unavailable)?.map_err(unavailable)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection of the migrations broke");
        }
    });
    Ok(client)
}

/// The versions that were applied.
async fn applied(client: &Client) -> Result<Vec<String>, MigrationError> {
    let rows = client.query("SELECT version FROM __diesel_schema_migrations", &[]).await;
    match rows {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(Vec::new()),
        Err(error) => Err(unavailable(error)),
        Ok(rows) => rows.iter().map(|row| row.try_get(0).map_err(unavailable)).collect(),
    }
}

async fn check_server(client: &Client) -> Result<(), MigrationError> {
    let sql = "SELECT current_setting('server_version_num')::integer,
                      current_setting('server_version'),
                      current_setting('server_encoding')";
    let row = client.query_one(sql, &[]).await.map_err(unavailable)?;
    if row.try_get::<_, i32>(0).map_err(unavailable)? < OLDEST {
        return Err(MigrationError::Version(row.try_get(1).map_err(unavailable)?));
    }
    let encoding: String = row.try_get(2).map_err(unavailable)?;
    if encoding == "UTF8" { Ok(()) } else { Err(MigrationError::Encoding(encoding)) }
}

fn unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> MigrationError {
    MigrationError::Unavailable(error.into())
}
