//! Archives of all data, for backups and for copies from one database to another.
//!
//! An archive is one file: a line of text with the version of its format, the content, and the
//! SHA-256 of both. The content is a stream of [records](record), compressed (zstd) and, if there
//! is a key, encrypted (age). Rows have one canonical form, independent of the database, so their
//! hashes are the same everywhere. This crate knows no database and no directory: it
//! reads and writes rows through the ports [`Snapshot`](exit3_ports::Snapshot) and
//! [`Load`](exit3_ports::Load), and contract files through
//! [`ContractStore`](exit3_ports::ContractStore).

mod copy;
mod error;
mod hash;
mod keys;
mod modules;
mod read;
mod record;
mod rows;
mod write;

pub use copy::{Progress, Summary, back_up, copy, restore, restore_and, sums};
pub use error::ArchiveError;
pub use keys::{Keys, Lock};
pub use modules::{LeftOut, check_modules};
pub use read::{ArchiveReader, Event, check};
pub use record::{FileSum, Head, TableSum};
pub use rows::{Summing, encode};
pub use write::ArchiveWriter;
