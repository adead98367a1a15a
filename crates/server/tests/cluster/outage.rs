//! PostgreSQL goes away under creates, and a node is killed meanwhile: no create is refused, and
//! every answered lead is stored once, with the id that the answer named.
//!
//! `OUTAGE_ROUNDS`, `OUTAGE_SECONDS` and `OUTAGE_RATE` set how often PostgreSQL goes away, for how
//! long, and how many leads are sent each second.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::{JoinSet, block_in_place};

use super::*;
use crate::node::KEY;

const LEADS: &str = "/backend/api/v1/leads/";
/// nginx allows one address about fifty requests per second.
const PER_ADDRESS: usize = 40;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// The answer to a create.
#[derive(Debug, Clone)]
struct Answer {
    mark: usize,
    status: Option<u16>,
    id: i64,
    is_spooled: bool,
    began: Instant,
    ended: Instant,
}

#[derive(Default)]
struct Creates {
    answers: Mutex<Vec<Answer>>,
    ends: AtomicBool,
}

async fn create(client: &Client, url: &str, mark: usize) -> Answer {
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr",
                      "company_name": format!("mark-{mark:07}")});
    let began = Instant::now();
    let answer = client.post(url).header("Authorization", format!("Basic {KEY}")).json(&lead);
    let answer = answer.timeout(Duration::from_secs(40)).send().await;
    let mut told = Answer { mark, status: None, id: 0, is_spooled: false, began, ended: began };
    if let Ok(answer) = answer {
        told.status = Some(answer.status().as_u16());
        told.is_spooled = answer.headers().contains_key("exit3-intake");
        told.id = answer.json::<Value>().await.map_or(0, |it| it["id"].as_i64().unwrap_or(0));
    }
    Answer { ended: Instant::now(), ..told }
}

/// Sends creates at a rate until it is told to end.
async fn send(creates: Arc<Creates>, nginx_url: String, clients: Vec<Client>, rate: u64) {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate).unwrap());
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut sent = JoinSet::new();
    for mark in 0.. {
        if creates.ends.load(Ordering::Relaxed) {
            break;
        }
        pace.tick().await;
        let (creates, client) = (Arc::clone(&creates), clients[mark % clients.len()].clone());
        let url = nginx_url.clone();
        sent.spawn(async move {
            let answer = create(&client, &url, mark).await;
            creates.answers.lock().unwrap().push(answer);
        });
    }
    sent.join_all().await;
}

/// The time until `holds`.
async fn time(holds: impl AsyncFnMut() -> bool) -> Duration {
    let since = Instant::now();
    until(holds).await;
    since.elapsed()
}

async fn ready(node: &Node) -> Value {
    node.service().get("/backend/health/ready/", KEY).await.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_create_is_refused_or_lost_while_postgres_is_away_and_a_node_is_killed() {
    let _alone = ALONE.lock().await;
    let rounds = number("OUTAGE_ROUNDS", 3);
    let away = Duration::from_secs(number("OUTAGE_SECONDS", 4));
    let rate = number("OUTAGE_RATE", 60);
    let mut postgres = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = postgres.url("postgres");
    let admin = postgres::client(&url).await;
    admin.batch_execute("ALTER DATABASE postgres SET synchronous_commit = on").await.unwrap();
    drop(admin);
    let env = [("DATABASE_URL", url.as_str())];
    let mut nodes = [Node::new(&env), Node::new(&env)];
    nodes.iter_mut().for_each(Node::start);
    let nginx = Nginx::before(&nodes.each_ref().map(Node::address));
    let addresses = rate as usize / PER_ADDRESS + 2;
    let clients = (0..addresses).map(|number| {
        let address = IpAddr::V4(Ipv4Addr::new(127, 0, 2, u8::try_from(number).unwrap() + 1));
        nginx.client_builder().local_address(address).build().unwrap()
    });
    let creates = Arc::new(Creates::default());
    let clients: Vec<_> = clients.collect();
    let sending = tokio::spawn(send(Arc::clone(&creates), nginx.url(LEADS), clients.clone(), rate));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut killed = Vec::new();
    for round in 0..rounds {
        let how = ["stopped", "blackholed", "killed"][round as usize % 3];
        match how {
            "stopped" | "killed" => block_in_place(|| postgres.stop()),
            _ => postgres.pause(),
        }
        tokio::time::sleep(away / 2).await;
        let victim = &mut nodes[round as usize % 2];
        killed.push(victim.kill());
        victim.start();
        tokio::time::sleep(away / 2).await;
        match how {
            "stopped" | "killed" => block_in_place(|| postgres.restart()),
            _ => postgres.resume(),
        }
        let (mut healed, mut emptied) = (Duration::ZERO, Duration::ZERO);
        let since = Instant::now();
        for node in &nodes {
            time(async || ready(node).await["status"] == "ok").await;
        }
        healed = healed.max(since.elapsed());
        for node in &nodes {
            time(async || ready(node).await["spool"]["waiting"] == 0).await;
        }
        emptied = emptied.max(since.elapsed());
        println!("{how} for {away:?}: healed after {healed:.1?}, spools empty after {emptied:.1?}");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    creates.ends.store(true, Ordering::Relaxed);
    sending.await.unwrap();
    for node in &nodes {
        until(async || ready(node).await["spool"]["waiting"] == 0).await;
    }

    let admin = postgres::client(&url).await;
    let rows = admin.query("SELECT id, company_name FROM leads", &[]).await.unwrap();
    let mut stored: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        stored.entry(row.get(1)).or_default().push(row.get(0));
    }
    let answers = creates.answers.lock().unwrap().clone();
    let taken: Vec<_> = answers.iter().filter(|it| it.status == Some(201)).collect();
    let spooled = taken.iter().filter(|it| it.is_spooled).count();
    println!(
        "{} creates, {} answered with 201, {spooled} of them spooled",
        answers.len(),
        taken.len()
    );
    for answer in &taken {
        let ids = stored.get(&format!("mark-{:07}", answer.mark));
        assert_eq!(ids, Some(&vec![answer.id]), "{answer:?}");
    }
    assert!(stored.values().all(|ids| ids.len() == 1), "a lead is stored twice");
    // Only requests that were in flight at a killed node have no answer.
    let at_killed = |answer: &&Answer| {
        killed.iter().any(|at| answer.began <= *at && answer.ended + Duration::from_secs(1) >= *at)
    };
    let refused: Vec<_> = answers.iter().filter(|it| it.status != Some(201)).collect();
    println!("{} not answered with 201, in flight at a killed node", refused.len());
    let others: Vec<_> = refused.iter().filter(|it| !at_killed(it)).take(5).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(spooled > 0 && taken.len() > spooled);
}
