//! Starting the service while something that it needs is missing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use exit3_testkit::postgres::{self, TestPostgres};
use serde_json::{Value, json};
use service::{Service, exit3};

const LEADS: &str = "/backend/api/v1/leads/";
const READY: &str = "/backend/health/ready/";
const KEY: &str = "key-of-the-tests";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

fn start(directory: &Path, env: &[(&str, &str)]) -> Service {
    let basics = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")];
    Service::start(directory, &[&basics, env].concat())
}

/// Checks the responses while the service waits.
async fn assert_alive_and_refusing(service: &Service) {
    let begun = Instant::now();
    let (live, ready, health, listed, created) = tokio::join!(
        service.get("/backend/health/live/", ""),
        service.get(READY, ""),
        service.get("/backend/health/", ""),
        service.get(LEADS, KEY),
        service.post(LEADS, KEY, LEAD),
    );
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(live.status(), 200);
    assert_eq!((ready.status().as_u16(), health.status().as_u16()), (503, 503));
    for refused in [listed, created] {
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
        assert!(refused.headers().contains_key("x-request-id"));
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body, json!({"detail": "Service temporarily unavailable, try again later."}));
    }
    // A request without a key is refused for that first, as always.
    assert_eq!(service.get(LEADS, "").await.status(), 403);
}

async fn until_ready(service: &Service) {
    let begun = Instant::now();
    while service.get(READY, "").await.status() != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", service.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(service.post(LEADS, KEY, LEAD).await.status(), 201);
    assert_eq!(service.get(LEADS, KEY).await.status(), 200);
}

/// Stands in for systemd and records the notifications.
struct Systemd {
    heard: Arc<Mutex<Vec<String>>>,
    path: String,
}

impl Systemd {
    fn new(directory: &Path) -> Self {
        let path = directory.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut message = [0; 1024];
            while let Ok(length) = socket.recv(&mut message) {
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                hears.lock().unwrap().extend(text.lines().map(str::to_owned));
            }
        });
        Self { heard, path: path.to_str().unwrap().to_owned() }
    }

    fn has_heard(&self, beginning: &str) -> bool {
        self.heard.lock().unwrap().iter().any(|line| line.starts_with(beginning))
    }

    fn hears(&self, beginning: &str) {
        let begun = Instant::now();
        while !self.has_heard(beginning) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", self.heard.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_waits_for_an_unavailable_server() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = TestPostgres::start();
    let url = database.url("postgres").replace("postgres@", "postgres:hunter2@");
    database.stop();
    let systemd = Systemd::new(directory.path());
    let env = [("DATABASE_URL", url.as_str()), ("NOTIFY_SOCKET", &systemd.path)];
    let service = start(directory.path(), &env);
    assert_alive_and_refusing(&service).await;
    assert!(service.logs("waiting for PostgreSQL at 127.0.0.1:"), "{}", service.output());
    assert!(service.logs("Connection refused"), "{}", service.output());
    systemd.hears("EXTEND_TIMEOUT_USEC=");
    systemd.hears("STATUS=waiting for PostgreSQL at ");
    assert!(!systemd.has_heard("READY=1"));
    // The message is repeated every few seconds.
    let begun = Instant::now();
    while service.output().matches("waiting for PostgreSQL").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", service.output());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    database.restart();
    until_ready(&service).await;
    systemd.hears("READY=1");
    let said = service.output() + &service.errors();
    assert!(!said.contains("hunter2") && !systemd.has_heard("STATUS=hunter2"), "{said}");
    service.stop();
}

/// An operator may create what is missing, and fix what the server refuses.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_server_are_logged_and_retried() {
    let database = TestPostgres::start();
    let admin = postgres::client(&database.url("postgres")).await;
    let stranger = database.url("postgres").replace("postgres@", "newcomer@");
    for (url, reason, remedy) in [
        (database.url("later"), "does not exist", "CREATE DATABASE later"),
        (stranger, "does not exist", "CREATE ROLE newcomer LOGIN SUPERUSER"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let service = start(directory.path(), &[("DATABASE_URL", &url)]);
        assert_alive_and_refusing(&service).await;
        assert!(service.logs(reason), "{}", service.output());
        admin.batch_execute(remedy).await.unwrap();
        until_ready(&service).await;
        service.stop();
    }
}

