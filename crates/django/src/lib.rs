//! Takes over from the Django service that this one replaces: what becomes of its rows
//! ([`import`]) and of its contract files, and whether the two services answer alike
//! ([`diff`]). A crate of its own, so that it can be removed when nobody moves any more.
//!
//! An import can be run again: what was brought is remembered, row by row, so that a row
//! that was changed here is never overwritten by accident.

mod contracts;
mod decide;
pub mod diff;
mod error;
mod import;
mod plan;
mod report;
mod rows;
mod sums;
mod tables;
mod walk;
mod write;

pub use contracts::{Contracts, ContractsError};
pub use decide::{Conflict, Why};
pub use error::ImportError;
pub use import::{Imported, ImportedTable, Options, import};
pub use report::{Remark, Report, What};
