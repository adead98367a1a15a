//! Charges requests to quotas.

use std::time::Duration;

use exit3_domain::quotas::{Quota, Rate};
use exit3_ports::Charge;
use metrics::counter;

use crate::App;
use crate::api_keys::Caller;

/// Rate limits; `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Requests per visitor.
    pub visitor: Option<Rate>,
    /// Requests per key, for keys that have no rate of their own and are not publishable.
    pub key: Option<Rate>,
    /// Leads created per visitor.
    pub lead_create: Option<Rate>,
    /// Subscriptions created per visitor.
    pub newsletter_create: Option<Rate>,
}

/// The metric that counts refusals, by the exhausted quota.
pub const REFUSALS: &str = "exit3_rate_limit_refusals_total";

/// A wrong key counts as this many requests, to prevent guessing.
const WRONG_KEY: u32 = 10;

impl Limits {
    fn wrong_key(&self) -> Option<Rate> {
        let all = self.visitor?;
        Some(Rate { limit: (all.limit / WRONG_KEY).max(1), period: all.period })
    }
}

/// A request, and who is charged for it. Peers and visitors are numbers that the edge computes from
/// their addresses.
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// A request with a valid key.
    Keyed {
        /// The holder of the key.
        caller: &'a Caller,
        /// The number of the visitor on whose behalf the request was sent.
        visitor: u64,
        /// The quota for what the request creates, if it creates something.
        creates: Option<Quota>,
    },
    /// A request without a key.
    Keyless {
        /// The number of the peer that sent the request.
        peer: u64,
    },
    /// A request with a refused key.
    WrongKey {
        /// The number of the peer that sent the request.
        peer: u64,
    },
}

impl Request<'_> {
    fn may_know(&self, quota: Quota) -> bool {
        match quota {
            // Clients that guess keys need not know how many attempts are left.
            Quota::WrongKey => false,
            Quota::Key => matches!(self, Self::Keyed { caller, .. } if caller.may_know_its_use()),
            _ => true,
        }
    }
}

/// The outcome of charging a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bill {
    /// The quotas of the request, their rates, and what remains of each quota that was charged.
    pub items: Vec<(Quota, Rate, Option<u32>)>,
    /// If the request is refused, the time until it may be retried.
    pub refused_for: Option<Duration>,
}

/// Charges a request to its quotas.
pub async fn charge(app: &App, request: Request<'_>) -> Bill {
    let charges = charges(&app.limits, request);
    if charges.is_empty() {
        return Bill::default();
    }
    let standings = app.quotas.charge(&charges).await;
    let refused = charges
        .iter()
        .zip(&standings)
        .find_map(|(charge, standing)| Some((charge.quota, standing.refused_for?)));
    if let Some((quota, wait)) = refused {
        counter!(REFUSALS, "quota" => quota.as_str()).increment(1);
        if let (Quota::WrongKey, Request::WrongKey { peer }) = (quota, request) {
            app.keyring.note_guesser(peer, app.clock.now(), wait);
        }
    }
    let items = charges
        .iter()
        .enumerate()
        .filter(|(_, charge)| request.may_know(charge.quota))
        .map(|(number, charge)| {
            let remaining = standings.get(number).map(|standing| standing.remaining);
            (charge.quota, charge.rate, remaining)
        })
        .collect();
    Bill { items, refused_for: refused.map(|(_, wait)| wait) }
}

/// The bill for a peer that has guessed too often. It is not charged again.
pub fn refuse_guess(app: &App, wait: Duration) -> Bill {
    counter!(REFUSALS, "quota" => Quota::WrongKey.as_str()).increment(1);
    let visitor = app.limits.visitor.map(|rate| (Quota::Visitor, rate, None));
    Bill { items: visitor.into_iter().collect(), refused_for: Some(wait) }
}

