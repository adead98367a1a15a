use exit3_domain::subscribers::SubscriberId;

use exit3_ports::TRACE;

use crate::{App, FindError};

/// Removes the subscriber of that id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "subscribers.delete", skip_all)]
pub async fn delete(app: &App, id: SubscriberId) -> Result<(), FindError> {
    Ok(app.subscribers.delete(id).await?)
}
