//! The alarm when no lead comes: metrics, event and mail, with two nodes and restarts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use exit3::SystemClock;
use exit3_domain::events::{Actor, Author};
use exit3_domain::staff::{AccountInput, NewStaff, PasswordHash};
use exit3_ports::{Clock, Repositories};
use exit3_postgres::PgSettings;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders::lead;
use exit3_testkit::postgres::TestPostgres;
use exit3_testkit::smtp::TestSmtp;
use service::{Service, exit3};
use tokio::runtime::Handle;

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Nine weeks of a lead every six hours, and then three days without any.
async fn fall_silent(repositories: &Repositories) {
    let end = SystemClock.now() - TimeDelta::days(3);
    for number in (0..9 * 7 * 4).rev() {
        let act = Author::from(Actor::BasicKey).at(end - TimeDelta::hours(6) * number);
        repositories.leads.create(&lead().build(), &act).await.unwrap();
    }
}

/// The value of a metric without labels.
async fn metric(node: &Service, name: &str) -> Option<f64> {
    let metrics = node.metrics().await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

fn run(directory: &Path, arguments: &[&str], database: &[(&str, &str)]) -> String {
    let output = exit3(directory).args(arguments).envs(database.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_tell_a_silence_once_and_the_mail_waits_for_its_server() {
    let server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = server.url("postgres");
    let mut smtp = TestSmtp::start("plain");
    let port = smtp.port.to_string();
    smtp.stop();
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("BASIC_API_KEY", "key-of-the-tests"),
        ("EMAIL_HOST", "localhost"),
        ("EMAIL_PORT", port.as_str()),
        ("DEFAULT_FROM_EMAIL", "Exit Three <leads@exit3.example>"),
        ("ALARM_TO", "ana@example.com, iva@example.com"),
    ];
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let directory = directories[0].path();
    run(directory, &["migrate"], &settings);
    let database = PgSettings::parse(&url).unwrap();
    let repositories = exit3_postgres::connect(&database, Handle::current()).repositories();
    fall_silent(&repositories).await;

    let mut nodes: Vec<Service> =
        directories.iter().map(|own| Service::start(own.path(), &settings)).collect();
    for node in &nodes {
        until("the alarm", async || metric(node, "exit3_silence_alarm").await == Some(1.0)).await;
        let expected = metric(node, "exit3_silence_expected_leads").await.unwrap();
        assert!((11.9..=12.1).contains(&expected), "{expected}");
    }
    let jobs = || run(directory, &["jobs", "list"], &settings);
    let failed = "the connection failed";
    until("both mails have failed", async || jobs().matches(failed).count() == 2).await;
    assert_eq!(jobs().matches("mail.send").count(), 2);
    smtp.start_again();
    for line in jobs().lines().filter(|line| line.contains("mail.send")) {
        let id = line.split_whitespace().next().unwrap();
        run(directory, &["jobs", "retry", id], &settings);
    }
    until("the mails", async || smtp.mails().len() == 2).await;

    // Restarts find that the silence has been told.
    nodes.clear();
    let node = Service::start(directory, &settings);
    until("the alarm", async || metric(&node, "exit3_silence_alarm").await == Some(1.0)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!jobs().contains("mail.send"), "{}", jobs());
    let mut to: Vec<_> = smtp.mails().into_iter().map(|mail| mail["to"][0].clone()).collect();
    to.sort_by_key(ToString::to_string);
    assert_eq!(to, ["ana@example.com", "iva@example.com"]);
    let told = "no lead has come for so long";
    assert!(!node.output().contains(told), "{}", node.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_gets_the_mail_if_nobody_else_is_named() {
    let smtp = TestSmtp::start("plain");
    let port = smtp.port.to_string();
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path();
    run(own, &["migrate"], &[]);
    {
        let path = own.join("data/exit3.sqlite3");
        let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
        let repositories = database.repositories();
        let ana = "ana@example.com".to_owned();
        let profile = AccountInput { email: ana, ..AccountInput::owner("ana") };
        let profile = profile.into_profile().unwrap();
        let new =
            NewStaff { profile, password: PasswordHash::none(), date_joined: SystemClock.now() };
        let act = Author::from(Actor::command("test")).at(SystemClock.now());
        repositories.staff.create(&new, &act).await.unwrap();
        fall_silent(&repositories).await;
    }
    let settings = [
        ("EMAIL_HOST", "localhost"),
        ("EMAIL_PORT", port.as_str()),
        ("DEFAULT_FROM_EMAIL", "leads@exit3.example"),
    ];
    let node = Service::start(own, &settings);
    until("the mail", async || smtp.mails().len() == 1).await;
    assert_eq!(smtp.mails()[0]["to"][0], "ana@example.com");
    assert!(node.output().contains("no lead has come for so long"), "{}", node.output());
}
