//! Contract files in a directory or in a bucket: implements the port
//! [`ContractStore`](exit3_ports::ContractStore). Also asks clamd about new ones.

mod bucket;
mod clamd;
mod directory;
mod staging;
mod upload;

pub use bucket::ContractBucket;
pub use clamd::Clamd;
pub use directory::{ContractDirectory, is_stale};
