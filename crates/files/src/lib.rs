//! Contract files in a directory: implements the port
//! [`ContractStore`](exit3_ports::ContractStore).

mod directory;
mod staging;

pub use directory::{ContractDirectory, is_stale};
