use super::{Failure, runtime, say};
use crate::backend::Backend;
use crate::settings::Settings;

/// Brings the database's schema up to date.
pub(super) fn migrate(settings: &Settings) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    let applied = runtime()?.block_on(backend.migrate())?;
    match applied {
        0 => say(format_args!("{} is up to date", backend.describe())),
        1 => say(format_args!("{}: 1 migration applied", backend.describe())),
        _ => say(format_args!("{}: {applied} migrations applied", backend.describe())),
    }
    Ok(())
}
