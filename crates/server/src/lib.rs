//! Composes Exit Three's backend. The binary `exit3` is a thin wrapper around this library. Other
//! teams write such a binary of their own, which adds their [modules](Module) to the [`Service`].
//! What only the tests of this crate use is hidden from the documentation.

mod archives;
mod backend;
mod backup_store;
mod canaries;
mod clock;
#[doc(hidden)]
pub mod commands;
mod dotenv;
mod erasures;
mod flood;
mod invitation;
mod jobs;
mod memory;
mod module;
mod ownership;
mod progress;
mod s3;
mod secrets;
mod service;
#[doc(hidden)]
pub mod settings;
mod signals;
mod spool;
mod starting;
mod systemd;
mod telemetry;
mod upgrade;
mod variables;
mod watchdog;

pub use backend::Backend;
pub use clock::SystemClock;
pub use memory::Allocator;
pub use module::{Failure, Module, ModuleDatabase, Running};
pub use service::Service;
