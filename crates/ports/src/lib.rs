//! What the domain needs from the world, as traits.
//!
//! A method of a repository is a transaction: it happens as a whole or not at
//! all, also when the caller goes away in the middle of it. With the feature
//! `mock` every port has a mock of the same name (`MockLeadRepository`).

mod api_keys;
mod clock;
mod error;
mod health;
mod leads;
mod quotas;
mod session;
mod subscribers;

pub use api_keys::ApiKeyRepository;
pub use clock::Clock;
pub use error::{Constraint, StoreError};
pub use health::DatabaseHealth;
pub use leads::LeadRepository;
pub use quotas::{Charge, Quotas, Standing};
pub use session::{Position, Session};
pub use subscribers::SubscriberRepository;

#[cfg(feature = "mock")]
pub use {
    api_keys::MockApiKeyRepository, clock::MockClock, health::MockDatabaseHealth,
    leads::MockLeadRepository, quotas::MockQuotas, subscribers::MockSubscriberRepository,
};

/// The target of all spans of traces: where nobody collects them they cost nothing, and
/// logs never show them.
pub const TRACE: &str = "exit3::trace";
