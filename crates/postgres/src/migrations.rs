//! Applies the migrations, which are part of the program.

pub(crate) mod lock;
pub(crate) mod records;
mod rights;

use std::error::Error;

use exit3_ports::{
    Ladder, Migration, ModuleRecord, Moved, NoWay, Rows, SchemaState, StoreError, Target, Way,
};
use tokio::runtime::Handle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, IsolationLevel, Transaction};

use self::lock::{Key, Patience};

use crate::settings::PgSettings;

pub(crate) const MIGRATIONS: &[Migration] = exit3_ports::migrations::POSTGRES;

/// The service's own migrations.
pub(crate) const OWN: Ladder = Ladder::own(MIGRATIONS);

/// The oldest supported server, as `server_version_num`: it has trusted extensions.
const OLDEST: i32 = 130_000;

/// The table of applied migrations, named as diesel's own tool names it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
    version varchar(50) PRIMARY KEY NOT NULL,
    run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
)";

/// Why migrations were not applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database is unavailable.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The encoding cannot store every text.
    #[error("the database's encoding is {0}, but must be UTF8")]
    Encoding(String),
    /// The server is too old.
    #[error("the server is PostgreSQL {0}, but 13 or newer is needed")]
    Version(String),
    /// No migrations lead to the requested schema.
    #[error(transparent)]
    NoWay(#[from] NoWay),
    /// Other sessions held a table for too long.
    #[error("the migration {0} could not be applied: other sessions did not release its tables{1}")]
    Locked(String, String),
    /// Another program held the migration lock for too long.
    #[error("nothing was migrated: another program did not release the migration lock{0}")]
    Migrating(String),
    /// The role lacks rights.
    #[error("{0}")]
    Rights(String),
    /// A migration failed; those before it were applied.
    #[error("the migration {0} could not be applied")]
    Failed(String, #[source] Box<dyn Error + Send + Sync>),
}

/// Migrates to the schema `target`.
pub(crate) async fn run(
    settings: &PgSettings,
    runtime: &Handle,
    ladder: Ladder,
    target: Target,
    rows: Rows,
) -> Result<Moved, MigrationError> {
    let work = runtime.spawn(migrate(settings.clone(), ladder, target, rows));
    work.await.map_err(unavailable)?
}

/// The names of pending migrations that change existing rows.
pub(crate) async fn pending_data_changes(
    settings: &PgSettings,
    runtime: &Handle,
    ladder: Ladder,
) -> Result<Vec<&'static str>, MigrationError> {
    let settings = settings.clone();
    let work = runtime.spawn(async move {
        let client = connect(&settings).await?;
        Ok(Way::data_changes(ladder.steps, &applied(&client, &ladder).await?)?)
    });
    work.await.map_err(unavailable)?
}

/// Which migrations are applied and which are pending.
pub(crate) async fn state(
    settings: &PgSettings,
    runtime: &Handle,
    ladder: Ladder,
) -> Result<SchemaState, MigrationError> {
    let settings = settings.clone();
    let work = runtime.spawn(async move {
        let client = connect(&settings).await?;
        match versions(&client, &ladder).await {
            Ok(applied) => Ok(SchemaState::of(ladder.steps, &applied)),
            Err(error) => match rights::to_read(&client, &error).await {
                Some(sentence) => Err(MigrationError::Rights(sentence)),
                None => Err(refused(&client, error).await),
            },
        }
    });
    work.await.map_err(unavailable)?
}

