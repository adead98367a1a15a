//! The embedded SQLite adapter of the ports.
//!
//! One thread writes. Writes that wait at the same time share a commit, so one `fsync` serves them
//! all, and none is answered before it. Readers have connections of their own, on the blocking
//! threads of the caller's runtime.

mod api_keys;
mod backups;
mod clients;
mod connection;
mod database;
mod deadline;
mod documents;
mod error;
mod foreign;
mod freeze;
mod health;
mod leads;
mod listing;
mod merge;
mod migrations;
mod readers;
mod sql;
mod staff;
mod store;
mod subscribers;
mod telemetry;
mod transfer;
mod window;
mod writer;

pub use api_keys::SqliteApiKeyRepository;
pub use backups::SqliteBackupLog;
pub use clients::SqliteClientRepository;
pub use connection::{FilesError, OpenError};
pub use database::{SqliteDatabase, SqliteSettings};
pub use foreign::foreign_source;
pub use health::SqliteHealth;
pub use leads::SqliteLeadRepository;
pub use staff::SqliteStaffRepository;
pub use subscribers::SqliteSubscriberRepository;
pub use transfer::SqliteTransfer;
