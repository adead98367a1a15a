//! What a command needs of the database before it begins.

use exit3_ports::SchemaState;

use super::Failure;
use crate::backend::Backend;
use crate::settings::Settings;

/// Makes the schema where there is none, as on a first start. One that is outdated is
/// perhaps to stay so, since somebody rolls back: it is left to `serve` and `migrate`.
///
/// # Errors
/// There is none and none may be made, or it is outdated.
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

/// Sees that the database can be changed.
///
/// # Errors
/// It was promoted.
pub(super) fn writable(backend: &Backend) -> Result<(), Failure> {
    if !backend.is_frozen() {
        return Ok(());
    }
    let place = backend.describe();
    Err(format!("{place} can only be read since it was promoted: exit3 promote --abort lifts that")
        .into())
}
