use exit3_domain::subscribers::{Subscriber, SubscriberId};

use crate::{App, FindError};

/// The subscriber of that id.
///
/// # Errors
/// [`FindError`].
pub async fn find(app: &App, id: SubscriberId) -> Result<Subscriber, FindError> {
    app.subscribers.find(id).await?.ok_or(FindError::NotFound)
}
