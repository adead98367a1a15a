use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use async_trait::async_trait;
use exit3_domain::quotas::{Quota, Rate};
use exit3_ports::{Charge, Quotas, Standing};
use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;

use crate::subjects::Subjects;

type Limiter<C> = RateLimiter<u64, Subjects, C, StateInformationMiddleware>;
/// A quota with the limit and the period of its rate.
type Which = (Quota, u32, Duration);
/// One limiter for each quota and rate, and its state; keys may have rates of their own.
type Limiters<C> = BTreeMap<Which, (Arc<Limiter<C>>, Subjects)>;

/// Counts in the memory of this process.
#[derive(Debug)]
pub struct LocalQuotas<C: Clock = MonotonicClock> {
    limiters: RwLock<Limiters<C>>,
    clock: C,
}

impl Default for LocalQuotas {
    fn default() -> Self {
        Self::new(MonotonicClock)
    }
}

impl<C: Clock + Clone> LocalQuotas<C> {
    /// Creates quotas of which nothing has been used.
    pub fn new(clock: C) -> Self {
        Self { limiters: RwLock::default(), clock }
    }

    /// Like [`Quotas::charge`], but synchronous.
    pub(crate) fn charge_now(&self, charges: &[Charge]) -> Vec<Standing> {
        let mut standings = Vec::with_capacity(charges.len());
        let mut known = self.known();
        for charge in charges {
            let which = (charge.quota, charge.rate.limit, charge.rate.period.duration());
            let standing = loop {
                if let Some((limiter, _)) = known.get(&which) {
                    break self.ask(limiter, charge);
                }
                drop(known);
                self.learn(which, charge.rate);
                known = self.known();
            };
            standings.push(standing);
            if standing.refused_for.is_some() {
                break;
            }
        }
        standings
    }

    fn known(&self) -> RwLockReadGuard<'_, Limiters<C>> {
        self.limiters.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, which: Which, rate: Rate) {
        let mut known = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(which).or_insert_with(|| {
            let subjects = Subjects::default();
            (Arc::new(self.limiter(rate, subjects.clone())), subjects)
        });
    }

    fn ask(&self, limiter: &Limiter<C>, charge: &Charge) -> Standing {
        match limiter.check_key(&charge.subject) {
            Ok(snapshot) => {
                Standing { remaining: snapshot.remaining_burst_capacity(), refused_for: None }
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                // A refusal always has a wait, even if the clock has moved on since.
                let wait = wait.max(Duration::from_nanos(1));
                Standing { remaining: 0, refused_for: Some(wait) }
            }
        }
    }

    fn limiter(&self, rate: Rate, subjects: Subjects) -> Limiter<C> {
        let all = NonZeroU32::new(rate.limit).unwrap_or(NonZeroU32::MIN);
        let even = governor::Quota::with_period(gap(rate));
        let even = even.unwrap_or(governor::Quota::per_second(all)).allow_burst(all);
        Limiter::new(even, subjects, self.clock.clone())
    }

    /// Like [`Quotas::give_back`], but synchronous.
    pub(crate) fn give_back_now(&self, charges: &[(Charge, u32)]) {
        let known = self.known();
        for (charge, times) in charges {
            let which = (charge.quota, charge.rate.limit, charge.rate.period.duration());
            if let Some((_, subjects)) = known.get(&which) {
                subjects.give_back(charge.subject, Nanos::from(gap(charge.rate) * *times));
            }
        }
    }

    /// Forgets subjects whose quota is full again, and frees the memory. Call it now and then.
    pub fn forget_idle(&self) {
        let limiters: Vec<_> = self.known().values().cloned().collect();
        for (limiter, _) in limiters {
            limiter.retain_recent();
        }
    }

    /// The number of remembered subjects in all quotas.
    pub fn remembered(&self) -> usize {
        self.known().values().map(|(limiter, _)| limiter.len()).sum()
    }
}

/// The time in which one charge is replenished; never zero.
fn gap(rate: Rate) -> Duration {
    (rate.period.duration() / rate.limit.max(1)).max(Duration::from_nanos(1))
}

#[async_trait]
impl<C: Clock + Clone + Send + Sync + 'static> Quotas for LocalQuotas<C>
where
    C::Instant: Send + Sync,
{
    async fn charge(&self, charges: &[Charge]) -> Vec<Standing> {
        self.charge_now(charges)
    }

    async fn give_back(&self, charges: &[(Charge, u32)]) {
        self.give_back_now(charges);
    }
}
