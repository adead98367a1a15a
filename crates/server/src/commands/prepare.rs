//! Checks of the database that commands make before they begin.

use exit3_ports::SchemaState;

use super::Failure;
use crate::backend::Backend;
use crate::module::Configured;
use crate::settings::Settings;

/// Creates the schema if it is missing, as on a first start. An outdated schema is left to `serve`
/// and `migrate`, because an operator may be rolling back.
///
/// # Errors
/// The schema is missing and may not be created, or it is outdated.
pub(super) async fn schema(settings: &Settings, backend: &Backend) -> Result<(), Failure> {
    let problem = match backend.schema_state().await? {
        SchemaState::Current => return Ok(()),
        SchemaState::Missing if settings.auto_migrate => {
            backend.migrate().await?;
            return Ok(());
        }
        SchemaState::Missing => "there is no schema yet",
        SchemaState::Outdated => "the schema is outdated",
    };
    Err(format!("{}: {problem}: run `exit3 migrate`", backend.describe()).into())
}

/// Migrates the tables of a module if the settings allow it.
///
/// # Errors
/// They are not migrated.
pub(super) async fn module(
    settings: &Settings,
    backend: &Backend,
    module: &Configured,
) -> Result<(), Failure> {
    if settings.auto_migrate {
        backend.migrate_modules().await;
    } else {
        backend.check_modules().await;
    }
    match module.switch.off() {
        Some(reason) => {
            Err(format!("the module {} is off: {reason}", module.switch.module()).into())
        }
        None => Ok(()),
    }
}

/// Checks that the database can be written.
///
/// # Errors
/// The database was promoted.
pub(super) fn writable(backend: &Backend) -> Result<(), Failure> {
    if !backend.is_frozen() {
        return Ok(());
    }
    let place = backend.describe();
    Err(format!("{place} is read-only since it was promoted: exit3 promote --abort undoes that")
        .into())
}
