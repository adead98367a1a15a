//! Opening the file, and handing out what works on it.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use exit3_ports::{Moved, Rows, SchemaState, StoreError, Target};

use crate::api_keys::SqliteApiKeyRepository;
use crate::backups::SqliteBackupLog;
use crate::clients::SqliteClientRepository;
use crate::connection::{Connector, Files, FilesError, OpenError};
use crate::documents;
use crate::error::{self, Refusal};
use crate::freeze;
use crate::health::SqliteHealth;
use crate::leads::SqliteLeadRepository;
use crate::migrations;
use crate::readers::Readers;
use crate::staff::SqliteStaffRepository;
use crate::store::Store;
use crate::subscribers::SqliteSubscriberRepository;
use crate::transfer::SqliteTransfer;
use crate::writer::Writer;

/// How the database is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    /// How many may read at the same time.
    pub readers: usize,
    /// After how long a call gives up with
    /// [`StoreError::Unavailable`].
    /// Storing many rows at once may take longer.
    pub patience: Duration,
}

impl Default for SqliteSettings {
    /// Four readers; an answer within 1.8 s.
    fn default() -> Self {
        Self { readers: 4, patience: Duration::from_millis(1800) }
    }
}

/// A database in one file.
///
/// The repositories that it hands out can be used from any tokio runtime, and
/// stay usable when this is dropped; what is queued is finished by
/// [`Self::close`] or when the last of them is dropped.
#[derive(Clone)]
pub struct SqliteDatabase {
    path: PathBuf,
    connector: Connector,
    store: Store,
}

impl SqliteDatabase {
    /// Opens the database at `path`, whose directory exists. A new file can be
    /// read and written by its owner only, and so can the files beside it.
    ///
    /// # Errors
    /// [`OpenError`], in one sentence.
    pub fn open(path: &Path, settings: &SqliteSettings) -> Result<Self, OpenError> {
        let file_error = |source| OpenError::File { path: path.to_owned(), source };
        // Before a file is made beside what another process still uses.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let files = Files::new(&place);
        if !files.are_shared() {
            return Err(FilesError::NotShared(path.to_owned()).into());
        }
        files.check_elsewhere()?;
        create(path).map_err(file_error)?;
        // Later connections must reach the same file, wherever the process
        // goes in the meantime.
        let absolute = path.canonicalize().map_err(file_error)?;
        let connector = Connector::new(&absolute).ok_or_else(|| OpenError::Path(absolute))?;
        for rescued in connector.files().rescued() {
            tracing::error!(
                "{} holds what an earlier process could not write to the database: \
                 docs/OPERATIONS.md says what to do with it",
                rescued.display()
            );
        }
        let writer = Arc::new(Writer::start(connector.clone())?);
        let readers =
            Arc::new(Readers::new(connector.clone(), settings.readers, settings.patience));
        let store = Store { readers, writer, patience: settings.patience };
        Ok(Self { path: path.to_owned(), connector, store })
    }

    /// Brings the schema up to date, under a lock that keeps other processes
    /// out. Returns how many migrations were applied. Blocks.
    ///
    /// # Errors
    /// [`OpenError`]; the schema is then as it was.
    pub fn migrate(&self) -> Result<usize, OpenError> {
        self.migrate_to(Target::Newest, Rows::Keep).map(|moved| moved.up)
    }

    /// As [`Self::migrate`], to any schema, also back to an earlier one.
    ///
    /// # Errors
    /// [`OpenError`]; the schema is then as it was.
    pub fn migrate_to(&self, target: Target, rows: Rows) -> Result<Moved, OpenError> {
        // Most often there is nothing to do, and then a full disk is no reason to fail.
        if migrations::is_there(&mut self.connector.reader()?, target)? {
            return Ok(Moved::default());
        }
        let mut connection = self.connector.migrator()?;
        self.connector.files().expect_others(true);
        let moved = migrations::run(&mut connection, target, rows);
        self.connector.files().expect_others(false);
        let moved = moved?;
        let changed = |refusal: Refusal| FilesError::Changed(refusal.to_string());
        self.connector.files().in_place().map_err(changed)?;
        Ok(moved)
    }

    /// The names of the migrations that [`Self::migrate`] would apply and that change
    /// rows which are there. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn pending_data_changes(&self) -> Result<Vec<&'static str>, OpenError> {
        migrations::pending_data_changes(&mut self.connector.reader()?)
    }

    /// How far the schema is. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn schema_state(&self) -> Result<SchemaState, OpenError> {
        Ok(migrations::state(&mut self.connector.reader()?)?)
    }

    /// The leads.
    pub fn leads(&self) -> SqliteLeadRepository {
        SqliteLeadRepository::new(self.store.clone())
    }

    /// The subscribers.
    pub fn subscribers(&self) -> SqliteSubscriberRepository {
        SqliteSubscriberRepository::new(self.store.clone())
    }

    /// The keys of the API.
    pub fn api_keys(&self) -> SqliteApiKeyRepository {
        SqliteApiKeyRepository::new(self.store.clone())
    }

    /// The clients.
    pub fn clients(&self) -> SqliteClientRepository {
        SqliteClientRepository::new(self.store.clone())
    }

    /// The accounts of staff.
    pub fn staff(&self) -> SqliteStaffRepository {
        SqliteStaffRepository::new(self.store.clone())
    }

    /// What is known of the backups.
    pub fn backups(&self) -> SqliteBackupLog {
        SqliteBackupLog::new(self.store.clone())
    }

    /// Copies the database as a whole.
    pub fn transfer(&self) -> SqliteTransfer {
        SqliteTransfer::new(self.connector.clone())
    }

    /// Refuses writes from now on, of every process and also after a crash, until
    /// [`Self::thaw`]. What was written before is in every later snapshot. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the file
    /// cannot be written.
    pub fn freeze(&self) -> Result<(), StoreError> {
        freeze::freeze(&mut self.connector.migrator().map_err(error::unreachable)?)
    }

    /// Lets writers write again. Blocks.
    ///
    /// # Errors
    /// As [`Self::freeze`].
    pub fn thaw(&self) -> Result<(), StoreError> {
        freeze::thaw(&mut self.connector.migrator().map_err(error::unreachable)?)
    }

    /// Whether writes are refused since [`Self::freeze`]. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the file
    /// cannot be read.
    pub fn is_frozen(&self) -> Result<bool, StoreError> {
        freeze::is_frozen(&mut self.connector.reader().map_err(error::unreachable)?)
    }

    /// Writes some of the search documents anew that an earlier release wrote, which did not
    /// fold accents; returns how many those were. Nothing else of the rows changes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn fold_accents(&self) -> Result<u64, StoreError> {
        documents::fold_accents(&self.store).await
    }

    /// Whether the database can be used.
    pub fn health(&self) -> SqliteHealth {
        SqliteHealth::new(self.store.clone(), self.connector.clone())
    }

    /// What and where the database is, for a line of a log.
    pub fn describe(&self) -> String {
        format!("SQLite at {}", self.path.display())
    }

    /// How many transactions were committed since the start.
    pub fn commits(&self) -> u64 {
        self.store.writer.commits()
    }

    /// Finishes what is queued and closes the file; everything that was handed
    /// out refuses from then on. Blocks.
    pub fn close(&self) {
        self.store.readers.close();
        self.store.writer.close();
    }
}

/// Makes the file if there is none, for its owner only.
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

/// A power cut must not take the name of the file away.
fn sync_directory(path: &Path) -> Result<(), std::io::Error> {
    match path.parent() {
        Some(parent) if cfg!(unix) && parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}