/// Relays connections, up to `most` of them.
fn relay(to: &str, most: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, to) = (listener.local_addr().unwrap().to_string(), to.to_owned());
    let left = Arc::new(AtomicUsize::new(most));
    let open = Arc::clone(&left);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            if open.load(Ordering::SeqCst) == 0 {
                continue;
            }
            open.fetch_sub(1, Ordering::SeqCst);
            let server = TcpStream::connect(&to).unwrap();
            for (mut from, mut into) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut into);
                    let _ = into.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    (address, left)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_waits_for_a_server_that_fails_during_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let database = postgres::shared().create_database().await;
    let server = database.url().split(['@', '/']).nth(3).unwrap();
    let (address, left) = relay(server, 1);
    let url = database.url().replace(server, &address);
    let service = start(directory.path(), &[("DATABASE_URL", &url)]);
    assert_alive_and_refusing(&service).await;
    left.store(usize::MAX, Ordering::SeqCst);
    until_ready(&service).await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn health_checks_work_while_a_migration_waits() {
    let directory = tempfile::tempdir().unwrap();
    let database = postgres::shared().create_database().await;
    let mut migrate = exit3(directory.path());
    let env = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret"), ("DATABASE_URL", database.url())];
    let migrate = migrate.envs(env).args(["migrate", "--to", "3"]);
    assert!(migrate.status().unwrap().success());
    let mut holder = postgres::client(database.url()).await;
    let held = holder.transaction().await.unwrap();
    held.batch_execute("LOCK TABLE __diesel_schema_migrations IN EXCLUSIVE MODE").await.unwrap();
    let systemd = Systemd::new(directory.path());
    let env = [("DATABASE_URL", database.url()), ("NOTIFY_SOCKET", &systemd.path)];
    let service = start(directory.path(), &env);
    assert_alive_and_refusing(&service).await;
    assert!(service.logs("waiting for the migrations of PostgreSQL at"), "{}", service.output());
    systemd.hears("EXTEND_TIMEOUT_USEC=");
    assert!(!systemd.has_heard("READY=1"));
    // Stopping does not wait for the migration.
    let other = tempfile::tempdir().unwrap();
    let second = start(other.path(), &env[..1]);
    second.terminate();
    let stopped = second.wait_for(Duration::from_secs(10));
    assert!(stopped.expect("it stops while it waits").success());
    held.rollback().await.unwrap();
    until_ready(&service).await;
    systemd.hears("READY=1");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_waits_for_another_node_to_migrate_the_schema() {
    let directory = tempfile::tempdir().unwrap();
    let database = postgres::shared().create_database().await;
    let env = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret"), ("DATABASE_URL", database.url())];
    let migrate = |arguments: &[&str]| {
        let mut command = exit3(directory.path());
        assert!(command.envs(env).arg("migrate").args(arguments).status().unwrap().success());
    };
    migrate(&["--to", "3"]);
    let systemd = Systemd::new(directory.path());
    let env = [
        ("DATABASE_URL", database.url()),
        ("NOTIFY_SOCKET", &systemd.path),
        ("AUTO_MIGRATE", "false"),
    ];
    let service = start(directory.path(), &env);
    assert_eq!(service.get("/backend/health/live/", "").await.status(), 200);
    assert_eq!(service.get(READY, "").await.status(), 503);
    assert!(service.logs("the schema is outdated: run `exit3 migrate`"), "{}", service.output());
    assert!(!systemd.has_heard("READY=1"));
    migrate(&[]);
    assert_eq!(service.get(READY, "").await.status(), 200, "at once");
    systemd.hears("READY=1");
    until_ready(&service).await;
    service.stop();
}

/// Locks an SQLite file against other processes for as long as it lives.
struct Lock(Child);

impl Lock {
    fn of(path: &Path) -> Self {
        let script = "import sqlite3, sys\n\
                      held = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                      held.execute('PRAGMA locking_mode = EXCLUSIVE')\n\
                      held.execute('BEGIN EXCLUSIVE')\n\
                      print('held', flush=True)\n\
                      sys.stdin.read()";
        let mut command = Command::new("python3");
        command.args(["-c", script]).arg(path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().expect("python3");
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "held");
        Self(holder)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_waits_for_a_locked_sqlite_file() {
    let directory = tempfile::tempdir().unwrap();
    start(directory.path(), &[]).stop();
    let lock = Lock::of(&directory.path().join("data/exit3.sqlite3"));
    let service = start(directory.path(), &[]);
    assert_alive_and_refusing(&service).await;
    assert!(service.logs("waiting for SQLite at data/exit3.sqlite3"), "{}", service.output());
    drop(lock);
    until_ready(&service).await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_waits_only_for_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let database = postgres::shared().create_database().await;
    let env = [
        ("DATABASE_URL", database.url()),
        ("DATABASE_REPLICA_URL", "postgres://postgres@127.0.0.1:1/postgres"),
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("SENTRY_DSN", "http://public@127.0.0.1:1/7"),
        ("RATE_LIMIT_USER", "1000/hour"),
    ];
    let service = start(directory.path(), &env);
    assert_eq!(service.get(READY, "").await.status(), 200);
    until_ready(&service).await;
    assert!(!service.output().contains("waiting for"), "{}", service.output());
    service.stop();
}

/// Waiting cannot fix this.
#[test]
fn a_file_that_is_not_a_database_ends_the_start_with_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    std::fs::write(directory.path().join("data/exit3.sqlite3"), "not a database ".repeat(99))
        .unwrap();
    let output = exit3(directory.path()).output().unwrap();
    assert!(!output.status.success());
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.contains("file is not a database"), "{sentence}");
}
