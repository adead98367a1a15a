//! Counting in a real Redis, and without it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use exit3_ports::Quotas;
use exit3_quotas::{PATIENCE, RedisUrlError, SharedQuotas};
use exit3_testkit::log::Log;
use exit3_testkit::quotas::{charge, is_granted, once};
use exit3_testkit::redis::TestRedis;
use tracing::instrument::WithSubscriber;

/// Longer than the tests wait for anything: a Redis on a busy machine is not away.
const LONG: Duration = Duration::from_secs(30);

fn node(redis: &TestRedis) -> SharedQuotas {
    node_at(&redis.url(), LONG)
}

fn node_at(url: &str, patience: Duration) -> SharedQuotas {
    SharedQuotas::new(&url.into(), Arc::default(), patience).unwrap()
}

fn alone() -> (Arc<dyn Quotas>, TestRedis) {
    let redis = TestRedis::start();
    (Arc::new(node(&redis)), redis)
}

exit3_testkit::quotas_contract!(alone());

#[tokio::test]
async fn two_nodes_share_a_count() {
    let redis = TestRedis::start();
    let (one, other) = (node(&redis), node(&redis));
    for remaining in (0..5).rev() {
        let node = if remaining % 2 == 0 { &one } else { &other };
        assert_eq!(once(node, charge("5/hour", 1)).await.remaining, remaining);
    }
    assert!(!is_granted(&one, charge("5/hour", 1)).await);
    assert!(!is_granted(&other, charge("5/hour", 1)).await);
}

#[tokio::test]
async fn all_charges_of_a_request_take_one_round_trip() {
    let redis = TestRedis::start();
    let node = node(&redis);
    node.charge(&[charge("5/hour", 1)]).await;
    redis.ask(&["CONFIG", "RESETSTAT"]);
    for _ in 0..7 {
        node.charge(&[charge("50/hour", 1), charge("60/hour", 1), charge("70/hour", 1)]).await;
    }
    let stats = redis.ask(&["INFO", "commandstats"]);
    assert!(stats.contains("cmdstat_evalsha:calls=7,"), "{stats}");
    // Commands that the script runs are not round trips.
    let others = stats.lines().filter(|line| line.starts_with("cmdstat_"));
    let others = others.filter(|line| {
        !["evalsha", "time", "get", "set", "config"].iter().any(|own| line.contains(own))
    });
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[tokio::test]
async fn a_count_expires_when_the_quota_is_full_again() {
    let redis = TestRedis::start();
    let node = node(&redis);
    once(&node, charge("10/hour", 1)).await;
    let key = redis.ask(&["KEYS", "*"]);
    let left: i64 = redis.ask(&["PTTL", key.trim()]).trim().parse().unwrap();
    assert!((300_000..=360_000).contains(&left), "{key}: {left}");
}

#[tokio::test]
async fn a_forgotten_script_is_loaded_again() {
    let redis = TestRedis::start();
    let node = node(&redis);
    once(&node, charge("5/hour", 1)).await;
    redis.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(once(&node, charge("5/hour", 1)).await.remaining, 3);
}

#[tokio::test]
async fn without_redis_the_node_counts_by_itself_and_logs_it_once() {
    let log = Log::default();
    async {
        let mut redis = TestRedis::start();
        let node = node(&redis);
        assert_eq!(once(&node, charge("5/hour", 1)).await.remaining, 4);
        redis.kill();
        // The node knows what it has let through.
        for remaining in (0..4).rev() {
            assert_eq!(once(&node, charge("5/hour", 1)).await.remaining, remaining);
        }
        assert!(!is_granted(&node, charge("5/hour", 1)).await);
        assert_eq!(log.text().matches("WARN").count(), 1, "{}", log.text());

        redis.start_again();
        wait_until_it_counts(&node, &log).await;
        // The new Redis has no counts, but the node has.
        assert!(!is_granted(&node, charge("5/hour", 1)).await);
    }
    .with_subscriber(log.subscriber())
    .await;
}

async fn wait_until_it_counts(node: &SharedQuotas, log: &Log) {
    ask_until_it_logs("Redis counts again", node, log).await;
}

async fn wait_until_it_is_refused(node: &SharedQuotas, log: &Log) {
    ask_until_it_logs("Password authentication failed", node, log).await;
}

async fn ask_until_it_logs(text: &str, node: &SharedQuotas, log: &Log) {
    let began = Instant::now();
    while !log.text().contains(text) {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", log.text());
        once(node, charge("5/hour", 2)).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn recovers_from_a_temporarily_wrong_password() {
    let log = Log::default();
    async {
        let redis = TestRedis::start();
        redis.ask(&["CONFIG", "SET", "requirepass", "hunter2"]);
        let url = format!("{}?pass=hunter2", redis.url());
        let node = node_at(&url, LONG);
        assert_eq!(once(&node, charge("5/hour", 1)).await.remaining, 4);
        assert!(redis.ask(&["-a", "hunter2", "KEYS", "*"]).contains("quota"));

        redis.ask(&["-a", "hunter2", "CONFIG", "SET", "requirepass", "other"]);
        redis.ask(&["-a", "other", "CLIENT", "KILL", "TYPE", "normal"]);
        wait_until_it_is_refused(&node, &log).await;
        redis.ask(&["-a", "other", "CONFIG", "SET", "requirepass", "hunter2"]);
        wait_until_it_counts(&node, &log).await;
    }
    .with_subscriber(log.subscriber())
    .await;
    assert!(!log.text().contains("hunter2"), "{}", log.text());
}

#[tokio::test]
async fn a_password_may_be_corrected_after_the_start() {
    let log = Log::default();
    async {
        let redis = TestRedis::start();
        redis.ask(&["CONFIG", "SET", "requirepass", "other"]);
        let url = format!("{}?pass=hunter2", redis.url());
        let node = node_at(&url, LONG);
        wait_until_it_is_refused(&node, &log).await;
        redis.ask(&["-a", "other", "CONFIG", "SET", "requirepass", "hunter2"]);
        wait_until_it_counts(&node, &log).await;
    }
    .with_subscriber(log.subscriber())
    .await;
}

#[tokio::test]
async fn a_hanging_redis_is_treated_as_unreachable() {
    let redis = TestRedis::start();
    let node = node_at(&redis.url(), PATIENCE);
    once(&node, charge("3/hour", 1)).await;
    redis.signal("-STOP");
    let began = Instant::now();
    for remaining in (0..2).rev() {
        assert_eq!(once(&node, charge("3/hour", 1)).await.remaining, remaining);
    }
    assert!(!is_granted(&node, charge("3/hour", 1)).await);
    // Far more than it takes, but far less than without a limit.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    redis.signal("-CONT");
}

#[tokio::test]
async fn a_node_starts_without_redis() {
    let url = "redis://:hunter2@127.0.0.1:1/0";
    let log = Log::default();
    async {
        let node = node_at(url, PATIENCE);
        assert!(is_granted(&node, charge("1/hour", 1)).await);
        assert!(!is_granted(&node, charge("1/hour", 1)).await);
    }
    .with_subscriber(log.subscriber())
    .await;
    assert!(log.text().contains("WARN") && !log.text().contains("hunter2"), "{}", log.text());
}

#[test]
fn an_invalid_address_is_refused_without_printing_it() {
    for url in ["", "hunter2", "http://:hunter2@localhost", "redis://:hunter2@host:port"] {
        let node = SharedQuotas::new(&url.to_owned().into(), Arc::default(), PATIENCE);
        assert!(matches!(node, Err(RedisUrlError)), "{url}");
    }
    assert!(!RedisUrlError.to_string().contains("hunter2"));
}
