//! The PostgreSQL adapter of the ports.
//!
//! [`PgSettings`] describes a database, and [`connect`] creates a [`PgDatabase`] for it without
//! connecting yet, which hands out the repositories. Each repository method is one statement, so
//! nothing is left half done.

mod api_keys;
mod backups;
mod clients;
mod connection;
mod database;
mod documents;
mod error;
mod foreign;
mod health;
mod lane;
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
mod sql;
mod staff;
mod subscribers;
mod telemetry;
mod transfer;
mod word;

pub use api_keys::PgApiKeyRepository;
pub use backups::PgBackupLog;
pub use clients::PgClientRepository;
pub use database::{PgDatabase, connect};
pub use foreign::foreign_source;
pub use health::PgHealth;
pub use leads::PgLeadRepository;
pub use migrations::MigrationError;
pub use opening::Unfit;
pub use settings::{PgSettings, SettingsError};
pub use staff::PgStaffRepository;
pub use subscribers::PgSubscriberRepository;
pub use transfer::PgTransfer;
