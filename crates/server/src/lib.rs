//! Exit Three's backend, put together. The binary `exit3` is a thin shell
//! around this library; another binary can call it with crates of its own.

mod archives;
mod backend;
mod backup_store;
mod clock;
pub mod commands;
mod dotenv;
mod flood;
mod ownership;
mod progress;
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
