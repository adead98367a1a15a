use exit3_domain::subscribers::{Subscriber, SubscriberId};

use exit3_ports::TRACE;

use crate::{App, FindError};

/// The subscriber of that id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "subscribers.find", skip_all)]
pub async fn find(app: &App, id: SubscriberId) -> Result<Subscriber, FindError> {
    app.subscribers.find(id).await?.ok_or(FindError::NotFound)
}
