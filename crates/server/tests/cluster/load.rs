//! Two hundred requests per second, and the outcome of each.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use crate::nginx::Nginx;
use crate::node::KEY;

const LEADS: &str = "/backend/api/v1/leads/";

/// How often a lead is created and then looked up by the same client, and all leads are listed with
/// another key.
const EVERY: Duration = Duration::from_millis(15);

/// The number of clients, each with its own address: nginx allows one address about fifty requests
/// per second.
const CLIENTS: u8 = 8;
/// The most requests in flight. If it is reached, the machine is too slow for this load.
const AT_ONCE: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Create,
    Look,
    Read,
}

/// The outcome of a request.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) phase: &'static str,
    pub(crate) what: What,
    /// Identifies the lead of the request.
    mark: usize,
    /// `None` if there was no response.
    pub(crate) status: Option<u16>,
    /// What a list lacked, or had too much of.
    wrong: Option<String>,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

impl Outcome {
    pub(crate) fn has_failed(&self) -> bool {
        let wanted = if self.what == What::Create { 201 } else { 200 };
        self.status != Some(wanted) || self.wrong.is_some()
    }
}

/// Sends requests until [`Self::end`].
pub(crate) struct Load {
    shared: Arc<Shared>,
    driver: JoinHandle<()>,
}

struct Shared {
    url: String,
    clients: Vec<Client>,
    reading_key: String,
    phase: Mutex<&'static str>,
    outcomes: Mutex<Vec<Outcome>>,
    ends: AtomicBool,
}

impl Load {
    /// Starts the load.
    pub(crate) fn begin(nginx: &Nginx, reading_key: String) -> Self {
        let client = |number: u8| {
            let address = IpAddr::V4(Ipv4Addr::new(127, 0, 1, number + 1));
            nginx.client_builder().local_address(address).build().unwrap()
        };
        let shared = Arc::new(Shared {
            url: nginx.url(LEADS),
            clients: (0..CLIENTS).map(client).collect(),
            reading_key,
            phase: Mutex::new("quiet"),
            outcomes: Mutex::default(),
            ends: AtomicBool::new(false),
        });
        let driver = tokio::spawn(drive(Arc::clone(&shared)));
        Self { shared, driver }
    }

    /// Names the current phase.
    pub(crate) fn during(&self, phase: &'static str) {
        *self.shared.phase.lock().unwrap() = phase;
    }

    /// Stops, once all requests have been answered, and reads what is stored.
    pub(crate) async fn end(self, nginx: &Nginx) -> Report {
        self.shared.ends.store(true, Ordering::Relaxed);
        self.driver.await.unwrap();
        let stored = stored(&self.shared.clients[0], &self.shared.url).await;
        let outcomes = std::mem::take(&mut *self.shared.outcomes.lock().unwrap());
        Report { outcomes, stored, log: nginx.log_with("") }
    }
}

async fn drive(shared: Arc<Shared>) {
    let mut pace = tokio::time::interval(EVERY);
    let mut visits = JoinSet::new();
    let free = Arc::new(Semaphore::new(AT_ONCE));
    for mark in 0.. {
        if shared.ends.load(Ordering::Relaxed) {
            break;
        }
        pace.tick().await;
        let free = Arc::clone(&free).acquire_owned().await.unwrap();
        let shared = Arc::clone(&shared);
        visits.spawn(async move {
            tokio::join!(write(&shared, mark), read(&shared, mark));
            drop(free);
        });
    }
    visits.join_all().await;
}

/// A client creates a lead and, after the response, looks it up.
async fn write(shared: &Shared, mark: usize) {
    let client = &shared.clients[mark % shared.clients.len()];
    let key = format!("Basic {KEY}");
    let lead = json!({
        "full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr",
        "company_name": company(mark),
    });
    let create = client.post(&shared.url).header("Authorization", &key).json(&lead);
    let (is_readable, token) = shared.send(mark, What::Create, create, |_| None).await;
    if !is_readable {
        return;
    }
    let look = client.get(&shared.url).query(&[("search", company(mark))]);
    let look = token.iter().fold(look, |look, token| look.header("Consistency-Token", token));
    let lacks = |list: &Value| (list["count"] != 1).then(|| list.to_string());
    shared.send(mark, What::Look, look.header("Authorization", &key), lacks).await;
}

async fn read(shared: &Shared, mark: usize) {
    let client = &shared.clients[mark % shared.clients.len()];
    let key = format!("Bearer {}", shared.reading_key);
    let list = client.get(format!("{}?page_size=10", shared.url)).header("Authorization", key);
    shared.send(mark, What::Read, list, |_| None).await;
}

