//! Opens the database file and hands out the repositories.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use exit3_ports::{Ladder, ModuleSchema, Moved, Rows, SchemaState, StoreError, Target};

use crate::connection::{Connector, Files, FilesError, OpenError};
use crate::documents;
use crate::error::{self, Refusal};
use crate::freeze;
use crate::migrations::{self, OWN};
use crate::readers::Readers;
use crate::search;
use crate::store::SqliteStore;
use crate::transfer::SqliteTransfer;
use crate::transfer::bulk::shapes;
use crate::writer::Writer;

/// How the database is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    /// The most concurrent reads.
    pub readers: usize,
    /// How long a call waits before it fails with [`StoreError::Unavailable`]. Storing many rows at
    /// once may take longer.
    pub patience: Duration,
    /// How many leads a search looks at, in the order of its list, before it asks the search index.
    pub ahead: usize,
}

impl Default for SqliteSettings {
    /// Four readers, 1.8 s of patience, and searches that look at 16,000 leads first, which takes
    /// about 10 ms.
    fn default() -> Self {
        Self { readers: 4, patience: Duration::from_millis(1800), ahead: 16_000 }
    }
}

/// A database in one file.
///
/// Its repositories can be used from any tokio runtime, and remain usable after this is dropped.
/// Queued writes are finished by [`Self::close`], or when the last repository is dropped.
#[derive(Clone)]
pub struct SqliteDatabase {
    path: PathBuf,
    pub(crate) connector: Connector,
    pub(crate) store: SqliteStore,
}

impl SqliteDatabase {
    /// Opens the database at `path`, whose directory must exist. Only the owner can read and write
    /// a new file and the files beside it.
    ///
    /// # Errors
    /// [`OpenError`], in one sentence.
    pub fn open(path: &Path, settings: &SqliteSettings) -> Result<Self, OpenError> {
        let file_error = |source| OpenError::File { path: path.to_owned(), source };
        // Checked before creating a file next to those that another process still uses.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let files = Files::new(&place);
        if !files.are_shared() {
            return Err(FilesError::NotShared(path.to_owned()).into());
        }
        files.check_elsewhere()?;
        files.check_emptied()?;
        create(path).map_err(file_error)?;
        // An absolute path, so that later connections open the same file even if the working
        // directory changes.
        let absolute = path.canonicalize().map_err(file_error)?;
        let connector =
            Connector::reached_by(&absolute, path).ok_or_else(|| OpenError::Path(absolute))?;
        for rescued in connector.files().rescued() {
            tracing::error!(
                "{} holds data that an earlier process could not write to the database: \
                 docs/OPERATIONS.md says what to do with it",
                rescued.display()
            );
        }
        thaw_the_rest(&connector);
        let writer = Arc::new(Writer::start(connector.clone())?);
        let readers =
            Arc::new(Readers::new(connector.clone(), settings.readers, settings.patience));
        let (patience, ahead) = (settings.patience, settings.ahead);
        let store = SqliteStore { readers, writer, patience, ahead, module: None };
        Ok(Self { path: path.to_owned(), connector, store })
    }

    /// Applies all pending migrations, under a lock that keeps other processes out. Returns the
    /// number of applied migrations. Blocks.
    ///
    /// # Errors
    /// [`OpenError`]; the schema is then unchanged.
    pub fn migrate(&self) -> Result<usize, OpenError> {
        self.migrate_to(Target::Newest, Rows::Keep).map(|moved| moved.up)
    }

    /// Like [`Self::migrate`], to any schema, including earlier ones.
    ///
    /// # Errors
    /// [`OpenError`]; the schema is then unchanged.
    pub fn migrate_to(&self, target: Target, rows: Rows) -> Result<Moved, OpenError> {
        self.walk(&OWN, target, rows)
    }

    fn walk(&self, ladder: &Ladder, target: Target, rows: Rows) -> Result<Moved, OpenError> {
        // Usually there is nothing to do, and then a full disk does not matter.
        if migrations::is_there(&mut self.connector.reader()?, ladder, target)? {
            return Ok(Moved::default());
        }
        let mut connection = self.connector.migrator()?;
        let expected = self.connector.files().expect_others();
        let moved = migrations::run(&mut connection, ladder, target, rows);
        drop(expected);
        let moved = moved?;
        let changed = |refusal: Refusal| FilesError::Changed(refusal.to_string());
        self.connector.files().in_place().map_err(changed)?;
        Ok(moved)
    }

