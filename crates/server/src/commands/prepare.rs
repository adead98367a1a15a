//! Checks of the database that commands make before they begin.

use exit3_ports::{ModuleSchema, Rows, SchemaState, Target};

use super::Failure;
use crate::backend::Backend;
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

/// Creates the tables of a module if they are missing, as [`schema`] does with ours.
///
/// # Errors
/// They are missing and may not be created, or they are outdated.
pub(super) async fn module(
    settings: &Settings,
    backend: &Backend,
    module: ModuleSchema,
) -> Result<(), Failure> {
    let problem = match backend.module_state(module).await? {
        SchemaState::Current => return Ok(()),
        SchemaState::Missing if settings.auto_migrate => {
            match backend.migrate_module(module, Target::Newest, Rows::Keep).await {
                Ok(_) => return Ok(()),
                Err(error) => error.to_string(),
            }
        }
        SchemaState::Missing => "they are not there yet: run `exit3 migrate`".to_owned(),
        SchemaState::Outdated => "they are outdated: run `exit3 migrate`".to_owned(),
    };
    let (place, name) = (backend.describe(), module.module);
    Err(format!("{place}: the tables of the module {name} cannot be used: {problem}").into())
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
