//! Exports of many rows through the binary: memory, slow readers, and files that break off.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use exit3_domain::events::{Event, EventFilter};
use exit3_ports::Repositories;
use exit3_postgres::PgSettings;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::postgres;
use service::{Service, exit3};
use tokio::runtime::Handle;

const ROWS: usize = 100_000;
const PASSWORD: &str = "plavi konj trči daleko";
const EXPORT: &str = "/backend/admin/leads/export/";
const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";
/// In bytes. 32 MiB are promised.
const MOST: usize = 16 << 20;
/// Clients that do not read.
const STALLED: usize = 16;

/// Runs a command with this standard input.
fn run(directory: &Path, env: &[(&str, &str)], arguments: &[&str], input: &str) {
    let mut command = exit3(directory);
    command.args(arguments).envs(env.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{arguments:?}");
}

/// The cookie of a person who has signed in.
async fn sign_in(service: &Service) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let form = [("_username", "ana"), ("_password", PASSWORD)];
    let request = client.build().unwrap().post(service.url("/backend/admin/sign-in/"));
    let answer = request.header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// A connection on which an export has been asked for, with all columns.
fn ask(service: &Service, cookie: &str) -> TcpStream {
    let columns = [
        "id",
        "full_name",
        "position",
        "company_name",
        "phone_number",
        "email",
        "source",
        "status",
        "notes",
        "created_at",
        "updated_at",
        "category",
        "owner",
        "next_step",
        "next_step_at",
    ];
    let form = columns.map(|name| format!("column={name}")).join("&");
    let mut stream = TcpStream::connect(service.address()).unwrap();
    let request = format!(
        "POST {EXPORT} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        service.address(),
        form.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Reads until a response has begun.
fn begun(stream: &mut TcpStream) -> Vec<u8> {
    let mut piece = [0; 1000];
    let length = stream.read(&mut piece).unwrap();
    assert!(piece.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&piece));
    piece[..length].to_vec()
}

/// Reads chunks until the connection ends, or the last chunk. Returns the content, and whether there
/// was a last chunk.
fn dechunked(begin: Vec<u8>, stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut raw = begin;
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let _ = stream.read_to_end(&mut raw);
    let head = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (mut rest, mut content) = (&raw[head..], Vec::new());
    loop {
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
            return (content, false);
        };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            return (content, true);
        }
        if rest.len() < size + 2 {
            return (content, false);
        }
        content.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

async fn newest_events(repositories: &Repositories) -> Vec<Event> {
    let filter =
        EventFilter { resource: Some("lead".into()), id: Some(0), ..EventFilter::default() };
    repositories.events.list(&filter, None, 100).await.unwrap()
}

/// `harm` makes the database useless.
async fn exports_many(
    directory: &Path,
    env: &[(&str, &str)],
    repositories: impl FnOnce() -> Repositories,
    harm: impl AsyncFnOnce(),
) {
    let rows = ROWS.to_string();
    run(directory, env, &["seed-demo", "--leads", &rows, "--subscribers", "0"], "");
    let line = format!("{PASSWORD}\n");
    run(directory, env, &["staff", "create", "--username", "ana", "--role", "manager"], &line);
    let service = Service::start(directory, &[env, &[("BASIC_API_KEY", KEY)]].concat());
    let cookie = sign_in(&service).await;
    let repositories = repositories();

    // Everything, while others write.
    service.get(LEADS, KEY).await;
    service.peak();
    let before = service.peak();
    let file = {
        let (service, cookie) = (&service, cookie.as_str());
        let mut stream = ask(service, cookie);
        let reading = tokio::task::spawn_blocking(move || {
            let begin = begun(&mut stream);
            dechunked(begin, &mut stream)
        });
        let lead = r#"{"full_name": "Eva Novak", "position": "CEO", "email": "eva@acme.hr"}"#;
        while !reading.is_finished() {
            assert_eq!(service.post(LEADS, KEY, lead).await.status(), 201);
        }
        let (file, is_whole) = reading.await.unwrap();
        assert!(is_whole, "the file breaks off after {} bytes", file.len());
        file
    };
    let more = service.peak().saturating_sub(before);
    assert!(more < MOST, "an export of {ROWS} rows takes {more} bytes");
    let mut reader = csv::Reader::from_reader(file.as_slice());
    let ids: Vec<usize> = reader.records().map(|row| row.unwrap()[0].parse().unwrap()).collect();
    let distinct: HashSet<usize> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "a row is repeated");
    assert!((1..=ROWS).all(|id| distinct.contains(&id)), "a row is skipped");
    let events = newest_events(&repositories).await;
    let told = |event: &Event| (event.verb.to_string(), event.changes.to_text().unwrap());
    assert_eq!(told(&events[0]).0, "lead.export_ended");
    assert_eq!(told(&events[0]).1, format!("{{\"rows\":{}}}", ids.len()));
    assert_eq!(told(&events[1]).0, "lead.exported");
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.act.author.actor.to_string() == "staff:ana"));
    assert!(events[0].act.author.request.is_some());
    assert_eq!(events[0].act.author.request, events[1].act.author.request);

    // Clients that do not read hold neither memory nor connections to the database.
    service.peak();
    let mut stalled: Vec<TcpStream> = (0..STALLED).map(|_| ask(&service, &cookie)).collect();
    for stream in &mut stalled {
        begun(stream);
    }
    let began = Instant::now();
    for _ in 0..10 {
        assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let more = service.peak().saturating_sub(before);
    assert!(more < 2 * MOST, "{STALLED} stalled clients take {more} bytes");
    drop(stalled);
    let begins = newest_events(&repositories).await;
    let begins = begins.iter().filter(|event| event.verb.as_str() == "lead.exported").count();
    assert_eq!(begins, STALLED + 1, "each export leaves an event");

    // A file that breaks off does not look complete.
    let mut stream = ask(&service, &cookie);
    let begin = begun(&mut stream);
    harm().await;
    let (file, is_whole) =
        tokio::task::spawn_blocking(move || dechunked(begin, &mut stream)).await.unwrap();
    assert!(!is_whole, "a file of {} bytes looks complete", file.len());
    assert!(service.logs("an export broke off"), "{}", service.output());
    service.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_are_exported_from_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/exit3.sqlite3");
    let repositories = || {
        let settings = SqliteSettings::default();
        SqliteDatabase::open(&path, &settings).unwrap().repositories()
    };
    let harm = async || {
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_len(8192).unwrap();
    };
    exports_many(directory.path(), &[], repositories, harm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_are_exported_from_postgres() {
    let database = postgres::shared().create_database().await;
    let directory = tempfile::tempdir().unwrap();
    let env = [
        ("DATABASE_URL", database.url()),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("BASIC_API_KEY", KEY),
        // Fewer than the clients that stall.
        ("DB_POOL_SIZE", "2"),
    ];
    let repositories = || {
        let settings = PgSettings::parse(database.url()).unwrap();
        exit3_postgres::connect(&settings, Handle::current()).repositories()
    };
    let harm = async || {
        let admin = postgres::client(database.url()).await;
        admin.batch_execute("ALTER TABLE leads RENAME TO away").await.unwrap();
    };
    exports_many(directory.path(), &env, repositories, harm).await;
}