    /// The names of pending migrations that change existing rows. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn pending_data_changes(&self) -> Result<Vec<&'static str>, OpenError> {
        migrations::pending_data_changes(&mut self.connector.reader()?, &OWN)
    }

    /// Which migrations are applied and which are pending. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn schema_state(&self) -> Result<SchemaState, OpenError> {
        Ok(migrations::state(&mut self.connector.reader()?, &OWN)?)
    }

    /// Migrates the tables of a module, as [`Self::migrate_to`] does ours, which come first. Blocks.
    ///
    /// # Errors
    /// [`OpenError`]; the tables of the module are then unchanged.
    pub fn migrate_module(
        &self,
        module: ModuleSchema,
        target: Target,
        rows: Rows,
    ) -> Result<Moved, OpenError> {
        self.walk(&Ladder::of(module, module.sqlite), target, rows)
    }

    /// The names of pending migrations of a module that change existing rows. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn module_data_changes(
        &self,
        module: ModuleSchema,
    ) -> Result<Vec<&'static str>, OpenError> {
        let ladder = Ladder::of(module, module.sqlite);
        migrations::pending_data_changes(&mut self.connector.reader()?, &ladder)
    }

    /// Which migrations of a module are applied and which are pending. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn module_state(&self, module: ModuleSchema) -> Result<SchemaState, OpenError> {
        let ladder = Ladder::of(module, module.sqlite);
        Ok(migrations::state(&mut self.connector.reader()?, &ladder)?)
    }

    /// The store for repositories in other crates.
    pub fn store(&self) -> SqliteStore {
        self.store.clone()
    }

    /// The port that copies the whole database.
    pub fn transfer(&self) -> SqliteTransfer {
        SqliteTransfer::new(self.connector.clone())
    }

    /// Refuses writes of every process, even after a crash, until [`Self::thaw`]. Earlier writes
    /// are in every later snapshot. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file cannot be written.
    pub fn freeze(&self) -> Result<(), StoreError> {
        let mut connection = self.connector.migrator().map_err(error::unreachable)?;
        let shapes = shapes(&mut connection)?;
        freeze::freeze(&mut connection, &shapes)
    }

    /// Allows writes again. Blocks.
    ///
    /// # Errors
    /// Those of [`Self::freeze`].
    pub fn thaw(&self) -> Result<(), StoreError> {
        freeze::thaw(&mut self.connector.migrator().map_err(error::unreachable)?)
    }

    /// Whether [`Self::freeze`] is in effect. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file cannot be read.
    pub fn is_frozen(&self) -> Result<bool, StoreError> {
        freeze::is_frozen(&mut self.connector.reader().map_err(error::unreachable)?)
    }

    /// Rewrites a batch of search documents that an earlier release stored without folding accents;
    /// returns their number. Nothing else in the rows changes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn fold_accents(&self) -> Result<u64, StoreError> {
        documents::fold_accents(&self.store).await
    }

    /// Brings the search index of leads up to date for at most `most` leads, which takes about 30 µs
    /// each; writes wait meanwhile. Returns their number; 0 if there is nothing left to do. Searches
    /// find the same leads before and after, but are slower before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn index_leads(&self, most: u32) -> Result<u64, StoreError> {
        search::index(&self.store, most).await
    }

    /// A description of the database for log lines.
    pub fn describe(&self) -> String {
        format!("SQLite at {}", self.path.display())
    }

    /// The number of transactions committed since the start.
    pub fn commits(&self) -> u64 {
        self.store.writer.commits()
    }

    /// Finishes queued writes and closes the file. All repositories refuse work afterwards. Blocks.
    pub fn close(&self) {
        self.store.readers.close();
        self.store.writer.close();
    }
}

/// Completes what `promote --abort` of an earlier release has begun. What goes wrong here goes wrong
/// again when the file is used, and is reported then.
fn thaw_the_rest(connector: &Connector) {
    let is_half_thawed = |mut connection| freeze::is_half_thawed(&mut connection).unwrap_or(false);
    if connector.reader().is_ok_and(is_half_thawed)
        && connector.migrator().is_ok_and(|mut connection| freeze::thaw(&mut connection).is_ok())
    {
        tracing::warn!(
            "an earlier release has undone a promotion: all tables can be written again"
        );
    }
}

/// Creates the file if it is missing, readable by its owner only.
fn create(path: &Path) -> Result<(), std::io::Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => sync_directory(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes sure that a power cut cannot remove the file's name.
fn sync_directory(path: &Path) -> Result<(), std::io::Error> {
    match path.parent() {
        Some(parent) if cfg!(unix) && parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}
