//! The contract of [`Quotas`] adapters, one function per rule.
//!
//! Rules are quick: rates are per hour, so nothing is replenished while a rule runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use exit3_domain::quotas::{Period, Quota, Rate};
use exit3_ports::{Charge, Quotas, Standing};

/// A charge of `Quota::Visitor` for `subject` at this `rate`.
pub fn charge(rate: &str, subject: u64) -> Charge {
    // No setting has a rate per minutes, so none is parsed.
    let rate = match rate.split_once('/').map(|(limit, minutes)| (limit, minutes.strip_suffix('m')))
    {
        Some((limit, Some(minutes))) => Rate {
            limit: limit.parse().expect("a limit"),
            period: Period::Minutes(minutes.parse().expect("minutes")),
        },
        _ => rate.parse().expect("a rate"),
    };
    Charge { quota: Quota::Visitor, rate, subject }
}

/// Charges once.
pub async fn once(quotas: &dyn Quotas, charge: Charge) -> Standing {
    let standings = quotas.charge(&[charge]).await;
    assert_eq!(standings.len(), 1);
    standings[0]
}

/// Whether one charge is granted.
pub async fn is_granted(quotas: &dyn Quotas, charge: Charge) -> bool {
    once(quotas, charge).await.refused_for.is_none()
}

/// Generates one test per rule. The expression is evaluated once per test. It returns an `Arc<dyn
/// Quotas>` and a value that must live as long.
#[doc(hidden)]
#[macro_export]
macro_rules! quotas_contract {
    ($quotas:expr) => {
        $crate::quotas_contract! { @rules $quotas;
            grants_as_many_as_the_limit_and_no_more,
            of_a_thousand_at_once_exactly_ten_are_granted,
            subjects_are_counted_apart,
            quotas_and_rates_are_counted_apart,
            charges_after_a_refused_one_are_not_made,
            no_charges_are_no_trouble,
            a_limit_of_one_grants_one,
            the_highest_rate_is_no_trouble,
            what_is_given_back_can_be_charged_again,
            no_more_is_given_back_than_there_is,
        }
    };
    (@rules $quotas:expr; $($rule:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                let (quotas, _guard) = $quotas;
                $crate::quotas::$rule(quotas).await;
            }
        )*
    };
}

#[allow(missing_docs, reason = "the names of the rules say what holds")]
mod rules {
    use super::*;

    pub async fn grants_as_many_as_the_limit_and_no_more(quotas: Arc<dyn Quotas>) {
        for remaining in (0..10).rev() {
            let standing = once(&*quotas, charge("10/hour", 1)).await;
            assert_eq!(standing, Standing { remaining, refused_for: None });
        }
        let refused = once(&*quotas, charge("10/hour", 1)).await;
        assert_eq!(refused.remaining, 0);
        let wait = refused.refused_for.expect("it is refused");
        // One is replenished every six minutes.
        assert!(wait > Duration::from_secs(300) && wait <= Duration::from_secs(360), "{wait:?}");
    }

    pub async fn of_a_thousand_at_once_exactly_ten_are_granted(quotas: Arc<dyn Quotas>) {
        let asked: Vec<_> = (0..1000)
            .map(|_| {
                let quotas = Arc::clone(&quotas);
                tokio::spawn(async move { is_granted(&*quotas, charge("10/hour", 1)).await })
            })
            .collect();
        let mut granted = 0;
        for asked in asked {
            granted += usize::from(asked.await.unwrap());
        }
        assert_eq!(granted, 10);
    }

    pub async fn subjects_are_counted_apart(quotas: Arc<dyn Quotas>) {
        for subject in [0, 1, u64::MAX - 1, 0xffff_ffff_0a00_0001] {
            assert!(is_granted(&*quotas, charge("1/hour", subject)).await, "{subject}");
            assert!(!is_granted(&*quotas, charge("1/hour", subject)).await, "{subject}");
        }
    }

    pub async fn quotas_and_rates_are_counted_apart(quotas: Arc<dyn Quotas>) {
        let mut seen = BTreeSet::new();
        for quota in Quota::ALL {
            for rate in ["1/hour", "1/day"] {
                let charge = Charge { quota: *quota, ..charge(rate, 1) };
                assert!(is_granted(&*quotas, charge).await);
                assert!(!is_granted(&*quotas, charge).await);
                seen.insert((quota.as_str(), rate));
            }
        }
        assert_eq!(seen.len(), 2 * Quota::ALL.len());
    }

    pub async fn charges_after_a_refused_one_are_not_made(quotas: Arc<dyn Quotas>) {
        let (first, second) = (charge("1/hour", 1), charge("3/hour", 2));
        let granted = quotas.charge(&[first, second]).await;
        let remaining: Vec<u32> = granted.iter().map(|standing| standing.remaining).collect();
        assert_eq!(remaining, [0, 2]);
        let refused = quotas.charge(&[first, second]).await;
        assert_eq!(refused.len(), 1);
        assert!(refused[0].refused_for.is_some());
        assert_eq!(once(&*quotas, second).await.remaining, 1);
    }

    pub async fn no_charges_are_no_trouble(quotas: Arc<dyn Quotas>) {
        assert_eq!(quotas.charge(&[]).await, []);
    }

    pub async fn a_limit_of_one_grants_one(quotas: Arc<dyn Quotas>) {
        let standing = once(&*quotas, charge("1/day", 1)).await;
        assert_eq!(standing, Standing { remaining: 0, refused_for: None });
        let wait = once(&*quotas, charge("1/day", 1)).await.refused_for.unwrap();
        assert!(wait > Duration::from_secs(80_000) && wait <= Duration::from_secs(86_400));
    }

    pub async fn what_is_given_back_can_be_charged_again(quotas: Arc<dyn Quotas>) {
        let (one, other) = (charge("10/hour", 1), charge("10/150m", 1));
        for _ in 0..10 {
            quotas.charge(&[one, other]).await;
        }
        assert!(!is_granted(&*quotas, one).await && !is_granted(&*quotas, other).await);
        quotas.give_back(&[(one, 1), (other, 3)]).await;
        assert_eq!(once(&*quotas, one).await, Standing { remaining: 0, refused_for: None });
        assert_eq!(once(&*quotas, other).await, Standing { remaining: 2, refused_for: None });
        assert!(!is_granted(&*quotas, one).await);
    }

    pub async fn no_more_is_given_back_than_there_is(quotas: Arc<dyn Quotas>) {
        quotas.give_back(&[]).await;
        quotas.give_back(&[(charge("3/hour", 1), 5)]).await;
        assert_eq!(once(&*quotas, charge("3/hour", 1)).await.remaining, 2);
        quotas.give_back(&[(charge("3/hour", 1), 5)]).await;
        quotas.give_back(&[(charge("3/hour", 1), 5)]).await;
        assert_eq!(once(&*quotas, charge("3/hour", 1)).await.remaining, 2);
    }

    pub async fn the_highest_rate_is_no_trouble(quotas: Arc<dyn Quotas>) {
        for _ in 0..100 {
            assert!(is_granted(&*quotas, charge("1000000000/second", 1)).await);
        }
    }
}

pub use rules::*;
