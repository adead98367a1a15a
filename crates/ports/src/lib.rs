//! The interfaces that the domain needs, as traits.
//!
//! A method of a repository is a transaction: it happens completely or not at all, even if the
//! caller disconnects in the middle. With the feature `mock`, every port that a use case calls has
//! a mock (`MockLeadRepository`).

mod api_keys;
mod backups;
mod clients;
mod clock;
mod consistency;
mod contracts;
mod error;
mod foreign;
mod health;
mod leads;
mod migrations;
mod quotas;
mod repositories;
mod staff;
mod subscribers;
mod tables;
mod transfer;

pub use api_keys::ApiKeyRepository;
pub use backups::{BackupLog, BackupStatus};
pub use clients::ClientRepository;
pub use clock::Clock;
pub use consistency::{Consistency, LogPosition};
pub use contracts::{
    ContractError, ContractFound, ContractStaging, ContractStore, STAGED_LETTERS, STAGED_NAME,
    is_staged_name,
};
pub use error::{Constraint, Guard, RULES, Rule, StoreError, with_causes};
pub use foreign::{ForeignRow, ForeignSource, ForeignTable};
pub use health::{DatabaseHealth, Obstacle};
pub use leads::LeadRepository;
pub use migrations::{Dropped, Migration, Moved, NoWay, Rows, SchemaState, Target, Way};
pub use quotas::{Charge, Quotas, Standing};
pub use repositories::Repositories;
pub use staff::StaffRepository;
pub use subscribers::SubscriberRepository;
pub use tables::{Column, Kind, NOT_MOVED, Row, Shape, TABLES, Table, Value, table};
pub use transfer::{Load, PAGE_BYTES, Snapshot, Transfer};

#[cfg(feature = "mock")]
pub use {
    api_keys::MockApiKeyRepository, backups::MockBackupLog, clients::MockClientRepository,
    clock::MockClock, health::MockDatabaseHealth, leads::MockLeadRepository, quotas::MockQuotas,
    repositories::MockRepositories, staff::MockStaffRepository,
    subscribers::MockSubscriberRepository,
};

/// The target of all trace spans. They cost nothing unless they are collected, and logs never show
/// them.
pub const TRACE: &str = "exit3::trace";
