//! Creates and opens archives of this service.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Seek};
use std::path::Path;

use chrono::{DateTime, Utc};
use exit3_archive::{ArchiveError, ArchiveReader, ArchiveWriter, Head, Progress, Summary, back_up};
use exit3_ports::{Snapshot, StoreError};

use crate::backend::Backend;
use crate::backup_store::{BackupStore, BackupStoreError, name_of};
use crate::settings::BackupSettings;

/// Why an archive was not created, found or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    #[error("{0}")]
    Store(#[from] BackupStoreError),
    #[error("the database has no tables yet: there is nothing to back up")]
    Nothing,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Archive(error.into())
    }
}

/// A complete archive in its final place.
pub(crate) struct Made {
    /// Its full name.
    pub(crate) name: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// What it contains.
    pub(crate) summary: Summary,
}

/// Creates an archive of everything in `store`.
pub(crate) async fn make(
    backend: &Backend,
    settings: &BackupSettings,
    store: &BackupStore,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Made, Failed> {
    let transfer = backend.transfer();
    let known = transfer.newest_schema();
    let mut snapshot = transfer.snapshot().await?;
    let head = head(snapshot.as_mut(), settings, known, now).await?;
    store.sweep();
    let draft = store.draft()?;
    let no_room = |error| without_room(draft.path(), error);
    let writer = BufWriter::new(draft.as_file().try_clone().map_err(ArchiveError::from)?);
    let writer = ArchiveWriter::begin(writer, &settings.lock, head).map_err(no_room)?;
    let contracts = settings.contracts.as_ref();
    let (_, summary) =
        back_up(snapshot.as_mut(), contracts, writer, progress).await.map_err(no_room)?;
    drop(snapshot);
    let size = draft.as_file().metadata().map_err(ArchiveError::from)?.len();
    let name = store.keep(draft, &name_of(now)).await?;
    Ok(Made { name, size, summary })
}

/// Adds the directory to errors about a full disk. Only writing needs space.
fn without_room(path: &Path, error: ArchiveError) -> Failed {
    use ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error {
        ArchiveError::Io(error)
            if matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull) =>
        {
            let directory = path.parent().unwrap_or(path);
            BackupStoreError::Io { place: directory.display().to_string(), error }.into()
        }
        error => error.into(),
    }
}

async fn head(
    snapshot: &mut dyn Snapshot,
    settings: &BackupSettings,
    known: &str,
    now: DateTime<Utc>,
) -> Result<Head, Failed> {
    let schema = snapshot.schema().await?;
    // The database may have tables that this program does not know.
    if schema.as_str() > known {
        return Err(ArchiveError::NewerDatabase(schema).into());
    }
    if snapshot.shapes().await?.is_empty() {
        return Err(Failed::Nothing);
    }
    Ok(Head {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        made_at: now,
        settings: settings.names.clone(),
        modules: snapshot.modules().await?,
    })
}

/// Opens an archive after verifying all of it.
pub(crate) fn open(
    mut file: File,
    settings: &BackupSettings,
    allow_plain: bool,
    newest_schema: &str,
) -> Result<ArchiveReader<File>, Box<dyn std::error::Error>> {
    file.rewind()?;
    let archive = ArchiveReader::open(file, &settings.keys(allow_plain)?)?;
    if archive.head().schema.as_str() > newest_schema {
        let version = format!("{}, schema {}", archive.head().program, archive.head().schema);
        return Err(ArchiveError::Newer(version).into());
    }
    Ok(archive)
}
