//! The adapters of the port [`Quotas`](exit3_ports::Quotas): [`LocalQuotas`] counts
//! in this process, [`SharedQuotas`] lets Redis count for all nodes and falls back to
//! the former.

mod local;
mod shared;
mod subjects;

pub use local::LocalQuotas;
pub use shared::{RedisUrlError, SharedQuotas};
