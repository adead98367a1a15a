//! The whole set-up as deployed, under load: nginx in front of nodes whose sockets are held as by
//! systemd, a primary and a replica, Redis, and a collector. Nothing that was answered is lost, and
//! the only failures are unavoidable ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod load;
#[path = "../nginx/mod.rs"]
mod nginx;
mod node;
mod outage;
#[path = "../service/mod.rs"]
mod service;
mod walk;

use exit3_testkit::postgres::{self, TestPostgres};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

use load::{Load, Report};
use nginx::Nginx;
use node::Node;

/// Held by the one test that runs: it measures failures beside the load, not an overloaded machine.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Lets the load run while nothing else happens.
async fn quiet() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

/// Checks that every request was answered, and every answered lead is stored once.
fn assert_nothing_failed(report: &Report) {
    assert_eq!(report.failed(|_| true), 0, "{report}");
    assert!(report.answered() > 300, "too few requests for a load: {report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restarting_a_single_node_fails_no_request() {
    let _alone = ALONE.lock().await;
    // A small server: the embedded database, taken over by each process in turn.
    let mut node = Node::new(&[]);
    node.start();
    let nginx = Nginx::before(&[node.address()]);
    let load = Load::begin(&nginx, node.reading_key());
    quiet().await;
    for _ in 0..2 {
        load.during("one node is restarted");
        node.restart();
        load.during("quiet");
        quiet().await;
    }
    let report = load.end(&nginx).await;
    println!("{report}");
    report.assert_nothing_lost();
    assert_nothing_failed(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn restarting_two_nodes_in_turn_fails_no_request() {
    let _alone = ALONE.lock().await;
    let database = postgres::shared().create_database().await;
    let env = [("DATABASE_URL", database.url()), PATIENT];
    let mut nodes = [Node::new(&env), Node::new(&env)];
    nodes.iter_mut().for_each(Node::start);
    let nginx = Nginx::before(&nodes.each_ref().map(Node::address));
    let load = Load::begin(&nginx, nodes[0].reading_key());
    quiet().await;
    for node in &mut nodes {
        load.during("two nodes are restarted in turn");
        node.restart();
        load.during("quiet");
        quiet().await;
    }
    let report = load.end(&nginx).await;
    println!("{report}");
    report.assert_nothing_lost();
    assert_nothing_failed(&report);
    for node in &nodes {
        assert!(report.answered_by(node.address()) > 100, "{report}");
    }
}

/// A primary with durable commits, and its replica.
async fn databases() -> (TestPostgres, TestPostgres) {
    let (primary, replica) = TestPostgres::with_replica().await;
    // The test server commits asynchronously; this test needs durable commits.
    let admin = postgres::client(&primary.url("postgres")).await;
    admin.batch_execute("ALTER DATABASE postgres SET synchronous_commit = on").await.unwrap();
    (primary, replica)
}

/// So that a busy machine does not look like an unavailable database.
const PATIENT: (&str, &str) = ("DB_TIMEOUT_MS", "20000");

/// The time limit for steps of the test itself.
const PATIENCE: Duration = Duration::from_secs(30);

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "the condition never holds");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
