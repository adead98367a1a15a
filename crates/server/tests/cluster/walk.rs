//! Every part of the set-up fails, one after another.

use exit3_testkit::collector::Collector;
use exit3_testkit::redis::TestRedis;

use super::*;

/// A killed process is gone within this time.
const KILLING: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_all_parts_lose_nothing_that_was_answered() {
    let _alone = ALONE.lock().await;
    let (mut primary, mut replica) = databases().await;
    let mut redis = tokio::task::block_in_place(TestRedis::start);
    let (primary_url, replica_url) = (primary.url("postgres"), replica.url("postgres"));
    let redis_url = redis.url();
    let collector = Collector::start();
    let collector_url = format!("http://{}", collector.address());
    let env = [
        ("DATABASE_URL", primary_url.as_str()),
        ("DATABASE_REPLICA_URL", &replica_url),
        ("REDIS_URL", &redis_url),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector_url),
        ("RATE_LIMIT_ANON", "1000000/hour"),
        ("RATE_LIMIT_USER", "1000000/hour"),
        ("RATE_LIMIT_FLOOD", "off"),
        PATIENT,
        ("REPLICA_MAX_LAG", "20s"),
    ];
    let mut nodes = [Node::new(&env), Node::new(&env)];
    nodes.iter_mut().for_each(Node::start);
    let nginx = Nginx::before(&nodes.each_ref().map(Node::address));
    let load = Load::begin(&nginx, nodes[0].reading_key());
    quiet().await;

    load.during("1 nodes restarted in turn");
    for node in &mut nodes {
        node.restart();
    }
    load.during("quiet");
    quiet().await;

    load.during("2 a node killed, and started again");
    let killed = nodes[0].kill();
    nodes[0].start();
    quiet().await;

    // Lists really come from the replica.
    let standby = postgres::client(&replica_url).await;
    let scans = "SELECT sum(idx_scan)::bigint FROM pg_stat_user_tables WHERE relname = 'leads'";
    until(async || standby.query_one(scans, &[]).await.unwrap().get::<_, i64>(0) > 10).await;

    load.during("3 the replica killed");
    tokio::task::block_in_place(|| replica.stop());
    quiet().await;
    load.during("quiet");
    tokio::task::block_in_place(|| replica.restart());
    quiet().await;

    load.during("4 the primary restarted");
    let down = Instant::now();
    tokio::task::block_in_place(|| primary.restart());
    for node in &nodes {
        until(async || node.service().get("/backend/health/", "").await.status() == 200).await;
    }
    let up = Instant::now();
    load.during("quiet");
    quiet().await;

    load.during("5 Redis gone");
    tokio::task::block_in_place(|| redis.kill());
    quiet().await;

    let told = |bytes: &[u8]| bytes.windows(5).any(|window| window == b"exit3");
    until(async || collector.bodies().iter().any(|body| told(body))).await;
    load.during("6 the collector gone");
    drop(collector);
    quiet().await;
    let report = load.end(&nginx).await;
    println!("{report}");

    report.assert_nothing_lost();
    // Requests in flight at the killed node, which nginx answered for it.
    let at_killed = |outcome: &load::Outcome| {
        let (before, after) = (outcome.began <= killed, outcome.ended >= killed - KILLING);
        outcome.status == Some(503) && before && after && outcome.what == load::What::Create
    };
    // Requests in flight while there was no primary.
    let at_primary = |outcome: &load::Outcome| {
        outcome.status == Some(503) && outcome.began <= up && outcome.ended >= down
    };
    let failed = report.failed(|outcome| !at_killed(outcome) && !at_primary(outcome));
    assert_eq!(failed, 0, "{report}");
    assert!(report.answered() > 1000, "too few requests for a load: {report}");
    // nginx logs a node that did not answer as 502.
    for line in report.log.lines().filter(|line| line.contains(" 502")) {
        assert!(line.contains(nodes[0].address()), "{line}");
    }
    for node in &nodes {
        assert!(report.answered_by(node.address()) > 100, "{report}");
    }
}