fn company(mark: usize) -> String {
    format!("mark-{mark:06}")
}

impl Shared {
    /// Sends a request and records its outcome. Returns whether it succeeded, and what it wrote does
    /// not wait for the database; and the consistency token.
    async fn send(
        &self,
        mark: usize,
        what: What,
        request: reqwest::RequestBuilder,
        wrong: impl Fn(&Value) -> Option<String>,
    ) -> (bool, Option<String>) {
        let phase = *self.phase.lock().unwrap();
        let began = Instant::now();
        let answer = request.timeout(Duration::from_secs(40)).send().await;
        let (mut status, mut token, mut body) = (None, None, None);
        let mut is_spooled = false;
        if let Ok(answer) = answer {
            status = Some(answer.status().as_u16());
            is_spooled = answer.headers().contains_key("exit3-intake");
            let header = answer.headers().get("consistency-token");
            token = header.map(|token| token.to_str().unwrap().to_owned());
            body = answer.json::<Value>().await.ok();
        }
        let wrong = match &body {
            Some(body) if status == Some(200) => wrong(body),
            _ => None,
        };
        let ended = Instant::now();
        let outcome = Outcome { phase, what, mark, status, wrong, began, ended };
        let good = !outcome.has_failed() && !is_spooled;
        self.outcomes.lock().unwrap().push(outcome);
        (good, token)
    }
}

/// How often each mark is stored.
async fn stored(client: &Client, url: &str) -> HashMap<String, u32> {
    let mut stored = HashMap::new();
    let mut next = Some(format!("{url}?cursor=&page_size=200"));
    while let Some(address) = next {
        let answer = client.get(address).header("Authorization", format!("Basic {KEY}"));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        let slice: Value = answer.json().await.unwrap();
        for lead in slice["results"].as_array().unwrap() {
            *stored.entry(lead["company_name"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        // The link has the host without the port, which is usually the default port.
        let query = slice["next"].as_str().and_then(|next| next.split_once('?'));
        next = query.map(|(_, query)| format!("{url}?{query}"));
    }
    stored
}

/// The outcomes of all requests.
pub(crate) struct Report {
    pub(crate) outcomes: Vec<Outcome>,
    stored: HashMap<String, u32>,
    /// nginx's log.
    pub(crate) log: String,
}

impl Report {
    pub(crate) fn answered(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !outcome.has_failed()).count()
    }

    pub(crate) fn answered_by(&self, node: &str) -> usize {
        self.log.lines().filter(|line| line.contains(node)).count()
    }

    /// How many of the selected requests failed.
    pub(crate) fn failed(&self, which: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.has_failed() && which(outcome)).count()
    }

    /// The number of leads whose creation was answered but that are missing.
    fn lost(&self) -> usize {
        let answered = self.outcomes.iter().filter(|o| o.what == What::Create && !o.has_failed());
        answered.filter(|outcome| !self.stored.contains_key(&company(outcome.mark))).count()
    }

    pub(crate) fn assert_nothing_lost(&self) {
        assert_eq!(self.lost(), 0, "{self}");
        let twice: Vec<_> = self.stored.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "stored twice: {twice:?}\n{self}");
        let silent = self.failed(|outcome| outcome.status.is_none());
        assert_eq!(silent, 0, "requests without an answer\n{self}");
        let wrong = self.failed(|outcome| outcome.wrong.is_some());
        assert_eq!(wrong, 0, "lists without what their client had written\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut phases: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
        for outcome in &self.outcomes {
            let row = phases.entry(outcome.phase).or_default();
            let column = if outcome.what == What::Create { 0 } else { 2 };
            row[column] += 1;
            row[column + 1] += usize::from(outcome.has_failed());
        }
        writeln!(formatter, "{:>8} {:>7} {:>7} {:>7}", "creates", "failed", "lists", "failed")?;
        for (phase, [creates, failed, lists, lists_failed]) in phases {
            writeln!(formatter, "{creates:>8} {failed:>7} {lists:>7} {lists_failed:>7}  {phase}")?;
        }
        let begun = self.outcomes.iter().map(|outcome| outcome.began).min();
        let ended = self.outcomes.iter().map(|outcome| outcome.began).max();
        let seconds = begun.zip(ended).map_or(0.0, |(begun, ended)| (ended - begun).as_secs_f64());
        let rate = self.outcomes.len() as f64 / seconds;
        write!(formatter, "{rate:.0} requests/s, lost writes: {}", self.lost())?;
        for outcome in self.outcomes.iter().filter(|outcome| outcome.has_failed()).take(5) {
            write!(formatter, "\n{outcome:?}")?;
        }
        Ok(())
    }
}
