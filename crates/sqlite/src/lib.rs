//! The embedded SQLite adapter of the ports.
//!
//! One thread writes. Writes that wait at the same time share a commit, so one `fsync` serves them
//! all, and none is answered before it. Readers have connections of their own, on the blocking
//! threads of the caller's runtime.
//!
//! Adapters in other crates, for tables of their own, get a [`SqliteStore`], and describe their
//! lists with [`Listed`].

mod api_keys;
mod backups;
mod canaries;
mod clients;
mod connection;
mod contract_files;
mod database;
mod deadline;
mod documents;
mod error;
mod events;
mod foreign;
mod freeze;
mod health;
mod invitations;
mod jobs;
mod lead_intake;
mod lead_notes;
mod lead_weeks;
mod leads;
mod listing;
mod merge;
mod migrations;
mod readers;
mod search;
mod sign_ins;
mod spool;
mod sql;
mod staff;
mod store;
mod subscribers;
mod telemetry;
mod transfer;
mod values;
mod window;
mod writer;

pub use connection::{FilesError, OpenError};
pub use database::{SqliteDatabase, SqliteSettings};
pub use error::from_diesel;
pub use events::EventRow;
pub use foreign::foreign_source;
pub use listing::Listed;
pub use spool::SqliteSpool;
pub use sql::Sql;
pub use store::{SqliteStore, check_seen};
pub use transfer::SqliteTransfer;
pub use values::{microseconds, moment, text, unreadable};

use std::sync::Arc;

use exit3_ports::{Kept, Repositories};

impl SqliteDatabase {
    /// The repositories that the use cases need.
    pub fn repositories(&self) -> Repositories {
        let store = || self.store.clone();
        Repositories {
            leads: Arc::new(leads::SqliteLeadRepository::new(store())),
            subscribers: Arc::new(subscribers::SqliteSubscriberRepository::new(store())),
            api_keys: Arc::new(api_keys::SqliteApiKeyRepository::new(store())),
            clients: Arc::new(clients::SqliteClientRepository::new(store())),
            contract_files: Arc::new(contract_files::SqliteContractFileRepository::new(store())),
            staff: Arc::new(staff::SqliteStaffRepository::new(store())),
            lead_notes: Arc::new(lead_notes::SqliteLeadNoteRepository::new(store())),
            events: Arc::new(events::SqliteEventRepository::new(store())),
            backups: Arc::new(backups::SqliteBackupLog::new(store())),
            jobs: Arc::new(jobs::SqliteJobQueue::new(store())),
            sign_ins: Arc::new(sign_ins::SqliteSignIns::new(store())),
            invitations: Arc::new(invitations::SqliteInvitations::new(store())),
            canaries: Arc::new(canaries::SqliteCanaries::new(store())),
            lead_intake: Arc::new(lead_intake::SqliteLeadIntake::new(store())),
            lead_weeks: Arc::new(lead_weeks::SqliteLeadWeeks::new(store())),
            health: Arc::new(health::SqliteHealth::new(store(), self.connector.clone())),
            kept: Kept::default(),
        }
    }
}
