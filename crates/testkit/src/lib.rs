//! Shared test support: builders of valid values, and the contract suite that every adapter must
//! pass. What only our own adapters are tested with is hidden from the documentation.
//!
//! The rules that all adapters of a port keep are functions over the port. A macro of the module's
//! own makes a test of each over each database, so an adapter that breaks a rule fails by its name:
//!
//! ```no_run
//! use exit3_ports::Repositories;
//! use exit3_testkit::builders::{lead, some_act};
//! use exit3_testkit::postgres;
//!
//! async fn a_lead_is_found_by_its_id(all: Repositories) {
//!     let stored = all.leads.create(&lead().build(), &some_act()).await.unwrap();
//!     assert_eq!(all.leads.find(stored.id).await.unwrap(), Some(stored));
//! }
//!
//! # async fn connect(_: &str) -> Repositories { unimplemented!() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // In the test of PostgreSQL. The server is started once, and stops with the test program.
//! let database = postgres::shared().create_database().await;
//! // `exit3_postgres::connect`, migrated: see the tests of the example.
//! let repositories = connect(database.url()).await;
//! a_lead_is_found_by_its_id(repositories).await;
//! # }
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "this crate is only ever linked into tests, where a panic is the report"
)]

pub mod app;
#[doc(hidden)]
pub mod bookings;
pub mod builders;
pub mod collector;
#[doc(hidden)]
pub mod contract;
mod lead_rules;
pub mod log;
#[doc(hidden)]
pub mod migrations;
#[doc(hidden)]
pub mod modules;
pub mod postgres;
#[doc(hidden)]
pub mod quotas;
pub mod redis;
pub mod relay;
mod rules;
#[cfg(feature = "service")]
pub mod service;
#[doc(hidden)]
pub mod smtp;
pub mod unique;
