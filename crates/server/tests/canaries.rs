//! Canaries that the real binary sends to itself, through a real nginx as deployed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod nginx;
mod service;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use exit3_domain::jobs::NewJob;
use exit3_ports::{Clock, Repositories};
use exit3_postgres::PgSettings;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::postgres::{self, TestPostgres};
use nginx::Nginx;
use serde_json::Value;
use service::Service;
use tokio::runtime::Handle;

const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";
const SECRET: &str = "secret-of-the-tests";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

/// A dead-man's switch, which remembers what it was told.
struct Switch {
    address: String,
    told: Arc<Mutex<Vec<String>>>,
}

impl Switch {
    fn start(status: &'static str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&told);
        std::thread::spawn(move || {
            for stream in socket.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().unwrap().unwrap();
                while lines.next().unwrap().unwrap() != "" {}
                noted.lock().unwrap().push(first);
                let end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
                write!(stream, "HTTP/1.1 {status}\r\n{end}").unwrap();
            }
        });
        Self { address, told }
    }

    fn url(&self) -> String {
        format!("http://{}/a-secret", self.address)
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

fn start(socket: &TcpListener, directory: &Path, env: &[(&str, &str)]) -> Service {
    let basics = [
        ("BASIC_API_KEY", KEY),
        ("SECRET_KEY", SECRET),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("ALLOWED_HOSTS", "localhost,127.0.0.1"),
        ("SECURE_SSL_REDIRECT", "true"),
    ];
    Service::start_at(socket, directory, &[&basics, env].concat())
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The value of a time series.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} in {metrics}")).parse().unwrap()
}

async fn failures(service: &Service, step: &str) -> f64 {
    value(&service.metrics().await, &format!("exit3_canary_failures_total{{step=\"{step}\"}}"))
}

async fn assert_failed_once(service: &Service, step: &str) {
    until(step, async || failures(service, step).await > 0.0).await;
    for one in ["reach", "answer", "arrive", "database", "ping"] {
        assert_eq!(failures(service, one).await, f64::from(u8::from(one == step)), "{one}");
    }
}

/// Asks a node for a canary before the next one is due.
async fn send(repositories: &Repositories) {
    let (kind, payload) = ("canaries.send".to_owned(), "{}".to_owned());
    let job = NewJob { kind, payload, run_at: None, unique_key: None };
    repositories.jobs.enqueue(&[job]).await.unwrap();
}

/// What a database contains, apart from what jobs and consumers note about themselves.
type Dump = BTreeMap<String, Vec<String>>;

