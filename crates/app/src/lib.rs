//! The use cases. The API, the back office and the command line all come
//! through here: one file a resource, plain functions over the ports.

pub mod api_keys;
pub mod backups;
mod error;
pub mod health;
pub mod leads;
pub mod quotas;
pub mod subscribers;
mod telemetry;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use exit3_domain::email::DisposableDomains;
use exit3_ports::{Clock, Quotas, Repositories};

use crate::api_keys::Keyring;
use crate::quotas::Limits;

pub use error::{FindError, ListError, SaveError, UpdateError};

/// What the use cases work with.
#[derive(Clone)]
pub struct App {
    /// Keeps what there is.
    pub repositories: Repositories,
    /// The keys that were seen a moment ago.
    pub keyring: Arc<Keyring>,
    /// Counts what may be done only so often.
    pub quotas: Arc<dyn Quotas>,
    /// How often that is.
    pub limits: Limits,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Whose addresses are refused.
    pub disposable: DisposableDomains,
}
