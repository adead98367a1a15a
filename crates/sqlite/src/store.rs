//! What the repositories share.

use std::sync::Arc;
use std::time::Duration;

use diesel::{QueryResult, SqliteConnection};
use exit3_ports::{Constraint, StoreError};
use tokio::time::Instant;

use crate::readers::Readers;
use crate::writer::Writer;

/// The patience for storing many rows at once.
pub(crate) const PATIENCE_FOR_MANY: Duration = Duration::from_secs(120);

/// The database as its repositories use it, also those in other crates, for tables of their own.
///
/// ```
/// use diesel::prelude::*;
/// use diesel::sql_types::BigInt;
/// use exit3_domain::events::{Act, Changes, Verb};
/// use exit3_ports::StoreError;
/// use exit3_sqlite::{EventRow, Sql, SqliteStore, from_diesel, text};
///
/// async fn book(store: &SqliteStore, place: &str, act: &Act) -> Result<i64, StoreError> {
///     let mut insert = Sql::<BigInt>::new("INSERT INTO bookings (place) VALUES (");
///     insert.text(text(place)?).sql(") RETURNING id");
///     let event = EventRow::of(act, "booking", Verb::CREATED, &Changes::None)?;
///     let insert = move |connection: &mut SqliteConnection| {
///         let id = insert.get_result(connection).map_err(from_diesel)?;
///         event.insert(connection, id)?;
///         Ok(id)
///     };
///     store.write(insert).await
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use diesel::connection::SimpleConnection;
/// # use exit3_domain::events::{Actor, Author};
/// # use exit3_sqlite::{SqliteDatabase, SqliteSettings};
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("exit3.sqlite3");
/// # let database = SqliteDatabase::open(&path, &SqliteSettings::default())?;
/// # database.migrate()?;
/// # let store = database.store();
/// # let table = "CREATE TABLE bookings (id INTEGER PRIMARY KEY, place TEXT NOT NULL)";
/// # store.write(move |connection| connection.batch_execute(table).map_err(from_diesel)).await?;
/// # let act = Author::from(Actor::Service).at(chrono::DateTime::UNIX_EPOCH);
///
/// assert_eq!(book(&store, "Zagreb", &act).await?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) patience: Duration,
    /// How many rows of a list a search looks at before it asks the search index.
    pub(crate) ahead: usize,
    /// The module whose store this is.
    pub(crate) module: Option<&'static str>,
}

impl SqliteStore {
    /// The store as a module gets it: the log names the module if one of its writes holds up those of
    /// others.
    #[must_use]
    pub fn of_module(mut self, module: &'static str) -> Self {
        self.module = Some(module);
        self
    }

    /// Runs `work`, which may have several statements, on one state of the database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(work).await
    }

    /// Runs `work` and returns once it is on disk. All that it writes, rows and events, is stored
    /// together, or not at all if it returns an error. Other writes wait meanwhile.
    ///
    /// If the future is dropped, `work` is still done completely or not at all.
    ///
    /// # Errors
    /// Those of `work`, and [`StoreError::Unavailable`].
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let module = self.module;
        let work = move |connection: &mut SqliteConnection| {
            let _turn = module.map(Turn::begin);
            work(connection)
        };
        self.writer.write(self.patience, work).await
    }
}

/// A write of a module that takes longer than this is told: all other writes have waited for it.
const LONG: Duration = Duration::from_secs(1);

/// The turn of a module at the only writer.
struct Turn {
    module: &'static str,
    begun: Instant,
}

impl Turn {
    fn begin(module: &'static str) -> Self {
        Self { module, begun: Instant::now() }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Self { module, begun } = self;
        let took = begun.elapsed();
        if std::thread::panicking() {
            tracing::error!("a write of the module {module} panicked");
        }
        if took > LONG {
            tracing::warn!("a write of the module {module} has held up all others for {took:.1?}");
        }
    }
}

/// An error unless the stored row is the one that the caller has seen. On the connection of the
/// writer, no other write can come between this and the end of the transaction.
///
/// # Errors
/// [`StoreError::NotFound`], or [`StoreError::Conflict`] with [`Constraint::Stale`].
pub fn check_seen<T: PartialEq>(stored: Option<T>, seen: &T) -> Result<(), StoreError> {
    match stored {
        None => Err(StoreError::NotFound),
        Some(stored) if stored != *seen => Err(StoreError::Conflict(Constraint::Stale)),
        Some(_) => Ok(()),
    }
}
