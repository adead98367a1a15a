use std::sync::Arc;

use clap::Args;
use exit3_archive::{ArchiveError, Summary, check_modules};
use exit3_ports::Transfer;
use exit3_sqlite::SqliteDatabase;
use secrecy::{ExposeSecret, SecretString};

use super::{Failure, runtime, say};
use crate::backend::Backend;
use crate::progress::Bars;
use crate::settings::words::secret;
use crate::settings::{Arguments, DatabaseSettings, Settings};

/// The target, or the wish to go back.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Promote {
    /// The empty database that takes over: postgres://user:password@host:port/name
    #[arg(long, env = "PROMOTE_TO", hide_env_values = true, value_parser = secret)]
    to: Option<SecretString>,
    /// Keeps the embedded database, and allows writing to it again
    #[arg(long)]
    abort: bool,
}

/// Moves from the embedded database to PostgreSQL. The embedded database becomes read-only before
/// the copy, so that no write is left behind.
pub(super) fn promote(
    settings: &Settings,
    arguments: &Arguments,
    what: &Promote,
) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    let from = backend.embedded().ok_or("DATABASE_URL is PostgreSQL already")?;
    let Some(url) = &what.to else {
        let (was_frozen, place) = (from.is_frozen()?, backend.describe());
        from.thaw()?;
        say(format_args!(
            "{place} {}",
            if was_frozen { "can be written to again" } else { "was not promoted" }
        ));
        return Ok(());
    };
    let to = DatabaseSettings::from_url(url.expose_secret(), arguments)
        .map_err(|error| format!("--to {}", error.problem()))?;
    let to = Backend::open_database(&to, settings)?;
    if to.embedded().is_some() {
        return Err("--to is not PostgreSQL".into());
    }
    let (was_frozen, place) = (from.is_frozen()?, backend.describe());
    let copied = runtime()?.block_on(async {
        to.migrate().await?;
        let target = to.transfer();
        move_over(Arc::clone(&from), target.as_ref()).await
    });
    let summary = match copied {
        Ok(summary) => summary,
        Err(failure) if is_uncertain(&failure) => {
            // If writes were allowed again, two databases might be written.
            return Err(format!(
                "{}: {failure}; {place} stays read-only until you have checked: if the rows are \
                 there, set DATABASE_URL and restart; if not, run it again, or exit3 promote \
                 --abort",
                to.describe()
            )
            .into());
        }
        Err(failure) if was_frozen => return Err(failure),
        Err(failure) => {
            from.thaw()?;
            return Err(failure);
        }
    };
    say(format_args!(
        "{}: copied {} rows, and verified their hashes",
        to.describe(),
        summary.rows()
    ));
    say(format_args!("{place} is read-only from now on: writes get 503"));
    say(format_args!("Next: set DATABASE_URL (and SECRET_KEY and BASIC_API_KEY), and restart"));
    say(format_args!("To go back: exit3 promote --abort"));
    Ok(())
}

fn is_uncertain(failure: &Failure) -> bool {
    matches!(failure.downcast_ref(), Some(ArchiveError::Uncertain(_)))
}

async fn move_over(from: Arc<SqliteDatabase>, to: &dyn Transfer) -> Result<Summary, Failure> {
    let source = from.transfer();
    // Fail before writers are blocked, if possible.
    let mut load = to.load().await?;
    let mut snapshot = source.snapshot().await?;
    let schema = snapshot.schema().await?;
    if schema.as_str() > source.newest_schema() {
        return Err(ArchiveError::NewerDatabase(schema).into());
    }
    check_modules(snapshot.as_mut(), load.as_mut()).await?;
    drop(snapshot);
    tokio::task::spawn_blocking(move || from.freeze()).await??;
    let mut snapshot = source.snapshot().await?;
    let bars = Bars::default();
    let summary = exit3_archive::copy(snapshot.as_mut(), load, &bars).await?;
    bars.finish();
    Ok(summary)
}
