use std::time::Duration;

use async_trait::async_trait;
use exit3_domain::quotas::{Quota, Rate};

/// Something that a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// What is counted.
    pub quota: Quota,
    /// How much of it there is. Charges of one quota and different rates are counted
    /// apart.
    pub rate: Rate,
    /// Who is counted.
    pub subject: u64,
}

/// How a subject stands after a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many more are granted now.
    pub remaining: u32,
    /// After how long one more is granted, where this one was refused.
    pub refused_for: Option<Duration>,
}

/// Counts what may be done only so often, by the generic cell rate algorithm: as
/// many at once as the rate's limit, and then evenly over its period.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Quotas: Send + Sync {
    /// Takes the charges in their order, up to the first that is refused; returns the
    /// standing after each of these. However many ask at the same time, no more are
    /// granted than there are. Never fails: where a counter that is shared with other
    /// nodes is away, this node's own counts.
    async fn charge(&self, charges: &[Charge]) -> Vec<Standing>;
}
