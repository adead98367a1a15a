use std::fs::File;
use std::sync::Arc;

use clap::Args;
use exit3_archive::{ArchiveError, LeftOut, Summary};
use exit3_ports::{
    BackupLog, BackupStatus, Clock, ContractError, Rows, StoreError, Target, Transfer, with_causes,
};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use tempfile::TempDir;

use super::backup::store;
use super::{Failure, runtime, say, unless_stopped, whisper};
use crate::archives;
use crate::backend::Backend;
use crate::backup_store::{self, BackupStore};
use crate::clock::SystemClock;
use crate::progress::Bars;
use crate::settings::{DatabaseSettings, Settings};

/// The archive to verify.
#[derive(Args)]
pub(super) struct VerifyBackup {
    /// The archive: a file, or s3://bucket/key; the newest by default
    archive: Option<String>,
    /// Where to find the newest archive: a directory, or s3://bucket/prefix; BACKUP_TO by default
    #[arg(long, conflicts_with = "archive")]
    from: Option<String>,
    /// Accepts a plain archive although a key or passphrase for backups is set
    #[arg(long)]
    allow_plain: bool,
}

/// Restores a backup into a temporary database, and records the result.
pub(super) fn verify_backup(settings: &Settings, what: &VerifyBackup) -> Result<(), Failure> {
    // Outlives the runtime, which waits for tasks that still write to it.
    let mut scratch = None;
    let runtime = runtime()?;
    runtime.block_on(unless_stopped(async {
        let now = SystemClock.now();
        let name = match &what.archive {
            Some(name) => name.clone(),
            None => store(what.from.as_deref(), &settings.backup)?.newest(now).await?,
        };
        let file = BackupStore::fetch(&name).await?;
        let tried = attempt(settings, &mut scratch, file, what.allow_plain).await;
        let noted = match &tried {
            // The failure says nothing about the archive.
            Err(failure) if !is_bad(failure) => Ok(()),
            _ => note(settings, &name, tried.is_ok()).await,
        };
        let summary = tried?;
        let (rows, files) = (summary.rows(), summary.files);
        say(format_args!(
            "{name}: {rows} rows and {files} contract files restored; counts and hashes match"
        ));
        for LeftOut { module, table, rows } in &summary.left_out_tables {
            say(format_args!(
                "Checked by its hash alone: the table {table} of the module {module}, with {rows} rows"
            ));
        }
        Ok(noted.map_err(|error| {
            format!("the result could not be recorded in the database: {error}")
        })?)
    }))
}

/// Records the verification of the archive `name`, if there is a database: a machine that only
/// verifies backups has none.
async fn note(settings: &Settings, name: &str, good: bool) -> Result<(), StoreError> {
    let (log, status) = match log(settings).await {
        Ok(found) => found,
        Err(why) => {
            whisper(format_args!("Not noted, because no database is available: {why}"));
            return Ok(());
        }
    };
    if !is_last(name, &status) {
        whisper(format_args!("Not noted, because it is not the last backup: {name}"));
        return Ok(());
    }
    log.note_verification(good, SystemClock.now()).await
}

/// The log of backups and its status, or why the database cannot be used.
async fn log(settings: &Settings) -> Result<(Arc<dyn BackupLog>, BackupStatus), String> {
    if let DatabaseSettings::Sqlite(path) = &settings.database
        && !path.exists()
    {
        return Err(format!("{} is not there", path.display()));
    }
    let backend = Backend::open(settings).map_err(|error| error.to_string())?;
    let log = backend.repositories(1).backups;
    match log.status().await {
        Ok(status) => Ok((log, status)),
        Err(error) => Err(format!("{}: {}", backend.describe(), with_causes(&error))),
    }
}

/// Whether an archive is the last one made of this database. If none is known, it counts as the
/// last.
fn is_last(name: &str, status: &BackupStatus) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let made = backup_store::time_of(file).map(|time| time.timestamp_millis());
    let last = status.backed_up_at.map(|time| time.timestamp_millis());
    last.is_none_or(|last| made.is_some_and(|made| made >= last))
}

/// Whether the verification failed because of the archive itself.
fn is_bad(failure: &Failure) -> bool {
    use ArchiveError::{Contract, Damaged, Differs, Foreign, NotEmpty, Plain, Refused, Unsound};
    match failure.downcast_ref() {
        Some(Foreign | Plain | Damaged(_) | Unsound(_) | NotEmpty(_)) => true,
        Some(Contract(ContractError::Exists(_) | ContractError::Outside(_)) | Differs(_)) => true,
        // Except for a full disk.
        Some(Refused { source, .. }) => !matches!(source, StoreError::Unavailable(_)),
        _ => false,
    }
}

/// An archive fits any database, so an embedded one is enough for the verification.
async fn attempt(
    settings: &Settings,
    scratch: &mut Option<TempDir>,
    file: File,
    allow_plain: bool,
) -> Result<Summary, Failure> {
    let path = scratch.insert(backup_store::scratch()?).path().join("scratch.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default())?;
    let transfer = database.transfer();
    let newest = transfer.newest_schema();
    let modules: Vec<_> = settings.modules.iter().filter_map(|it| it.module.schema()).collect();
    let (database, migrated) = tokio::task::spawn_blocking(move || {
        let migrated = database.migrate();
        for module in modules {
            // Without its tables, the rows of a module are checked by their hash alone.
            let _ = database.migrate_module(module, Target::Newest, Rows::Keep);
        }
        (database, migrated)
    })
    .await?;
    migrated?;
    let mut archive = archives::open(file, &settings.backup, allow_plain, newest)?;
    let bars = Bars::default();
    let load = transfer.load().await?;
    let summary = exit3_archive::restore(&mut archive, load, None, false, &bars).await;
    bars.finish();
    tokio::task::spawn_blocking(move || database.close()).await?;
    Ok(summary?)
}
