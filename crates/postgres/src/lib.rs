//! The PostgreSQL adapter of the ports.
//!
//! [`PgSettings`] describes a database, and [`connect`] creates a [`PgDatabase`] for it without
//! connecting yet, which hands out the repositories. Each repository method is one statement, so
//! nothing is left half done.
//!
//! Adapters in other crates, for tables of their own, get a [`PgHandle`], and describe their
//! statements with [`Sql`] and their lists with [`Listing`].

mod api_keys;
mod backups;
mod canaries;
mod clients;
mod connection;
mod contract_files;
mod database;
mod documents;
mod error;
mod events;
mod foreign;
mod handle;
mod health;
mod invitations;
mod jobs;
mod lane;
mod lead_intake;
mod lead_notes;
mod lead_weeks;
mod leads;
mod listing;
mod lists;
mod migrations;
mod obstacles;
mod opening;
mod pool;
mod position;
mod replica;
mod row;
mod rules;
mod settings;
mod sign_ins;
mod sql;
mod staff;
mod stale;
mod subscribers;
mod telemetry;
mod transfer;
mod word;

pub use database::{PgDatabase, connect};
pub use events::EventRow;
pub use foreign::foreign_source;
pub use handle::PgHandle;
pub use listing::{Beyond, Key, Listing};
pub use migrations::MigrationError;
pub use opening::Unfit;
pub use settings::{PgSettings, SettingsError};
pub use sql::{Conditions, Sql, Value};
pub use transfer::PgTransfer;
pub use word::Word;

use std::sync::Arc;

use exit3_ports::{Kept, Repositories};

impl PgDatabase {
    /// The repositories that the use cases need.
    pub fn repositories(&self) -> Repositories {
        let (pool, lists) = (&self.pool, &self.lists);
        Repositories {
            leads: Arc::new(leads::PgLeadRepository::new(pool.clone(), lists.clone())),
            subscribers: Arc::new(subscribers::PgSubscriberRepository::new(
                pool.clone(),
                lists.clone(),
            )),
            api_keys: Arc::new(api_keys::PgApiKeyRepository::new(pool.clone())),
            clients: Arc::new(clients::PgClientRepository::new(pool.clone(), lists.clone())),
            contract_files: Arc::new(contract_files::PgContractFileRepository::new(pool.clone())),
            staff: Arc::new(staff::PgStaffRepository::new(pool.clone())),
            lead_notes: Arc::new(lead_notes::PgLeadNoteRepository::new(pool.clone())),
            events: Arc::new(events::PgEventRepository::new(pool.clone())),
            backups: Arc::new(backups::PgBackupLog::new(pool.clone())),
            jobs: Arc::new(jobs::PgJobQueue::new(pool.clone())),
            sign_ins: Arc::new(sign_ins::PgSignIns::new(pool.clone())),
            invitations: Arc::new(invitations::PgInvitations::new(pool.clone())),
            canaries: Arc::new(canaries::PgCanaries::new(pool.clone())),
            lead_intake: Arc::new(lead_intake::PgLeadIntake::new(pool.clone())),
            lead_weeks: Arc::new(lead_weeks::PgLeadWeeks::new(pool.clone())),
            health: Arc::new(health::PgHealth::new(pool.clone(), Arc::clone(&self.asked))),
            kept: Kept::default(),
        }
    }
}