/// Canaries arrive beside a lead, use up no quota, and change nothing that anybody sees.
async fn canaries_arrive(url: Option<&str>, dump: impl AsyncFn() -> Dump) {
    let directory = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let nginx = Nginx::before(&[&socket.local_addr().unwrap().to_string()]);
    let switch = Switch::start("200 OK");
    let (canary, ping, certificate) = (nginx.url(LEADS), switch.url(), nginx.certificate());
    let mut env = vec![
        ("CANARY_URL", canary.as_str()),
        ("CANARY_PING_URL", &ping),
        ("SSL_CERT_FILE", certificate.to_str().unwrap()),
        ("RATE_LIMIT_LEAD_CREATE", "1/day"),
        ("RATE_LIMIT_USER", "5/day"),
    ];
    env.extend(url.map(|url| ("DATABASE_URL", url)));
    let began = exit3::SystemClock.now().timestamp() as f64;
    let service = start(&socket, directory.path(), &env);
    // The first one is sent at once.
    until("a ping", async || switch.told().len() == 1).await;

    let visitor = nginx.client();
    let authorized = |request: reqwest::RequestBuilder| {
        request
            .header("Authorization", format!("Basic {KEY}"))
            .header("Origin", "https://a.example")
    };
    let post =
        authorized(visitor.post(nginx.url(LEADS))).header("Content-Type", "application/json");
    assert_eq!(post.body(LEAD).send().await.unwrap().status(), 201);
    let count = async |query: &str| {
        let request = authorized(visitor.get(nginx.url(&format!("{LEADS}{query}"))));
        let list: Value = request.send().await.unwrap().json().await.unwrap();
        list["count"].as_u64().unwrap()
    };
    let repositories = match url {
        Some(url) => {
            let settings = PgSettings::parse(url).unwrap();
            exit3_postgres::connect(&settings, Handle::current()).repositories()
        }
        None => {
            let path = directory.path().join("data/exit3.sqlite3");
            SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap().repositories()
        }
    };
    let week = exit3_domain::leads::Week::of(exit3::SystemClock.now());
    let weeks = async || repositories.lead_weeks.list(week).await.unwrap();
    until("the week is counted", async || weeks().await.iter().any(|it| it.received == 1)).await;
    let no_job = exit3_ports::jobs::JobFilter { kind: None, state: None, most: 1 };
    until("no job", async || repositories.jobs.list(&no_job).await.unwrap().is_empty()).await;
    let before = dump().await;
    for number in 2..=5 {
        send(&repositories).await;
        until("a ping", async || switch.told().len() == number).await;
    }
    for (table, rows) in dump().await {
        assert_eq!(rows, before[&table], "{table}");
    }
    assert_eq!(switch.told(), ["GET /a-secret HTTP/1.1"; 5]);
    assert_eq!((count("").await, count("?search=canary").await), (1, 0));
    assert_eq!(weeks().await[0].received, 1);
    let events = repositories.events.list(&Default::default(), None, 9).await.unwrap();
    assert_eq!(events.len(), 1);
    let metrics = service.metrics().await;
    for (series, expected) in [
        ("exit3_leads_total{outcome=\"created\"}", 1.0),
        ("exit3_canary_failures_total{step=\"reach\"}", 0.0),
        ("exit3_canary_failures_total{step=\"answer\"}", 0.0),
        ("exit3_canary_failures_total{step=\"arrive\"}", 0.0),
        ("exit3_canary_failures_total{step=\"database\"}", 0.0),
        ("exit3_canary_failures_total{step=\"ping\"}", 0.0),
    ] {
        assert_eq!(value(&metrics, series), expected, "{series}");
    }
    assert!(value(&metrics, "exit3_canary_last_success_timestamp_seconds") >= began);
    assert!(!service.output().contains("canary"), "{}", service.output());
    nginx.log_with(&format!("\"POST {LEADS}\" 201 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_arrive_in_postgres() {
    let server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = server.url("postgres");
    let admin = postgres::client(&url).await;
    let column = async |sql: &str| -> Vec<String> {
        admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    };
    let dump = async || {
        let names = "SELECT relname::text FROM pg_class WHERE relkind = 'r' \
             AND relnamespace = 'public'::regnamespace \
             AND relname NOT IN ('jobs', 'schedules', 'event_consumers')";
        let mut dump = Dump::new();
        for name in column(names).await {
            let rows = column(&format!("SELECT to_jsonb(t)::text FROM {name} t ORDER BY 1")).await;
            dump.insert(name, rows);
        }
        assert_eq!(dump["canaries"], Vec::<String>::new());
        assert_eq!(dump["leads"].len(), 1);
        dump
    };
    canaries_arrive(Some(&url), dump).await;
}

/// The tests of the adapter compare all tables.
#[tokio::test(flavor = "multi_thread")]
async fn canaries_arrive_in_the_embedded_database() {
    canaries_arrive(None, async || Dump::new()).await;
}

/// A node that sends canaries to this address, and a switch.
struct Lonely {
    service: Service,
    switch: Switch,
    _directory: tempfile::TempDir,
}

impl Lonely {
    fn start(canary_url: &str, env: &[(&str, &str)]) -> Self {
        let (directory, switch) = (tempfile::tempdir().unwrap(), Switch::start("200 OK"));
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let ping = switch.url();
        let own = [("CANARY_URL", canary_url), ("CANARY_PING_URL", &ping)];
        let service = start(&socket, directory.path(), &[&own, env].concat());
        Self { service, switch, _directory: directory }
    }

    async fn assert_warns(self, step: &str, words: &[&str]) {
        assert_failed_once(&self.service, step).await;
        assert!(self.service.logs("a canary has failed"), "{}", self.service.output());
        let log = self.service.output();
        let line = log.lines().find(|line| line.contains("a canary has failed")).unwrap();
        for word in words {
            assert!(line.contains(word), "{word} in {line}");
        }
        assert!(!log.contains("a-secret") && !log.contains(KEY), "{log}");
        assert_eq!(self.switch.told(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_leads_nowhere_is_told_to_nobody() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}{LEADS}", gone.local_addr().unwrap());
    drop(gone);
    let words = ["CANARY_URL could not be reached", "Connection refused", "step=\"reach\""];
    Lonely::start(&url, &[]).assert_warns("reach", &words).await;
    let unknown = format!("http://nowhere.invalid{LEADS}");
    let words = ["CANARY_URL could not be reached", "dns"];
    Lonely::start(&unknown, &[]).assert_warns("reach", &words).await;
    // Nobody trusts the certificate.
    let nginx = Nginx::before(&["127.0.0.1:9"]);
    let words = ["CANARY_URL could not be reached", "certificate"];
    Lonely::start(&nginx.url(LEADS), &[]).assert_warns("reach", &words).await;
    // No node is behind the proxy.
    let certificate = nginx.certificate();
    let trusts = [("SSL_CERT_FILE", certificate.to_str().unwrap())];
    let words = ["CANARY_URL answered 503"];
    Lonely::start(&nginx.url(LEADS), &trusts).assert_warns("answer", &words).await;
}

/// Another service at the public address: with other keys, or with a database of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_leads_elsewhere_is_told_to_nobody() {
    for (env, step, words) in [
        (("BASIC_API_KEY", "another"), "answer", "CANARY_URL answered 403 Forbidden (request "),
        (("SECRET_KEY", "another"), "answer", "CANARY_URL answered 400 Bad Request (request "),
        (("LOG_LEVEL", "INFO"), "arrive", "201, but nothing arrived in the database (request "),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let tls_elsewhere = ("SECURE_SSL_REDIRECT", "false");
        let other = start(&socket, directory.path(), &[tls_elsewhere, env]);
        let url = format!("http://{}{LEADS}", other.address());
        Lonely::start(&url, &[]).assert_warns(step, &[words]).await;
        // Neither is a lead there.
        let key = if env.0 == "BASIC_API_KEY" { env.1 } else { KEY };
        let list: Value = other.get(LEADS, key).await.json().await.unwrap();
        assert_eq!(list["count"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_leads_is_told_to_nobody() {
    let server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = server.url("postgres");
    let directory = tempfile::tempdir().unwrap();
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = ("SECURE_SSL_REDIRECT", "false");
    start(&first, directory.path(), &[plain, ("DATABASE_URL", &url)]).stop();
    let admin = postgres::client(&url).await;
    // What waits for the end of the transaction refuses it too.
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN RAISE 'no leads today'; END $$; CREATE CONSTRAINT TRIGGER refuse AFTER INSERT \
        ON leads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()";
    admin.batch_execute(refuse).await.unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let canary = format!("http://{}{LEADS}", socket.local_addr().unwrap());
    let switch = Switch::start("200 OK");
    let ping = switch.url();
    let own = [("CANARY_URL", canary.as_str()), ("CANARY_PING_URL", &ping)];
    let env = [&own[..], &[plain, ("DATABASE_URL", &url)]].concat();
    let service = start(&socket, directory.path(), &env);
    assert_failed_once(&service, "answer").await;
    let told = "CANARY_URL answered 503 Service Unavailable (request ";
    assert!(service.logs(told), "{}", service.output());
    assert!(service.logs("no leads today"), "{}", service.output());
    assert_eq!(switch.told(), Vec::<String>::new());
    // As soon as the database takes leads, canaries arrive.
    admin.batch_execute("DROP TRIGGER refuse ON leads").await.unwrap();
    let settings = PgSettings::parse(&url).unwrap();
    let repositories = exit3_postgres::connect(&settings, Handle::current()).repositories();
    send(&repositories).await;
    until("a ping", async || switch.told().len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_does_not_take_it_is_logged() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}/a-secret", gone.local_addr().unwrap());
    drop(gone);
    let broken = Switch::start("500 Oh");
    for (ping, told) in [
        (nowhere, "the canary arrived, but CANARY_PING_URL could not be reached"),
        (broken.url(), "the canary arrived, but CANARY_PING_URL answered 500"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let canary = format!("http://{}{LEADS}", socket.local_addr().unwrap());
        let plain = ("SECURE_SSL_REDIRECT", "false");
        let own = [("CANARY_URL", canary.as_str()), ("CANARY_PING_URL", &ping), plain];
        let service = start(&socket, directory.path(), &own);
        assert_failed_once(&service, "ping").await;
        assert!(service.logs(told), "{}", service.output());
        assert!(!service.output().contains("a-secret"), "{}", service.output());
    }
    assert_eq!(broken.told().len(), 1);
}
