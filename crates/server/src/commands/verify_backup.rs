use std::fs::File;

use clap::Args;
use exit3_archive::{ArchiveError, Summary};
use exit3_ports::{BackupStatus, Clock, StoreError, Transfer};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};

use super::backup::place;
use super::progress::Bars;
use super::{Failure, runtime, say, unless_stopped, whisper};
use crate::archives::{self, Place};
use crate::backend::Backend;
use crate::clock::SystemClock;
use crate::settings::Settings;

/// Which one.
#[derive(Args)]
pub(super) struct VerifyBackup {
    /// The archive: a file, or s3://bucket/key; the newest unless given
    archive: Option<String>,
    /// Where the newest is looked for: a directory, or s3://bucket/prefix; BACKUP_TO
    /// unless given
    #[arg(long, conflicts_with = "archive")]
    from: Option<String>,
}

/// Restores a backup for a trial, and notes how that went.
pub(super) fn verify_backup(settings: &Settings, what: &VerifyBackup) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    runtime()?.block_on(unless_stopped(async {
        let now = SystemClock.now();
        let name = match &what.archive {
            Some(name) => name.clone(),
            None => place(what.from.as_deref(), &settings.backup)?.newest(now).await?,
        };
        let file = Place::fetch(&name).await?;
        let tried = attempt(settings, file).await;
        let log = backend.app(1).backups;
        let noted = match (&tried, is_last(&name, &log.status().await.unwrap_or_default())) {
            // It says nothing about the archive.
            (Err(failure), _) if !is_bad(failure) => Ok(()),
            (_, true) => log.note_verification(tried.is_ok(), SystemClock.now()).await,
            (_, false) => {
                whisper(format_args!("Not noted, as it is not the last backup: {name}"));
                Ok(())
            }
        };
        let summary = tried?;
        let (rows, files) = (summary.rows(), summary.files);
        say(format_args!(
            "{name}: {rows} rows and {files} contract files restored; counts and hashes are right"
        ));
        Ok(noted.map_err(|error| format!("it could not be noted in the database: {error}"))?)
    }))
}

/// Whether an archive is the last one that was made of this database. Where none is known
/// to have been made, it is.
fn is_last(name: &str, status: &BackupStatus) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let made = archives::time_of(file).map(|time| time.timestamp_millis());
    let last = status.backed_up_at.map(|time| time.timestamp_millis());
    last.is_none_or(|last| made.is_some_and(|made| made >= last))
}

/// Whether a trial failed because of the archive, and not of what it was tried with.
fn is_bad(failure: &Failure) -> bool {
    use ArchiveError::{Damaged, Differs, FileExists, Foreign, NotEmpty, Outside, Refused};
    match failure.downcast_ref() {
        Some(Foreign | Damaged(_) | NotEmpty(_) | FileExists(_) | Outside(_) | Differs(_)) => true,
        // Not, for want of room on the disk.
        Some(Refused { source, .. }) => !matches!(source, StoreError::Unavailable(_)),
        _ => false,
    }
}

/// An archive fits any database, so the trial needs none but the embedded one.
async fn attempt(settings: &Settings, file: File) -> Result<Summary, Failure> {
    let scratch = archives::scratch()?;
    let path = scratch.path().join("scratch.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default())?;
    let transfer = database.transfer();
    let newest = transfer.newest_schema();
    let (database, migrated) = tokio::task::spawn_blocking(move || {
        let migrated = database.migrate();
        (database, migrated)
    })
    .await?;
    migrated?;
    let mut archive = archives::open(file, &settings.backup, newest)?;
    let bars = Bars::default();
    let load = transfer.load().await?;
    let summary = exit3_archive::restore(&mut archive, load, None, false, &bars).await;
    bars.finish();
    tokio::task::spawn_blocking(move || database.close()).await?;
    Ok(summary?)
}