/// Runs transactions until there is nothing left to do. Each transaction configures itself, and its
/// locks end with it: behind a pooler, settings and locks of a session would remain for others.
async fn migrate(
    settings: PgSettings,
    ladder: Ladder,
    target: Target,
    rows: Rows,
) -> Result<Moved, MigrationError> {
    let mut client = connect(&settings).await?;
    check_server(&client).await?;
    let mut moved = Moved::default();
    let key = Key::of(&ladder);
    let mut patience = Patience::new(key);
    // If there is nothing to do, this takes no lock.
    while !Way::find(ladder.steps, &applied(&client, &ladder).await?, target)?.is_empty() {
        if ladder.module.is_some() {
            make_records(&mut client).await?;
        }
        match attempt(&mut client, &patience, &ladder, target, rows).await {
            Ok(taken) => {
                moved.up += taken.up;
                moved.down += taken.down;
                patience = Patience::new(key);
            }
            Err(Obstacle::Way(error)) => return Err(error.into()),
            Err(Obstacle::Records(error)) => return Err(unavailable(error)),
            Err(Obstacle::Lock(error)) if lock::is_busy(&error) => {
                if !patience.waits(&client, None).await {
                    return Err(MigrationError::Migrating(patience.holders()));
                }
            }
            Err(Obstacle::Lock(error)) => return Err(refused(&client, error).await),
            Err(Obstacle::Step(name, error)) if lock::is_busy(&error) => {
                if !patience.waits(&client, Some(&name)).await {
                    return Err(MigrationError::Locked(name, patience.holders()));
                }
            }
            Err(Obstacle::Step(name, error)) => {
                return Err(match rights::sentence(&client, &error).await {
                    Some(sentence) => MigrationError::Rights(sentence),
                    None => MigrationError::Failed(name, error.into()),
                });
            }
        }
    }
    if let (Some(module), Target::Newest) = (&ladder.module, target)
        && let Err(error) = records::define(&client, module, &ladder).await
    {
        return Err(refused(&client, error).await);
    }
    Ok(moved)
}

/// Makes the table of records, under the service's own lock: two modules may need it at once, and
/// `IF NOT EXISTS` does not wait for another session that makes it too.
async fn make_records(client: &mut Client) -> Result<(), MigrationError> {
    let mut patience = Patience::new(Key::Own);
    loop {
        match records::make(client, &patience).await {
            Err(error) if lock::is_busy(&error) => {
                if !patience.waits(client, None).await {
                    return Err(MigrationError::Migrating(patience.holders()));
                }
            }
            Err(error) => return Err(refused(client, error).await),
            Ok(()) => return Ok(()),
        }
    }
}

/// Why a transaction was rolled back.
enum Obstacle {
    /// Another program migrates, or the database is unavailable.
    Lock(tokio_postgres::Error),
    Step(String, tokio_postgres::Error),
    Way(NoWay),
    /// What the database knows of its modules cannot be read.
    Records(StoreError),
}

/// Runs one transaction, which is rolled back unless it is committed.
///
/// A transaction takes one step up, so that locks are not held longer than that takes. It takes all
/// steps down, so that rows are lost either in all tables or in none.
async fn attempt(
    client: &mut Client,
    patience: &Patience,
    ladder: &Ladder,
    target: Target,
    rows: Rows,
) -> Result<Moved, Obstacle> {
    let begin = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
    let transaction = begin.read_only(false).start().await.map_err(Obstacle::Lock)?;
    transaction.batch_execute(&patience.alone()).await.map_err(Obstacle::Lock)?;
    if ladder.module.is_some() {
        // The service's own migrations do not go down meanwhile.
        transaction.batch_execute(records::HOLD).await.map_err(Obstacle::Lock)?;
    }
    // Another program may have been faster.
    let applied = versions(transaction.client(), ladder).await.map_err(Obstacle::Lock)?;
    let way = Way::find(ladder.steps, &applied, target).map_err(Obstacle::Way)?;
    let taken = if let Some(step) = way.up.first() {
        if applied.is_empty() && ladder.module.is_none() {
            let failed = |error| Obstacle::Step(ladder.name_of(step), error);
            transaction.batch_execute(TABLE).await.map_err(failed)?;
        }
        take(&transaction, ladder, step, true).await?;
        Moved { up: 1, down: 0 }
    } else {
        if ladder.module.is_none() {
            if let Some(step) = way.down.first() {
                let failed = |error| Obstacle::Step(ladder.name_of(step), error);
                records::close(&transaction).await.map_err(failed)?;
            }
            let records = records::newest(transaction.client()).await.map_err(Obstacle::Records)?;
            ModuleRecord::let_go(records, &way.down).map_err(Obstacle::Way)?;
        }
        for step in &way.down {
            if rows == Rows::Keep {
                refuse_rows(&transaction, ladder, step).await?;
            }
            take(&transaction, ladder, step, false).await?;
        }
        Moved { up: 0, down: way.down.len() }
    };
    transaction.commit().await.map_err(Obstacle::Lock)?;
    Ok(taken)
}

