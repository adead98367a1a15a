//! Contract files in a directory, behind the port [`ContractStore`](exit3_ports::ContractStore).

mod directory;
mod staging;

pub use directory::{ContractDirectory, is_stale};
