//! What the domain needs from the world, as traits.
//!
//! A method of a repository is a transaction: it happens as a whole or not at
//! all, also when the caller goes away in the middle of it. With the feature
//! `mock` every port has a mock of the same name (`MockLeadRepository`).

mod api_keys;
mod clients;
mod clock;
mod error;
mod health;
mod leads;
mod migrations;
mod quotas;
mod staff;
mod subscribers;

pub use api_keys::ApiKeyRepository;
pub use clients::ClientRepository;
pub use clock::Clock;
pub use error::{Constraint, StoreError};
pub use health::DatabaseHealth;
pub use leads::LeadRepository;
pub use migrations::{Migration, Moved, NoWay, Rows, Target, Way};
pub use quotas::{Charge, Quotas, Standing};
pub use staff::StaffRepository;
pub use subscribers::SubscriberRepository;

#[cfg(feature = "mock")]
pub use {
    api_keys::MockApiKeyRepository, clients::MockClientRepository, clock::MockClock,
    health::MockDatabaseHealth, leads::MockLeadRepository, quotas::MockQuotas,
    staff::MockStaffRepository, subscribers::MockSubscriberRepository,
};
