use std::time::Duration;

use async_trait::async_trait;
use exit3_domain::quotas::{Quota, Rate};

/// One unit to be counted against a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The quota.
    pub quota: Quota,
    /// The rate limit. Charges of the same quota with different rates are counted separately.
    pub rate: Rate,
    /// The number of the address or key that is counted.
    pub subject: u64,
}

/// A subject's balance after a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many more charges would be granted now.
    pub remaining: u32,
    /// The time until the next charge is granted, if this one was refused.
    pub refused_for: Option<Duration>,
}

/// Counts rate limits with the generic cell rate algorithm: up to the rate's limit at once, then
/// evenly over its period.
///
/// What is refused says when to try again:
/// ```
/// use std::time::Duration;
///
/// use exit3_domain::quotas::{Period, Quota, Rate};
/// use exit3_ports::{Charge, MockQuotas, Quotas, Standing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let minute = Duration::from_secs(60);
/// let mut quotas = MockQuotas::new();
/// let refused = Standing { remaining: 0, refused_for: Some(minute) };
/// quotas.expect_charge().returning(move |_| vec![refused]);
///
/// let rate = Rate { limit: 10, period: Period::Minute };
/// let charge = Charge { quota: Quota::LeadCreate, rate, subject: 7 };
/// let standing = quotas.charge(&[charge]).await;
/// assert_eq!(standing.last().and_then(|it| it.refused_for), Some(minute));
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Quotas: Send + Sync {
    /// Makes the charges in order, up to the first refused one, and returns the standing after
    /// each. Concurrent calls never get more than the limit in total. Never fails: if a counter
    /// shared with other nodes is unavailable, this node counts for itself.
    async fn charge(&self, charges: &[Charge]) -> Vec<Standing>;

    /// Takes granted charges back, each so many times, as if they had not been made. Never fails:
    /// what a shared counter misses is replenished with time.
    async fn give_back(&self, charges: &[(Charge, u32)]);
}
