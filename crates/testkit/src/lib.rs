//! Shared test support: builders of valid values, and the contract suite that every adapter must
//! pass. What only our own adapters are tested with is hidden from the documentation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "this crate is only ever linked into tests, where a panic is the report"
)]

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
