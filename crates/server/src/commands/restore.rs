use std::fs::File;

use clap::Args;
use exit3_app::contracts;
use exit3_archive::{ArchiveError, LeftOut, restore_and};
use exit3_domain::events::{Actor, Author};
use exit3_ports::{Clock, Load};

use super::backup::tell;
use super::erase::told;
use super::{Failure, prepare, runtime, say, whisper};
use crate::archives;
use crate::backend::Backend;
use crate::backup_store::BackupStore;
use crate::clock::SystemClock;
use crate::erasures::Erasures;
use crate::progress::Bars;
use crate::settings::Settings;

/// The archive and the options.
#[derive(Args)]
pub(super) struct Restore {
    /// The archive: a file, or s3://bucket/key
    archive: String,
    /// Replaces existing data, after backing it up to BACKUP_TO or, without that, to `backups` in
    /// DATA_DIR
    #[arg(long)]
    replace: bool,
    /// Accepts a plain archive although a key or passphrase for backups is set
    #[arg(long)]
    allow_plain: bool,
}

/// Restores an archive into the database.
pub(super) fn restore(settings: &Settings, what: &Restore) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    runtime()?.block_on(async {
        let file = BackupStore::fetch(&what.archive).await?;
        restore_from(settings, &backend, file, what).await
    })
}

async fn restore_from(
    settings: &Settings,
    backend: &Backend,
    file: File,
    what: &Restore,
) -> Result<(), Failure> {
    let transfer = backend.transfer();
    // Reads all of it before anything is changed.
    let replace = what.replace;
    let newest = transfer.newest_schema();
    let mut archive = archives::open(file, &settings.backup, what.allow_plain, newest)?;
    prepare::writable(backend)?;
    prepare::schema(settings, backend).await?;
    for (module, _) in backend.schemas() {
        // Otherwise the rows of a module that was just switched on would be left out. A module
        // whose tables cannot be made does not hold up the restore of everything else.
        if let Err(failure) = prepare::module(settings, backend, module).await {
            whisper(format_args!("{failure}"));
        }
    }
    // No writes happen from here on, so the backup misses nothing.
    let mut load = transfer.load().await?;
    // Nobody can be erased from here on either.
    let erasures = Erasures::of(&what.archive, settings).await?;
    if replace && !is_empty(load.as_mut()).await? {
        back_up(settings, backend).await?;
    }
    let bars = Bars::default();
    let staging = Some(settings.backup.contracts.stage(replace));
    let mut erased = None;
    let act = Author::from(Actor::command("restore")).at(SystemClock.now());
    let erase = async |load: &mut dyn Load| {
        erased = erasures.apply(load, &act).await?;
        Ok(())
    };
    let restored = restore_and(&mut archive, load, staging, replace, &bars, erase);
    let summary = restored.await?;
    bars.finish();
    let head = archive.head();
    let (rows, files) = (summary.rows(), summary.files);
    let from = head.made_at.format("%Y-%m-%d %H:%M:%S UTC");
    say(format_args!(
        "{}: restored {rows} rows and {files} contract files of {from}; all hashes match",
        backend.describe()
    ));
    for LeftOut { module, table, rows } in &summary.left_out_tables {
        say(format_args!(
            "Left out: {rows} rows of the table {table} of the module {module}, which this \
             database does not have"
        ));
    }
    if let Some(erased) = erased {
        if !erased.is_empty() {
            say(format_args!("Erased again, as listed: {}", told(&erased)));
        }
        contracts::purge(&backend.patient_app()).await.map_err(|error| {
            format!(
                "the data was restored, but contract files that no client has could not be \
                 removed: {error}; run `exit3 erase` again for a person who was erased"
            )
        })?;
    }
    Ok(())
}

async fn is_empty(load: &mut dyn Load) -> Result<bool, ArchiveError> {
    for shape in load.shapes().await? {
        if load.count(shape.table).await? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Backs up the data that is about to be replaced.
async fn back_up(settings: &Settings, backend: &Backend) -> Result<(), Failure> {
    let store = settings.backup_store()?;
    let (now, bars) = (SystemClock.now(), Bars::default());
    let made = archives::make(backend, &settings.backup, &store, now, &bars).await?;
    bars.finish();
    tell(&made);
    Ok(())
}
