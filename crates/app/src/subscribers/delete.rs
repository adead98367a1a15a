use exit3_domain::subscribers::SubscriberId;

use crate::{App, FindError};

/// Removes the subscriber of that id.
///
/// # Errors
/// [`FindError`].
pub async fn delete(app: &App, id: SubscriberId) -> Result<(), FindError> {
    Ok(app.subscribers.delete(id).await?)
}
