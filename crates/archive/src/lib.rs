//! Archives of everything that the service keeps, for backups and for the way from one
//! database to another.
//!
//! An archive is one file: a line of text with the version of its format, the content,
//! and the SHA-256 of all that. The content is a stream of [records](record), compressed
//! (zstd) and, where there is a key, encrypted (age). Rows are written in one canonical
//! form, whichever database they come from, so that their hashes are the same everywhere.
//! Nothing here knows a database: rows come and go through the ports
//! [`Snapshot`](exit3_ports::Snapshot) and [`Load`](exit3_ports::Load).

mod copy;
mod error;
mod files;
mod hash;
mod keys;
mod read;
mod record;
mod rows;
mod write;

pub use copy::{Progress, Summary, back_up, copy, restore, sums};
pub use error::ArchiveError;
pub use files::{ContractFiles, Staging, is_stale};
pub use keys::{Keys, Lock};
pub use read::{ArchiveReader, Event, check};
pub use record::{FileSum, Head, TableSum};
pub use rows::{Summing, encode};
pub use write::ArchiveWriter;
