//! Takes over data from the Django service that this service replaces: converts its rows
//! ([`import`]), copies its contract files, and compares the answers of both services ([`diff`]).
//! It is a crate of its own, so that it can be removed once nobody migrates any more.
//!
//! An import can be repeated. Every imported row is remembered, so a row that was changed here is
//! never overwritten by accident.

mod contracts;
mod decide;
pub mod diff;
mod error;
mod import;
mod plan;
mod report;
mod rows;
mod source;
mod sums;
mod tables;
mod walk;
mod write;

pub use contracts::{Contracts, ContractsError};
pub use decide::{Conflict, Why};
pub use error::ImportError;
pub use import::{Imported, ImportedTable, Options, import};
pub use report::{Remark, Report, What};
pub use source::DJANGO_TABLES;
