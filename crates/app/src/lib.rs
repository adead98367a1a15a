//! The use cases. The API, the back office and the command line all come
//! through here: one file a verb, plain functions over the ports.

mod error;
pub mod health;
pub mod leads;
pub mod subscribers;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use exit3_domain::email::DisposableDomains;
use exit3_ports::{Clock, DatabaseHealth, LeadRepository, SubscriberRepository};

pub use error::{FindError, ListError, SaveError, UpdateError};

/// What the use cases work with.
#[derive(Clone)]
pub struct App {
    /// Keeps leads.
    pub leads: Arc<dyn LeadRepository>,
    /// Keeps newsletter subscribers.
    pub subscribers: Arc<dyn SubscriberRepository>,
    /// Tells how the database is.
    pub database: Arc<dyn DatabaseHealth>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Whose addresses are refused.
    pub disposable: DisposableDomains,
}
