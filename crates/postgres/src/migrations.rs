//! The migrations, which are part of the program.

use std::error::Error;

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use exit3_ports::StoreError;
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::settings::PgSettings;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Names the lock that a migrating program holds; the digits mean nothing.
const LOCK: i64 = 0x6578_6974_3300_0001;

/// The oldest server that will do, as `server_version_num`: trusted extensions.
const OLDEST: i32 = 130_000;

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
    /// A migration could not be applied; those before it were.
    #[error("a migration could not be applied")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// The versions of all migrations.
pub(crate) fn versions() -> Result<Vec<String>, StoreError> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(StoreError::Other)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Applies what has not been applied yet and returns how many that was.
pub(crate) async fn run(settings: &PgSettings, runtime: &Handle) -> Result<usize, MigrationError> {
    let work = runtime.spawn(apply(settings.clone()));
    work.await.map_err(|error| MigrationError::Failed(error.into()))?
}

async fn apply(settings: PgSettings) -> Result<usize, MigrationError> {
    let connect = tokio::time::timeout(settings.timeout, settings.config.connect(settings.tls));
    let (client, connection) = connect.await.map_err(unavailable)?.map_err(unavailable)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection of the migrations broke");
        }
    });
    check_server(&client).await?;
    // The connection that does the work also holds the lock, so that the lock is
    // gone when the work is, even after a crash.
    client
        .batch_execute("SET statement_timeout = 0; SET lock_timeout = '10min'")
        .await
        .map_err(unavailable)?;
    client.query("SELECT pg_advisory_lock($1)", &[&LOCK]).await.map_err(unavailable)?;
    let connection = AsyncPgConnection::try_from(client).await.map_err(unavailable)?;
    let work = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(connection);
        harness.run_pending_migrations(MIGRATIONS).map(|applied| applied.len())
    });
    let applied = work.await.map_err(|error| MigrationError::Failed(error.into()))?;
    applied.map_err(MigrationError::Failed)
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
