//! The interfaces that the domain needs, as traits.
//!
//! A method of a repository is a transaction: it happens completely or not at all, even if the
//! caller disconnects in the middle. With the feature `mock`, every port that a use case calls has
//! a mock (`MockLeadRepository`).

pub mod api_keys;
mod backups;
pub mod canaries;
pub mod clients;
mod clock;
mod consistency;
pub mod contract_files;
mod contracts;
mod error;
pub mod events;
mod foreign;
mod health;
pub mod invitations;
pub mod jobs;
mod kept;
mod lead_intake;
pub mod lead_notes;
pub mod lead_weeks;
pub mod leads;
mod mail;
pub mod migrations;
pub mod modules;
mod quotas;
mod repositories;
pub mod sign_ins;
pub mod spool;
pub mod staff;
pub mod subscribers;
mod tables;
mod transfer;

pub use backups::{BackupLog, BackupStatus};
pub use canaries::Canaries;
pub use clock::Clock;
pub use consistency::{Consistency, LogPosition};
pub use contracts::{
    ContractContent, ContractError, ContractFound, ContractScanner, ContractStaging, ContractStore,
    ContractSum, ContractUpload, STAGED_LETTERS, STAGED_NAME, is_staged_name,
};
pub use error::{Constraint, RowRefused, StoreError, with_causes};
pub use foreign::{ForeignRow, ForeignSource, ForeignTable};
pub use health::{DatabaseHealth, Obstacle};
pub use invitations::Invitations;
pub use jobs::JobQueue;
pub use kept::Kept;
pub use lead_intake::LeadIntake;
pub use lead_weeks::LeadWeeks;
pub use mail::{MailError, Mailer};
pub use migrations::{Dropped, Migration, Moved, NoWay, Rows, SchemaState, Target, Way};
pub use modules::{Ladder, ModuleRecord, ModuleSchema, TableDefinition, rules};
pub use quotas::{Charge, Quotas, Standing};
pub use sign_ins::SignIns;
pub use spool::Spool;
pub use tables::{Column, Kind, NOT_MOVED, Row, Shape, Table, Value, table};
pub use transfer::{Load, Mark, PAGE_BYTES, Snapshot, Transfer};

#[cfg(feature = "mock")]
pub use {
    clock::MockClock,
    contracts::{MockContractScanner, MockContractStaging, MockContractStore, MockContractUpload},
    mail::MockMailer,
    quotas::MockQuotas,
    transfer::{MockSnapshot, MockTransfer},
};

// The resources: module, repository and mock. A table comes after those that it refers to.
repositories::resources! {
    /// Leads.
    leads: LeadRepository, MockLeadRepository;
    /// Newsletter subscribers.
    subscribers: SubscriberRepository, MockSubscriberRepository;
    /// API keys.
    api_keys: ApiKeyRepository, MockApiKeyRepository;
    /// What is known of contract files. The deletion of a client adds a row here, so a restore empties
    /// this table after that of clients.
    contract_files: ContractFileRepository, MockContractFileRepository;
    /// Clients.
    clients: ClientRepository, MockClientRepository;
    /// Staff accounts.
    staff: StaffRepository, MockStaffRepository;
    /// Notes about leads.
    lead_notes: LeadNoteRepository, MockLeadNoteRepository;
    /// Events.
    events: EventRepository, MockEventRepository;
}

/// Tables that the service uses but no archive contains: jobs, because a restored archive must not
/// do work again that was done since; the schedules, which begin anew in another database; the
/// positions of consumers, which begin behind the events of a restored archive; and sign-ins and
/// invitations, because a person who finds an archive must not find a way in, and because the
/// accounts of another archive may be other people. For the same reason, when a person was here last;
/// and the numbers of leads by week, which are computed from leads and events; and canaries, which the
/// service takes away within minutes.
pub const STAYING: &[Table] = &[
    jobs::TABLE,
    jobs::SCHEDULES,
    events::CONSUMERS,
    sign_ins::TABLE,
    sign_ins::VISITS,
    invitations::TABLE,
    lead_weeks::TABLE,
    canaries::TABLE,
];

/// The tables of [`STAYING`] that refer to rows of archives, or are computed from them. A restore
/// empties them.
pub const EMPTIED: &[Table] =
    &[sign_ins::TABLE, sign_ins::VISITS, invitations::TABLE, lead_weeks::TABLE];

/// The target of all trace spans. They cost nothing unless they are collected, and logs never show
/// them.
pub const TRACE: &str = "exit3::trace";
