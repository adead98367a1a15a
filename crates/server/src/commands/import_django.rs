use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use exit3_django::{Contracts, ImportError, Imported, Options, import};
use exit3_domain::events::{Actor, Author};
use exit3_ports::Clock;
use secrecy::{ExposeSecret, SecretString};

use super::{Failure, prepare, runtime, say, unless_stopped};
use crate::backend::Backend;
use crate::clock::SystemClock;
use crate::settings::words::secret;
use crate::settings::{Arguments, DatabaseSettings, Settings};

/// The source and the options.
#[derive(Args)]
pub(super) struct ImportDjango {
    /// The database of the Django service, which is only read:
    /// postgres://user:password@host:port/name, or sqlite:///path
    #[arg(long, env = "IMPORT_FROM", hide_env_values = true, value_parser = secret)]
    from: SecretString,
    /// The directory of its uploaded files (MEDIA_ROOT); without it, contract files are not copied
    #[arg(long)]
    media: Option<PathBuf>,
    /// A file for remarks about single rows; it contains personal data
    #[arg(long)]
    report: Option<PathBuf>,
    /// Lets the Django service's data overwrite changes made here
    #[arg(long)]
    overwrite: bool,
}

/// Imports everything from the Django service's database, or nothing.
pub(super) fn import_django(
    settings: &Settings,
    arguments: &Arguments,
    what: &ImportDjango,
) -> Result<(), Failure> {
    let from = DatabaseSettings::from_url(what.from.expose_secret(), arguments)
        .map_err(|error| format!("--from {}", error.problem()))?;
    let contracts = Contracts::new(what.media.as_deref(), Arc::clone(&settings.backup.contracts))?;
    let options =
        Options { disposable: settings.disposable.clone(), contracts, overwrite: what.overwrite };
    let backend = Backend::open(settings)?;
    let imported = runtime()?.block_on(unless_stopped(async {
        let mut source =
            Backend::foreign(&from).await.map_err(|error| format!("--from: {error}"))?;
        prepare::writable(&backend)?;
        prepare::schema(settings, &backend).await?;
        let here = backend.transfer().load().await?;
        let act = Author::from(Actor::command("import-django")).at(SystemClock.now());
        Ok(import(source.as_mut(), here, &options, &act).await)
    }))?;
    match imported {
        Ok(imported) => tell(&backend, what, &imported),
        Err(error) => {
            if let ImportError::Conflicts(conflicts) = &error {
                let lines = conflicts.iter().map(|conflict| format!("{conflict}\n"));
                let report: String = lines.collect();
                say(format_args!("{}", report.trim_end()));
                if let Some(file) = &what.report {
                    write(file, &report).map_err(|problem| {
                        format!("{error}; and --report cannot be written: {problem}")
                    })?;
                }
            }
            Err(error.into())
        }
    }
}

fn tell(backend: &Backend, what: &ImportDjango, imported: &Imported) -> Result<(), Failure> {
    let report = imported.report.to_string();
    if let Some(file) = &what.report {
        write(file, &report).map_err(|error| {
            format!("everything was imported, but --report cannot be written: {error}")
        })?;
    }
    say(format_args!("{report}"));
    for table in &imported.tables {
        let there = &table.there;
        let merged = match table.merged {
            0 => String::new(),
            merged => format!(", {merged} merged into others"),
        };
        say(format_args!(
            "{} -> {}: {} rows ({} added, {} changed, {} removed{merged})",
            table.from, there.name, there.rows, table.added, table.changed, table.removed
        ));
        for (side, sum) in [("there", there), ("here", &table.here)] {
            say(format_args!("  {side:5} {} rows, SHA-256 {}", sum.rows, sum.sha256));
        }
    }
    match &what.media {
        Some(_) => say(format_args!("contracts: {} are here", imported.contracts)),
        None => say(format_args!("contracts: none copied, because --media is not given")),
    }
    say(format_args!(
        "{}: everything was imported and verified; {} remarks",
        backend.describe(),
        imported.report.remarks.len()
    ));
    Ok(())
}

/// For its owner only, because it contains personal data.
fn write(file: &Path, report: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(report.as_bytes())
}
