//! Requests with an `Idempotency-Key`, while databases and services are killed: each key creates one
//! lead, and every answer names it.
//!
//! `ONCE_ROUNDS` and `ONCE_REQUESTS` set how many keys are tried, and how often each is sent at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exit3_testkit::postgres::{self, TestPostgres};
use serde_json::{Value, json};
use service::Service;
use tokio::task::{JoinSet, block_in_place};

const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// The addresses of the nodes, which change when one is killed.
type Nodes = Arc<Mutex<Vec<String>>>;

/// Sends a request until it is answered; returns the id of the lead.
async fn insist(client: reqwest::Client, nodes: Nodes, sender: usize, round: usize) -> u64 {
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO",
                      "email": format!("round-{round}@acme.hr")});
    loop {
        let node = {
            let nodes = nodes.lock().unwrap();
            nodes[sender % nodes.len()].clone()
        };
        let request = client.post(format!("http://{node}{LEADS}"));
        let request = request.header("Authorization", format!("Basic {KEY}"));
        let request = request.header("Idempotency-Key", format!("\"round {round}\""));
        match request.json(&lead).send().await {
            Ok(answer) if answer.status() == 201 => {
                // The answer may be cut off.
                if let Ok(stored) = answer.json::<Value>().await {
                    assert_eq!(stored["email"], lead["email"]);
                    return stored["id"].as_u64().unwrap();
                }
            }
            Ok(answer) => assert_eq!(answer.status(), 503, "{}", answer.text().await.unwrap()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends the same request many times at once, and `disturb`s meanwhile.
async fn round(nodes: &Nodes, number: usize, times: usize, disturb: impl AsyncFnOnce()) -> u64 {
    let client = reqwest::Client::new();
    let mut requests = JoinSet::new();
    for sender in 0..times {
        requests.spawn(insist(client.clone(), Arc::clone(nodes), sender, number));
    }
    disturb().await;
    let ids: BTreeSet<u64> = requests.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1, "one key named the leads {ids:?}");
    ids.into_iter().next().unwrap()
}

async fn assert_one_for_each(service: &Service, ids: &BTreeSet<u64>, rounds: usize) {
    assert_eq!(ids.len(), rounds, "two keys named one lead");
    let list: Value = service.get(LEADS, KEY).await.json().await.unwrap();
    assert_eq!(list["count"], rounds, "a key has created more than one lead");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_creates_one_lead_on_two_nodes_while_postgres_is_killed() {
    let (rounds, times) = (number("ONCE_ROUNDS", 10), number("ONCE_REQUESTS", 30));
    let mut database = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = database.url("postgres");
    // The test server commits asynchronously; this test needs durable commits.
    let admin = postgres::client(&url).await;
    admin.batch_execute("ALTER DATABASE postgres SET synchronous_commit = on").await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("BASIC_API_KEY", KEY),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("LOG_LEVEL", "ERROR"),
    ];
    let services = [0, 1].map(|_| Service::start(directory.path(), &env));
    let nodes = services.iter().map(|it| it.address().to_owned()).collect();
    let nodes = Arc::new(Mutex::new(nodes));
    let mut ids = BTreeSet::new();
    for number in 0..rounds {
        let disturb = async || {
            if number % 2 == 0 {
                // Sometimes before the first commit, sometimes after the last one.
                tokio::time::sleep(Duration::from_millis(number as u64 % 40)).await;
                block_in_place(|| database.restart());
            }
        };
        ids.insert(round(&nodes, number, times, disturb).await);
    }
    assert_one_for_each(&services[0], &ids, rounds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_creates_one_lead_while_the_service_is_killed_over_the_embedded_database() {
    let (rounds, times) = (number("ONCE_ROUNDS", 10), number("ONCE_REQUESTS", 30));
    let directory = tempfile::tempdir().unwrap();
    let env =
        [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests"), ("LOG_LEVEL", "ERROR")];
    let start = || Service::start(directory.path(), &env);
    let mut service = start();
    let nodes = Arc::new(Mutex::new(vec![service.address().to_owned()]));
    let mut ids = BTreeSet::new();
    for number in 0..rounds {
        let running = Arc::new(Mutex::new(Some(service)));
        let disturb = async || {
            if number % 2 == 0 {
                tokio::time::sleep(Duration::from_millis(number as u64 % 40)).await;
                block_in_place(|| {
                    let killed = running.lock().unwrap().take();
                    killed.unwrap().kill();
                    let new = start();
                    *nodes.lock().unwrap() = vec![new.address().to_owned()];
                    *running.lock().unwrap() = Some(new);
                });
            }
        };
        ids.insert(round(&nodes, number, times, disturb).await);
        service = running.lock().unwrap().take().unwrap();
    }
    assert_one_for_each(&service, &ids, rounds).await;
}
