use clap::Args;
use exit3_archive::Summary;
use exit3_ports::{Clock, Transfer};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};

use super::backup::place;
use super::progress::Bars;
use super::{Failure, runtime, say};
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
    runtime()?.block_on(async {
        let tried = attempt(settings, what).await;
        let log = backend.app(1).backups;
        let noted = log.note_verification(tried.is_ok(), SystemClock.now()).await;
        let (name, summary) = tried?;
        let (rows, files) = (summary.rows(), summary.files);
        say(format_args!(
            "{name}: {rows} rows and {files} contract files restored; counts and hashes are right"
        ));
        Ok(noted.map_err(|error| format!("it could not be noted in the database: {error}"))?)
    })
}

/// An archive fits any database, so the trial needs none but the embedded one.
async fn attempt(settings: &Settings, what: &VerifyBackup) -> Result<(String, Summary), Failure> {
    let name = match &what.archive {
        Some(name) => name.clone(),
        None => place(what.from.as_deref(), &settings.backup)?.newest().await?,
    };
    let file = Place::fetch(&name).await?;
    let scratch = tempfile::tempdir()?;
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
    Ok((name, summary?))
}
