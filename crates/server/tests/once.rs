//! Requests with an `Idempotency-Key`, while databases and services are killed: each key creates one
//! lead, and every answer names it. Only a node that keeps a lead in its spool cannot know which id
//! another node has named.
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

/// What an answer has named: the id of the lead, and whether the lead waits.
type Named = (u64, bool);

/// Sends a request until it is answered.
async fn insist(client: reqwest::Client, nodes: Nodes, sender: usize, round: usize) -> Named {
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
                let is_spooled = answer.headers().contains_key("exit3-intake");
                // The answer may be cut off.
                if let Ok(stored) = answer.json::<Value>().await {
                    assert_eq!(stored["email"], lead["email"]);
                    return (stored["id"].as_u64().unwrap(), is_spooled);
                }
            }
            Ok(answer) => assert_eq!(answer.status(), 503, "{}", answer.text().await.unwrap()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends the same request many times at once, and `disturb`s meanwhile. Returns the ids that were named.
async fn round(
    nodes: &Nodes,
    number: usize,
    times: usize,
    disturb: impl AsyncFnOnce(),
) -> BTreeSet<u64> {
    let client = reqwest::Client::new();
    let mut requests = JoinSet::new();
    for sender in 0..times {
        requests.spawn(insist(client.clone(), Arc::clone(nodes), sender, number));
    }
    disturb().await;
    let named: BTreeSet<Named> = requests.join_all().await.into_iter().collect();
    let ids = |of: &dyn Fn(&Named) -> bool| -> BTreeSet<u64> {
        named.iter().filter(|named| of(named)).map(|(id, ..)| *id).collect()
    };
    if nodes.lock().unwrap().len() == 1 {
        let ids = ids(&|_| true);
        assert_eq!(ids.len(), 1, "one key named the leads {ids:?}");
    }
    let stored = ids(&|(_, is_spooled)| !is_spooled);
    assert!(stored.len() <= 1, "one key named the stored leads {stored:?}");
    ids(&|_| true)
}

/// Checks that each key has one lead, whose id was named. Returns how many keys have named another id too.
async fn assert_one_for_each(service: &Service, named: &[BTreeSet<u64>]) -> usize {
    let mut leads = vec![Vec::new(); named.len()];
    let mut page = format!("{LEADS}?cursor=&page_size=200");
    loop {
        let slice: Value = service.get(&page, KEY).await.json().await.unwrap();
        for lead in slice["results"].as_array().unwrap() {
            let email = lead["email"].as_str().unwrap();
            let round = email.trim_start_matches("round-").trim_end_matches("@acme.hr");
            leads[round.parse::<usize>().unwrap()].push(lead["id"].as_u64().unwrap());
        }
        let Some(next) = slice["next"].as_str() else { break };
        page = format!("{LEADS}?{}", next.split_once('?').unwrap().1);
    }
    for (leads, named) in leads.iter().zip(named) {
        assert_eq!(leads.len(), 1, "a key has created {leads:?}, and named {named:?}");
        assert!(named.contains(&leads[0]), "a key has created {leads:?}, and named {named:?}");
    }
    named.iter().filter(|ids| ids.len() > 1).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_creates_one_lead_while_postgres_is_killed() {
    assert_eq!(on_postgres(1).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_creates_one_lead_on_two_nodes_while_postgres_is_killed() {
    let with_two = on_postgres(2).await;
    println!("{with_two} keys have named the id of another node's spool too");
}

/// Runs all rounds on so many nodes. Returns how many keys have named two ids.
async fn on_postgres(count: usize) -> usize {
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
    // Each node has a spool of its own.
    let start = |node: usize| {
        let directory = directory.path().join(node.to_string());
        std::fs::create_dir(&directory).unwrap();
        Service::start(&directory, &env)
    };
    let services: Vec<_> = (0..count).map(start).collect();
    let nodes = services.iter().map(|it| it.address().to_owned()).collect();
    let nodes = Arc::new(Mutex::new(nodes));
    let mut ids = Vec::new();
    for number in 0..rounds {
        let disturb = async || {
            if number % 2 == 0 {
                // Sometimes before the first commit, sometimes after the last one.
                tokio::time::sleep(Duration::from_millis(number as u64 % 40)).await;
                block_in_place(|| database.restart());
            }
        };
        ids.push(round(&nodes, number, times, disturb).await);
    }
    for service in &services {
        let waiting = async || -> Value {
            let ready = service.get("/backend/health/ready/", KEY).await;
            ready.json::<Value>().await.unwrap()["spool"]["waiting"].clone()
        };
        while waiting().await != 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert_one_for_each(&services[0], &ids).await
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
    let mut ids = Vec::new();
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
        ids.push(round(&nodes, number, times, disturb).await);
        service = running.lock().unwrap().take().unwrap();
    }
    assert_eq!(assert_one_for_each(&service, &ids).await, 0);
}
