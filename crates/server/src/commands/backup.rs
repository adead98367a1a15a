use clap::Args;
use exit3_ports::Clock;

use super::{Failure, runtime, say, unless_stopped, whisper};
use crate::archives::{self, Made};
use crate::backend::Backend;
use crate::backup_store::BackupStore;
use crate::clock::SystemClock;
use crate::erasures;
use crate::progress::Bars;
use crate::settings::{BackupSettings, Settings};

/// The target and the options.
#[derive(Args)]
pub(super) struct Backup {
    /// A directory, or s3://bucket/prefix; BACKUP_TO by default
    #[arg(long)]
    to: Option<String>,
    /// Once the new archive is complete, removes archives that are this many days older than the
    /// seventh newest
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
}

/// Writes all data to an archive.
pub(super) fn backup(settings: &Settings, what: &Backup) -> Result<(), Failure> {
    let store = store(what.to.as_deref(), &settings.backup)?;
    let backend = Backend::open(settings)?;
    runtime()?.block_on(unless_stopped(async {
        let now = SystemClock.now();
        let bars = Bars::default();
        let made = archives::make(&backend, &settings.backup, &store, now, &bars).await?;
        bars.finish();
        tell(&made);
        if let Some(obstacle) = store.obstacle() {
            whisper(format_args!("exit3: {obstacle}"));
        }
        let log = backend.repositories(1).backups;
        if let Err(error) = log.note_backup(now).await {
            say(format_args!("The backup could not be recorded in the database: {error}"));
        }
        if let Some(days) = what.keep_days {
            let status = log.status().await.unwrap_or_default();
            for name in store.expire(days, now, status.verified_at).await? {
                say(format_args!("Removed {name}"));
            }
            erasures::expire(&store).await?;
        }
        Ok(())
    }))
}

/// The store that `given` names, or else the settings.
pub(super) fn store(
    given: Option<&str>,
    settings: &BackupSettings,
) -> Result<BackupStore, Failure> {
    let name = given.or(settings.to.as_deref());
    Ok(BackupStore::parse(name.ok_or("say where backups are, or set BACKUP_TO")?)?)
}

/// Prints what an archive contains.
pub(super) fn tell(made: &Made) {
    let Made { name, size, summary } = made;
    let (rows, files) = (summary.rows(), summary.files);
    say(format_args!("{name}: {rows} rows, {files} contract files, {size} bytes"));
    for left_out in &summary.left_out {
        say(format_args!("Left out, because it is not a file: {left_out}"));
    }
    if summary.without_file > 0 {
        let (count, first) = (summary.without_file, &summary.first_without_file);
        whisper(format_args!(
            "The contract files of {count} clients are missing; the first ids: {first:?}"
        ));
    }
}