/// Applies or reverts a step, and records it.
async fn take(
    transaction: &Transaction<'_>,
    ladder: &Ladder,
    step: &'static Migration,
    is_up: bool,
) -> Result<(), Obstacle> {
    let failed = |error| Obstacle::Step(ladder.name_of(step), error);
    let statements = if is_up { step.up } else { step.down };
    transaction.batch_execute(statements).await.map_err(failed)?;
    if let Some(module) = &ladder.module {
        return records::note(transaction, module, step, is_up).await.map_err(failed);
    }
    let note = if is_up {
        "INSERT INTO __diesel_schema_migrations (version) VALUES ($1)"
    } else {
        "DELETE FROM __diesel_schema_migrations WHERE version = $1"
    };
    let version: [(&(dyn ToSql + Sync), Type); 1] = [(&step.version(), Type::VARCHAR)];
    transaction.execute_typed(note, &version).await.map(drop).map_err(failed)
}

/// Refuses to migrate down if rows or values would be lost. The lock prevents new rows meanwhile.
async fn refuse_rows(
    transaction: &Transaction<'_>,
    ladder: &Ladder,
    step: &'static Migration,
) -> Result<(), Obstacle> {
    for dropped in step.back_drops {
        let failed = |error| Obstacle::Step(ladder.name_of(step), error);
        let lock = format!("LOCK TABLE {}", dropped.table);
        transaction.batch_execute(&lock).await.map_err(failed)?;
        let row = transaction.query_typed_one(&dropped.query(), &[]).await.map_err(failed)?;
        if row.try_get(0).map_err(failed)? {
            return Err(Obstacle::Way(dropped.refusal()));
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

/// The versions of the applied migrations.
async fn applied(client: &Client, ladder: &Ladder) -> Result<Vec<String>, MigrationError> {
    match versions(client, ladder).await {
        Ok(versions) => Ok(versions),
        Err(error) => Err(refused(client, error).await),
    }
}

async fn versions(client: &Client, ladder: &Ladder) -> Result<Vec<String>, tokio_postgres::Error> {
    if let Some(module) = &ladder.module {
        return records::versions(client, module).await;
    }
    if !records::is_there(client, "__diesel_schema_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = client.query_typed("SELECT version FROM __diesel_schema_migrations", &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Maps an error of the steps before a migration.
async fn refused(client: &Client, error: tokio_postgres::Error) -> MigrationError {
    match rights::sentence(client, &error).await {
        Some(sentence) => MigrationError::Rights(sentence),
        None => unavailable(error),
    }
}

async fn check_server(client: &Client) -> Result<(), MigrationError> {
    let sql = "SELECT current_setting('server_version_num')::integer,
                      current_setting('server_version'),
                      current_setting('server_encoding')";
    let row = client.query_typed_one(sql, &[]).await.map_err(unavailable)?;
    if row.try_get::<_, i32>(0).map_err(unavailable)? < OLDEST {
        return Err(MigrationError::Version(row.try_get(1).map_err(unavailable)?));
    }
    let encoding: String = row.try_get(2).map_err(unavailable)?;
    if encoding == "UTF8" { Ok(()) } else { Err(MigrationError::Encoding(encoding)) }
}

fn unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> MigrationError {
    MigrationError::Unavailable(error.into())
}

#[cfg(test)]
mod tests {
    use exit3_ports::Dropped;
    use exit3_testkit::postgres;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_column_with_values_is_not_dropped_on_the_way_back() {
        const STEP: Migration = Migration {
            name: "99_notes",
            up: "",
            down: "",
            changes_data: false,
            back_drops: &[Dropped::of("leads", Some("notes"))],
        };
        let database = postgres::shared().create_database().await;
        let settings = PgSettings::parse(database.url()).unwrap();
        run(&settings, &Handle::current(), OWN, Target::Newest, Rows::Keep).await.unwrap();
        let mut client = postgres::client(database.url()).await;
        let insert = |notes: &str| {
            format!(
                "INSERT INTO leads (full_name, position, created_at, updated_at, search_document,
                 notes) VALUES ('Ana', 'CTO', now(), now(), '', {notes})"
            )
        };
        client.batch_execute(&insert("NULL")).await.unwrap();
        let transaction = client.transaction().await.unwrap();
        assert!(refuse_rows(&transaction, &OWN, &STEP).await.is_ok());
        transaction.batch_execute(&insert("''")).await.unwrap();
        let Err(Obstacle::Way(refused)) = refuse_rows(&transaction, &OWN, &STEP).await else {
            panic!("the values are dropped");
        };
        assert!(refused.to_string().contains("the column notes of the table leads"), "{refused}");
    }
}
