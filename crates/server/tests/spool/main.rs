//! Leads and sign-ups while PostgreSQL is away: the service takes them, and stores them afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

#[path = "../service/mod.rs"]
mod service;
mod troubles;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use exit3_testkit::postgres::{self, TestPostgres};
use serde_json::{Value, json};
use service::{Service, exit3};
use tokio::task::block_in_place;

const LEADS: &str = "/backend/api/v1/leads/";
const NEWSLETTER: &str = "/backend/api/v1/newsletter/";
const READY: &str = "/backend/health/ready/";
const KEY: &str = "key-of-the-tests";

/// A server that commits durably, and a directory for a node.
struct Lab {
    postgres: TestPostgres,
    directory: tempfile::TempDir,
    more: Vec<(&'static str, String)>,
}

impl Lab {
    async fn new() -> Self {
        let postgres = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
        let admin = postgres::client(&postgres.url("postgres")).await;
        admin.batch_execute("ALTER DATABASE postgres SET synchronous_commit = on").await.unwrap();
        Self { postgres, directory: tempfile::tempdir().unwrap(), more: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn with_env<T>(&self, run: impl FnOnce(&[(&str, &str)]) -> T) -> T {
        let url = self.postgres.url("postgres");
        let mut env = vec![
            ("DATABASE_URL", url.as_str()),
            ("BASIC_API_KEY", KEY),
            ("SECRET_KEY", "secret-of-the-tests"),
        ];
        env.extend(self.more.iter().map(|(name, value)| (*name, value.as_str())));
        run(&env)
    }

    fn start(&self) -> Service {
        self.start_in(self.path())
    }

    fn start_in(&self, directory: &Path) -> Service {
        self.with_env(|env| Service::start(directory, env))
    }

    /// Runs a command; returns whether it succeeded, and what it said.
    fn command(&self, arguments: &[&str]) -> (bool, String) {
        self.with_env(|env| {
            let mut command = exit3(self.path());
            let output = command.args(arguments).envs(env.iter().copied()).output().unwrap();
            let said = if output.status.success() { output.stdout } else { output.stderr };
            (output.status.success(), String::from_utf8(said).unwrap())
        })
    }

    fn stop(&mut self) {
        block_in_place(|| self.postgres.stop());
    }

    fn restart(&mut self) {
        block_in_place(|| self.postgres.restart());
    }
}

fn lead(name: &str) -> String {
    json!({"full_name": name, "position": "CTO", "email": "ana@acme.hr"}).to_string()
}

/// Waits until the service has reserved ids, which the first leads of a node do without.
async fn reserved(service: &Service) {
    until(service, |ready| ready["spool"]["waiting"] == 0).await;
    let mut seen = Instant::now();
    while !service.metrics().await.contains("exit3_spool_reserved_ids 1") {
        assert!(seen.elapsed() < Duration::from_secs(20), "no ids are reserved");
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen = seen.min(Instant::now());
    }
}

/// Waits until the health of the service has a property.
async fn until(service: &Service, has: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let ready: Value = service.get(READY, KEY).await.json().await.unwrap();
        if has(&ready) {
            return ready;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "{ready}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn emptied(service: &Service) {
    until(service, |ready| ready["status"] == "ok" && ready["spool"]["waiting"] == 0).await;
}

fn is_spooled(answer: &reqwest::Response) -> bool {
    answer.headers().get("exit3-intake").is_some_and(|it| it == "spooled")
}

/// The stored leads by id, as an answer shows them.
async fn stored(service: &Service) -> BTreeMap<i64, Value> {
    let list: Value =
        service.get(&format!("{LEADS}?page_size=100"), KEY).await.json().await.unwrap();
    assert_eq!(list["count"].as_u64().unwrap() as usize, list["results"].as_array().unwrap().len());
    let leads = list["results"].as_array().unwrap().iter();
    leads.map(|lead| (lead["id"].as_i64().unwrap(), lead.clone())).collect()
}

/// Sends a lead that must be accepted; returns the answer's body, and whether the lead waits.
async fn accepted(service: &Service, name: &str) -> (Value, bool) {
    let answer = service.post(LEADS, KEY, &lead(name)).await;
    let is_spooled = is_spooled(&answer);
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    (answer.json().await.unwrap(), is_spooled)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lead_that_is_accepted_during_an_outage_is_stored_once_as_it_was_answered() {
    let mut lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    let mut answers = vec![accepted(&service, "Before").await.0];
    for (number, end) in ["stopped", "blackholed"].into_iter().enumerate() {
        match end {
            "stopped" => lab.stop(),
            _ => lab.postgres.pause(),
        }
        let mut waiting = 0;
        for name in ["Ana", "Eva", "Ivo"] {
            let (answer, is_spooled) = accepted(&service, &format!("{name} {number}")).await;
            assert!(is_spooled, "{end}");
            answers.push(answer);
            waiting += 1;
        }
        let ready = until(&service, |ready| ready["status"] == "intake only").await;
        assert_eq!(ready["spool"]["waiting"], waiting, "{end}");
        assert_eq!(service.get("/backend/health/", KEY).await.status(), 503, "{end}");
        let port = service.address().rsplit(':').next().unwrap();
        let (healthy, said) = lab.command(&["healthcheck", "--port", port]);
        assert!(healthy && said == "intake only\n", "{said}");
        assert_eq!(service.get(LEADS, KEY).await.status(), 503, "{end}");
        match end {
            "stopped" => lab.restart(),
            _ => lab.postgres.resume(),
        }
        emptied(&service).await;
        assert!(!accepted(&service, "After").await.1, "{end}");
        answers
            .push(stored(&service).await.into_values().max_by_key(|it| it["id"].as_i64()).unwrap());
    }
    let stored = stored(&service).await;
    assert_eq!(stored.len(), answers.len());
    for answer in answers {
        assert_eq!(stored[&answer["id"].as_i64().unwrap()], answer);
    }
    let events = postgres::client(&lab.postgres.url("postgres")).await;
    let events = events
        .query_one(
            "SELECT count(*), count(DISTINCT resource_id) FROM events WHERE actor = 'basic_key'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((events.get::<_, i64>(0), events.get::<_, i64>(1)), (9, 9));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_and_starts_during_an_outage_loses_nothing() {
    let mut lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    lab.stop();
    let mut answers = Vec::new();
    for name in ["Ana", "Eva"] {
        answers.push(accepted(&service, name).await.0);
    }
    service.kill();
    let service = lab.start();
    let (answer, is_spooled) = accepted(&service, "Ivo").await;
    assert!(is_spooled);
    answers.push(answer);
    service.terminate();
    assert!(service.logs("3 leads and sign-ups wait in"), "{}", service.errors());
    service.stop();
    lab.restart();
    let service = lab.start();
    emptied(&service).await;
    let stored = stored(&service).await;
    assert_eq!(stored.into_values().collect::<Vec<_>>(), answers);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_take_leads_during_an_outage_and_others_do_not() {
    let mut lab = Lab::new().await;
    let service = lab.start();
    let create = |options: &str| {
        let arguments = ["api-key", "create"].into_iter().chain(options.split_whitespace());
        let (done, said) = lab.command(&arguments.collect::<Vec<_>>());
        assert!(done, "{said}");
        said.lines().next().unwrap().rsplit(": ").next().unwrap().to_owned()
    };
    let website =
        create("--name website --scope leads:create --scope newsletter:create --forwards-visitors");
    let reader = create("--name reader --scope leads:read");
    let gone = create("--name gone --scope leads:create");
    let (done, said) = lab.command(&["api-key", "revoke", "gone"]);
    assert!(done, "{said}");
    reserved(&service).await;
    // The node learns the keys every ten seconds, and at its start.
    service.stop();
    let service = lab.start();
    reserved(&service).await;
    service.stop();
    lab.stop();
    let service = lab.start();

    let send = async |path: &str, key: &str, body: &str| service.post(path, key, body).await;
    let taken = send(LEADS, &website, &lead("Ana")).await;
    assert!(is_spooled(&taken));
    assert_eq!(taken.status(), 201);
    // Somebody who clicks twice on the button of a form sends one lead.
    let click = async || {
        let form = [("full_name", "Eva"), ("position", "CTO"), ("email", "eva@acme.hr")];
        let request = reqwest::Client::new().post(service.url(LEADS)).form(&form);
        let answer = request.header("Authorization", format!("Basic {website}")).send().await;
        let answer = answer.unwrap();
        assert!(is_spooled(&answer));
        let is_repeated = answer.headers().contains_key("idempotency-replayed");
        (answer.json::<Value>().await.unwrap()["id"].clone(), is_repeated)
    };
    let (first, again) = (click().await, click().await);
    assert_eq!((again.0, first.1, again.1), (first.0, false, true));
    let sign_up = r#"{"email": "news@acme.hr"}"#;
    let taken = send(NEWSLETTER, &website, sign_up).await;
    assert!(is_spooled(&taken));
    assert_eq!(taken.status(), 201);
    let body: Value = taken.json().await.unwrap();
    assert_eq!(body, json!({"email": "news@acme.hr", "is_subscribed": true}));
    for (key, path, body) in [
        (&reader, LEADS, lead("Eva")),
        (&gone, LEADS, lead("Eva")),
        (&"exit3_sk_unknown".to_owned(), LEADS, lead("Eva")),
        // Its answer would tell whether the address is known.
        (&KEY.to_owned(), NEWSLETTER, sign_up.to_owned()),
    ] {
        let refused = send(path, key, &body).await;
        let status = refused.status();
        assert!([403, 503].contains(&status.as_u16()), "{key} {path} {status}");
    }
    assert_eq!(service.get(LEADS, &website).await.status(), 503);
    // What is wrong is refused as ever.
    assert_eq!(send(LEADS, &website, r#"{"full_name": "A"}"#).await.status(), 400);
    lab.restart();
    emptied(&service).await;
    assert_eq!(stored(&service).await.len(), 2);
    let news: Value = service.get(NEWSLETTER, KEY).await.json().await.unwrap();
    assert_eq!(news["results"][0]["email"], "news@acme.hr");
    assert_eq!(news["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_waits_once_and_a_client_may_ask_for_202() {
    let mut lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    lab.stop();
    let send = async |key: &str, name: &str, prefer: &str| {
        let headers = [
            ("Authorization", format!("Basic {KEY}")),
            ("Idempotency-Key", format!("\"{key}\"")),
            ("Prefer", prefer.to_owned()),
        ];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        service.post_with(LEADS, &headers, &lead(name)).await
    };
    let first = send("one", "Ana", "wait=10").await;
    assert_eq!((first.status().as_u16(), is_spooled(&first)), (201, true));
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let first: Value = first.json().await.unwrap();
    let again = send("one", "Ana", "wait=10, Respond-Async; x=1").await;
    assert_eq!((again.status().as_u16(), is_spooled(&again)), (202, true));
    assert_eq!(again.headers()["preference-applied"], "respond-async");
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(send("one", "Eva", "").await.status(), 422);
    assert_eq!(send("two", "Eva", "").await.status(), 201);
    lab.restart();
    emptied(&service).await;
    let replayed = send("one", "Ana", "respond-async").await;
    assert_eq!((replayed.status().as_u16(), is_spooled(&replayed)), (201, false));
    assert_eq!(replayed.headers()["idempotency-replayed"], "true");
    assert_eq!(replayed.json::<Value>().await.unwrap(), first);
    assert_eq!(stored(&service).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_exports_and_stores_what_waits() {
    let mut lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    lab.stop();
    let (answer, _) = accepted(&service, "Ana Horvat").await;
    service.kill();
    let spool = lab.path().join("data/spool/spool.sqlite3");
    assert_eq!(spool.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (done, said) = lab.command(&["spool", "list"]);
    assert!(done && said.contains(&format!("lead {}", answer["id"])), "{said}");
    assert!(!said.contains("Horvat") && !said.contains("acme"), "{said}");
    let file = lab.path().join("export.jsonl");
    let (done, said) = lab.command(&["spool", "export", file.to_str().unwrap()]);
    assert!(done && said.starts_with("1 leads"), "{said}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let exported: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(exported["fields"]["full_name"], "Ana Horvat");
    assert_eq!(exported["id"], answer["id"]);
    let (done, said) = lab.command(&["spool", "replay"]);
    assert!(!done && said.contains("available") || said.contains("refused"), "{said}");
    lab.restart();
    let (done, said) = lab.command(&["spool", "replay"]);
    assert!(done && said.starts_with("1 leads and sign-ups are stored."), "{said}");
    let (done, said) = lab.command(&["spool", "list"]);
    assert!(done && said.starts_with("Nothing waits"), "{said}");
    // Nothing of a person is left in the file.
    let left = std::fs::read(&spool).unwrap();
    assert!(!left.windows(6).any(|it| it == b"Horvat"));
    let service = lab.start();
    assert_eq!(stored(&service).await.into_values().collect::<Vec<_>>(), [answer]);
}