fn charges(limits: &Limits, request: Request<'_>) -> Vec<Charge> {
    let mut charges = Vec::with_capacity(4);
    let mut add = |quota, rate: Option<Rate>, subject| {
        charges.extend(rate.map(|rate| Charge { quota, rate, subject }));
    };
    match request {
        // A valid key is not affected by wrong keys from the same address.
        Request::Keyed { caller, visitor, creates } => {
            add(Quota::Visitor, limits.visitor, visitor);
            add(Quota::Key, caller.rate(limits.key), caller.number());
            let rate = match creates {
                Some(Quota::LeadCreate) => limits.lead_create,
                Some(Quota::NewsletterCreate) => limits.newsletter_create,
                _ => None,
            };
            if let Some(quota) = creates {
                add(quota, rate, visitor);
            }
        }
        Request::Keyless { peer } => {
            add(Quota::Visitor, limits.visitor, peer);
        }
        Request::WrongKey { peer } => {
            add(Quota::WrongKey, limits.wrong_key(), peer);
            add(Quota::Visitor, limits.visitor, peer);
        }
    }
    charges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, api_key};
    use exit3_ports::Standing;
    use std::sync::Arc;

    fn rate(text: &str) -> Option<Rate> {
        Some(text.parse().unwrap())
    }

    fn limits() -> Limits {
        Limits {
            visitor: rate("100/hour"),
            key: rate("1000/hour"),
            lead_create: rate("10/hour"),
            newsletter_create: rate("20/hour"),
        }
    }

    fn shown(limits: &Limits, request: Request<'_>) -> Vec<String> {
        let show =
            |charge: Charge| format!("{} {} {:x}", charge.quota, charge.rate, charge.subject);
        charges(limits, request).into_iter().map(show).collect()
    }

    fn keyed(caller: &Caller, creates: Option<Quota>) -> Request<'_> {
        Request::Keyed { caller, visitor: 0xffff_ffff_c000_0202, creates }
    }

    #[test]
    fn a_request_counts_for_its_visitor_and_its_key() {
        let all = shown(&limits(), keyed(&Caller::Basic, Some(Quota::LeadCreate)));
        assert_eq!(
            all,
            [
                "visitor 100/hour ffffffffc0000202",
                "key 1000/hour 0",
                "lead-create 10/hour ffffffffc0000202",
            ]
        );
        assert_eq!(shown(&limits(), keyed(&Caller::Basic, None)), all[..2]);
    }

    #[test]
    fn a_key_may_have_a_rate_of_its_own() {
        let own = api_key(|key| key.draft.rate = rate("5/second"));
        let all = shown(&limits(), keyed(&Caller::Named(Arc::new(own.into())), None));
        assert_eq!(all[1..], ["key 5/second 1"]);
        // Guesses from the same address do not matter.
        assert_eq!(all[0], "visitor 100/hour ffffffffc0000202");
    }

    fn publishable(own: Option<Rate>) -> Caller {
        let key = api_key(|key| {
            key.draft.origins = vec!["https://exit3.agency".to_owned()];
            key.draft.rate = own;
        });
        Caller::Named(Arc::new(key.into()))
    }

    #[test]
    fn a_publishable_key_has_no_default_limit() {
        let all = shown(&limits(), keyed(&publishable(None), Some(Quota::LeadCreate)));
        assert_eq!(
            all,
            ["visitor 100/hour ffffffffc0000202", "lead-create 10/hour ffffffffc0000202"]
        );
        // Unless the key has a rate of its own.
        let own = shown(&limits(), keyed(&publishable(rate("5/second")), None));
        assert_eq!(own[1], "key 5/second 1");
    }

    #[tokio::test]
    async fn the_use_of_a_publishable_key_is_not_revealed() {
        let mut mocks = Mocks::new();
        mocks.limits = limits();
        mocks.quotas.expect_charge().returning(|charges| {
            charges.iter().map(|_| Standing { remaining: 7, refused_for: None }).collect()
        });
        let caller = publishable(rate("5/second"));
        let bill = charge(&mocks.into_app(), keyed(&caller, None)).await;
        assert_eq!(bill.items, [(Quota::Visitor, limits().visitor.unwrap(), Some(7))]);
    }

    #[test]
    fn wrong_keys_cost_more_than_missing_ones() {
        let peer = 0x2001_0db8_0000_0000;
        let wrong = shown(&limits(), Request::WrongKey { peer });
        let counted = "20010db800000000";
        assert_eq!(
            wrong,
            [format!("wrong-key 10/hour {counted}"), format!("visitor 100/hour {counted}")]
        );
        assert_eq!(shown(&limits(), Request::Keyless { peer }), wrong[1..]);
        let few = Limits { visitor: rate("3/day"), ..Limits::default() };
        assert_eq!(few.wrong_key(), rate("1/day"));
    }

    #[tokio::test]
    async fn only_peers_that_guess_are_remembered() {
        let peer = 0xffff_ffff_c000_0201;
        for (request, quota, remembered) in [
            (Request::WrongKey { peer }, 0, true),
            // Another quota is exhausted.
            (Request::WrongKey { peer }, 1, false),
            (Request::Keyless { peer }, 0, false),
        ] {
            let mut mocks = Mocks::new();
            mocks.limits = limits();
            mocks.quotas.expect_charge().times(1).returning(move |charges| {
                let refused = |n| (n == quota).then(|| Duration::from_secs(36));
                let standing = |n| Standing { remaining: 0, refused_for: refused(n) };
                (0..charges.len()).map(standing).collect()
            });
            let app = mocks.into_app();
            assert!(charge(&app, request).await.refused_for.is_some());
            let wait = app.keyring.guesses_again_in(peer, crate::testing::now());
            assert_eq!(wait, remembered.then(|| Duration::from_secs(36)), "{request:?}");
        }
    }

    #[tokio::test]
    async fn without_limits_nobody_is_asked() {
        let mut mocks = Mocks::new();
        mocks.quotas.expect_charge().never();
        let bill = charge(&mocks.into_app(), keyed(&Caller::Basic, Some(Quota::LeadCreate))).await;
        assert_eq!(bill, Bill::default());
    }

    #[tokio::test]
    async fn a_bill_says_what_remains_and_whether_it_is_refused() {
        let mut mocks = Mocks::new();
        mocks.limits = limits();
        mocks.quotas.expect_charge().returning(|_| {
            let granted = Standing { remaining: 7, refused_for: None };
            let wait = Some(Duration::from_secs(36));
            vec![granted, Standing { remaining: 0, refused_for: wait }]
        });
        let bill = charge(&mocks.into_app(), keyed(&Caller::Basic, None)).await;
        assert_eq!(bill.refused_for, Some(Duration::from_secs(36)));
        assert_eq!(
            bill.items,
            [
                (Quota::Visitor, limits().visitor.unwrap(), Some(7)),
                (Quota::Key, limits().key.unwrap(), Some(0)),
            ]
        );
    }
}
