//! The adapters of the port [`Quotas`](exit3_ports::Quotas): [`LocalQuotas`] counts in this
//! process, [`SharedQuotas`] counts in Redis for all nodes and falls back to [`LocalQuotas`].

mod local;
mod shared;
mod subjects;

pub use local::LocalQuotas;
pub use shared::{PATIENCE, RedisUrlError, SharedQuotas};
