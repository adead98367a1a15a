//! What can be done with newsletter subscribers.

mod create;
mod delete;
mod find;
mod list;
mod sign_up;
mod update;

pub use create::create;
pub use delete::delete;
pub use find::find;
pub use list::{list, walk};
pub use sign_up::sign_up;
pub use update::{change, replace};

use exit3_domain::subscribers::{SubscriberId, already_subscribed};
use exit3_domain::validation::Invalid;
use exit3_ports::StoreError;

use crate::App;

/// Adds to what is wrong with an input that its address belongs to another than
/// `own`: all errors come at once, also the one that only the database knows.
async fn with_taken_address(
    app: &App,
    mut invalid: Invalid,
    address: Option<String>,
    own: Option<SubscriberId>,
) -> Result<Invalid, StoreError> {
    if let Some(address) = address {
        let holder = app.subscribers.find_by_email(&address).await?;
        if holder.is_some_and(|holder| Some(holder.id) != own) {
            invalid.merge(already_subscribed());
        }
    }
    Ok(invalid)
}
