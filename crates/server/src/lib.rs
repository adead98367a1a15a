//! Composes Exit Three's backend. The binary `exit3` is a thin wrapper around this library, and
//! other binaries can use it with crates of their own.

mod archives;
mod backend;
mod backup_store;
mod clock;
pub mod commands;
mod dotenv;
mod erasures;
mod flood;
mod invitation;
mod jobs;
mod ownership;
mod progress;
mod s3;
mod secrets;
pub mod settings;
mod signals;
mod starting;
mod systemd;
mod telemetry;
mod upgrade;
mod variables;
mod watchdog;

pub use backend::Backend;
pub use clock::SystemClock;
pub use commands::run;
