//! Shared test support: builders of valid values, and the contract suite that every adapter must
//! pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "this crate is only ever linked into tests, where a panic is the report"
)]

pub mod bookings;
pub mod builders;
pub mod collector;
pub mod contract;
mod lead_rules;
pub mod log;
pub mod migrations;
pub mod modules;
pub mod postgres;
pub mod quotas;
pub mod redis;
pub mod relay;
mod rules;
