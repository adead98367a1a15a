//! Counting in this process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::sync::Arc;
use std::time::Duration;

use exit3_domain::quotas::Quota;
use exit3_ports::{Charge, Quotas};
use exit3_quotas::LocalQuotas;
use exit3_testkit::quotas::{charge, is_granted, once};
use governor::clock::FakeRelativeClock;

exit3_testkit::quotas_contract!((Arc::new(LocalQuotas::default()) as Arc<dyn Quotas>, ()));

fn at_will() -> (LocalQuotas<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (LocalQuotas::new(clock.clone()), clock)
}

#[tokio::test]
async fn a_used_quota_refills_evenly() {
    let (quotas, clock) = at_will();
    for _ in 0..10 {
        assert!(is_granted(&quotas, charge("10/hour", 1)).await);
    }
    for _ in 0..5 {
        clock.advance(Duration::from_secs(359));
        let wait = once(&quotas, charge("10/hour", 1)).await.refused_for;
        assert_eq!(wait, Some(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert!(is_granted(&quotas, charge("10/hour", 1)).await);
        assert!(!is_granted(&quotas, charge("10/hour", 1)).await);
    }
    clock.advance(Duration::from_secs(3600));
    assert_eq!(once(&quotas, charge("10/hour", 1)).await.remaining, 9);
}

#[tokio::test]
async fn idle_subjects_are_forgotten_and_others_are_not() {
    let (quotas, clock) = at_will();
    for subject in 0..1000 {
        once(&quotas, charge("10/hour", subject)).await;
    }
    for _ in 0..10 {
        once(&quotas, charge("10/hour", 7)).await;
    }
    assert_eq!(quotas.remembered(), 1000);
    clock.advance(Duration::from_secs(721));
    quotas.forget_idle();
    assert_eq!(quotas.remembered(), 1);
    let granted = once(&quotas, charge("10/hour", 7)).await;
    assert_eq!((granted.remaining, granted.refused_for), (1, None));
    clock.advance(Duration::from_secs(7200));
    quotas.forget_idle();
    assert_eq!(quotas.remembered(), 0);
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn a_million_subjects_of_two_quotas_cost_less_than_64_mib() {
    let (quotas, _clock) = at_will();
    let before = resident();
    for number in 0..1_000_000_u64 {
        // Spread widely, like real addresses.
        let subject = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let visitor = charge("100/hour", subject);
        let create = Charge { quota: Quota::LeadCreate, ..charge("10/hour", subject) };
        quotas.charge(&[visitor, create]).await;
    }
    assert_eq!(quotas.remembered(), 2_000_000);
    let cost = resident() - before;
    assert!(cost < 64 * 1024 * 1024, "{} MiB", cost / 1024 / 1024);
}
