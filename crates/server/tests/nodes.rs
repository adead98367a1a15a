//! The service over PostgreSQL: failures of the database, and several nodes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use exit3_testkit::postgres::{self, TestPostgres};
use reqwest::Response;
use serde_json::{Value, json};
use service::Service;

const LEADS: &str = "/backend/api/v1/leads/";
const NEWSLETTER: &str = "/backend/api/v1/newsletter/";
const KEY: &str = "key-of-the-tests";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

/// The promise is 2 s; the rest allows for a machine that runs other tests.
const PROMPTLY: Duration = Duration::from_secs(3);

fn node(directory: &Path, url: &str) -> Service {
    let env = [
        ("DATABASE_URL", url),
        ("BASIC_API_KEY", KEY),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("LOG_LEVEL", "ERROR"),
        // `spool` and `cluster` have nodes that take leads meanwhile.
        ("SPOOL_MAX_MB", "0"),
    ];
    Service::start(directory, &env)
}

async fn server() -> TestPostgres {
    tokio::task::spawn_blocking(TestPostgres::start).await.unwrap()
}

/// Counts the other clients of a database. Autovacuum, which comes and goes, is not one.
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity \
                        WHERE datname = current_database() AND backend_type = 'client backend' \
                        AND pid <> pg_backend_pid()";

/// Waits until the service answers a list again.
async fn until_healed(service: &Service) {
    let begun = Instant::now();
    while service.get(LEADS, KEY).await.status() != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the service does not heal");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn is_away(answer: Response) {
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body, json!({"detail": "Service temporarily unavailable, try again later."}));
}

/// Checks the answers while the database is unavailable for any reason.
async fn tells_that_the_database_is_away(service: &Service) {
    let begun = Instant::now();
    let (created, listed, health, ready, live) = tokio::join!(
        service.post(LEADS, KEY, LEAD),
        service.get(LEADS, KEY),
        service.get("/backend/health/", ""),
        service.get("/backend/health/ready/", ""),
        service.get("/backend/health/live/", ""),
    );
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    is_away(created).await;
    is_away(listed).await;
    assert_eq!((health.status().as_u16(), ready.status().as_u16()), (503, 503));
    assert_eq!(health.json::<Value>().await.unwrap()["status"], "degraded");
    assert_eq!(live.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_or_crashed_database_is_a_prompt_503_and_the_service_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = server().await;
    let service = node(directory.path(), &database.url("postgres"));
    assert_eq!(service.post(LEADS, KEY, LEAD).await.status(), 201);

    database.pause();
    tells_that_the_database_is_away(&service).await;
    database.resume();
    until_healed(&service).await;

    database.stop();
    tells_that_the_database_is_away(&service).await;
    let database = tokio::task::spawn_blocking(move || {
        database.restart();
        database
    });
    let _database = database.await.unwrap();
    until_healed(&service).await;
    assert_eq!(service.post(LEADS, KEY, LEAD).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_lead_is_lost_when_the_database_crashes_under_load() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = server().await;
    let url = database.url("postgres");
    // The test server commits asynchronously; this test needs durable commits.
    let admin = postgres::client(&url).await;
    admin.batch_execute("ALTER DATABASE postgres SET synchronous_commit = on").await.unwrap();
    let service = Arc::new(node(directory.path(), &url));
    let answered = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (service, answered, stop) =
                (Arc::clone(&service), Arc::clone(&answered), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = service.post(LEADS, KEY, LEAD).await;
                    match answer.status().as_u16() {
                        201 => answered.fetch_add(1, Ordering::Relaxed),
                        503 => 0,
                        other => panic!("answered {other}"),
                    };
                }
            })
        })
        .collect();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        database = tokio::task::spawn_blocking(move || {
            database.restart();
            database
        })
        .await
        .unwrap();
        until_healed(&service).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let list: Value = service.get(LEADS, KEY).await.json().await.unwrap();
    let (stored, answered) = (list["count"].as_u64().unwrap(), answered.load(Ordering::Relaxed));
    assert!(answered > 100, "{answered} leads are too few for a load");
    assert!(stored >= answered, "{answered} answered, {stored} stored");
    // Unanswered creates may have been stored, but not more than were in flight.
    assert!(stored <= answered + 2 * 8, "{answered} answered, {stored} stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_migrations_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let database = postgres::shared().create_database().await;
    let env = [
        ("DATABASE_URL", database.url()),
        ("BASIC_API_KEY", KEY),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("AUTO_MIGRATE", "false"),
    ];
    let service = Service::start(directory.path(), &env);
    is_away(service.get(LEADS, KEY).await).await;
    is_away(service.post(LEADS, KEY, LEAD).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_share_one_database() {
    let directories: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let database = postgres::shared().create_database().await;
    let nodes: Vec<Service> = std::thread::scope(|scope| {
        let starts: Vec<_> = directories
            .iter()
            .map(|directory| scope.spawn(|| node(directory.path(), database.url())))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    for node in &nodes {
        assert_eq!(node.get("/backend/health/ready/", "").await.status(), 200);
        assert_eq!(node.post(LEADS, KEY, LEAD).await.status(), 201);
    }
    for node in &nodes {
        let list: Value = node.get(LEADS, KEY).await.json().await.unwrap();
        assert_eq!(list["count"], 3);
    }
    // A cursor of one node works on another.
    let first: Value =
        nodes[0].get(&format!("{LEADS}?cursor=&page_size=1"), KEY).await.json().await.unwrap();
    let next = first["next"].as_str().unwrap();
    let next = &next[next.find("/backend/").unwrap()..];
    assert_eq!(nodes[1].get(next, KEY).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_concurrent_sign_ups_of_an_address_succeeds() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let database = postgres::shared().create_database().await;
    let nodes: Vec<Arc<Service>> = directories
        .iter()
        .map(|directory| Arc::new(node(directory.path(), database.url())))
        .collect();
    let crowd = (0..50).map(|n| {
        let node = Arc::clone(&nodes[n % 2]);
        let email = if n % 3 == 0 { "News@Example.com" } else { "news@example.com" };
        tokio::spawn(async move {
            let answer = node.post(NEWSLETTER, KEY, &json!({ "email": email }).to_string()).await;
            let status = answer.status().as_u16();
            if status == 400 {
                let words = json!({"email": ["newsletter with this email already exists."]});
                assert_eq!(answer.json::<Value>().await.unwrap(), words);
            }
            status
        })
    });
    let mut statuses = Vec::new();
    for answer in crowd.collect::<Vec<_>>() {
        statuses.push(answer.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 49, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_never_remove_all_contact_details_of_a_lead() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let database = postgres::shared().create_database().await;
    let nodes = directories.each_ref().map(|directory| node(directory.path(), database.url()));
    for _ in 0..20 {
        let lead = r#"{"full_name": "Ana", "position": "CTO", "email": "ana@acme.hr",
                       "phone_number": "0911234567"}"#;
        let lead: Value = nodes[0].post(LEADS, KEY, lead).await.json().await.unwrap();
        let path = format!("{LEADS}{}/", lead["id"]);
        let (one, other) = tokio::join!(
            nodes[0].patch(&path, KEY, r#"{"email": null}"#),
            nodes[1].patch(&path, KEY, r#"{"phone_number": null}"#),
        );
        let mut statuses = [one.status().as_u16(), other.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_share_the_limit_of_connections() {
    for (connections, workers) in [(1, 16), (8, 16)] {
        let directory = tempfile::tempdir().unwrap();
        let database = postgres::shared().create_database().await;
        let (size, threads) = (connections.to_string(), workers.to_string());
        let env = [
            ("DATABASE_URL", database.url()),
            ("BASIC_API_KEY", KEY),
            ("SECRET_KEY", "secret-of-the-tests"),
            ("DB_POOL_SIZE", &size),
            ("WORKERS", &threads),
            // So that a busy machine does not fail the test.
            ("DB_TIMEOUT_MS", "60000"),
        ];
        let service = Arc::new(Service::start(directory.path(), &env));
        let admin = postgres::client(database.url()).await;
        let crowd: Vec<_> = (0..48)
            .map(|_| {
                let service = Arc::clone(&service);
                tokio::spawn(async move {
                    for _ in 0..4 {
                        assert_eq!(service.post(LEADS, KEY, LEAD).await.status(), 201);
                        assert_eq!(service.get(LEADS, KEY).await.status(), 200);
                        service.get("/backend/health/ready/", KEY).await;
                    }
                })
            })
            .collect();
        let mut most = 0;
        while !crowd.iter().all(tokio::task::JoinHandle::is_finished) {
            let row = admin.query_one(SESSIONS, &[]).await.unwrap();
            most = most.max(row.get::<_, i64>(0));
        }
        for one in crowd {
            one.await.unwrap();
        }
        assert!((1..=connections).contains(&most), "{most} of {connections}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_reported_to_the_operator_only() {
    let directory = tempfile::tempdir().unwrap();
    let database = postgres::shared().create_database().await;
    let service = node(directory.path(), database.url());
    let admin = postgres::client(database.url()).await;
    let name: String =
        admin.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    let role = format!("lacking_{name}");
    let grant = format!(
        "CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
         REVOKE INSERT ON leads FROM {role}"
    );
    admin.batch_execute(&grant).await.unwrap();
    service.stop();

    let url = database.url().replace("//postgres@", &format!("//{role}@"));
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("BASIC_API_KEY", KEY),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("AUTO_MIGRATE", "false"),
    ];
    let service = Service::start(directory.path(), &env);
    is_away(service.post(LEADS, KEY, LEAD).await).await;
    assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    let lacks = format!("the role {role} lacks INSERT on the table leads");
    let ready = service.get("/backend/health/ready/", "").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap(), json!({"status": "database incomplete"}));
    let ready: Value = service.get("/backend/health/ready/", KEY).await.json().await.unwrap();
    assert_eq!(ready["detail"], lacks);
    assert!(service.logs(&lacks));

    let check = || {
        let mut check = service::exit3(directory.path());
        check.envs(env).arg("check").output().unwrap()
    };
    let checked = check();
    assert!(!checked.status.success());
    assert!(String::from_utf8_lossy(&checked.stderr).contains(&lacks), "{checked:?}");
    admin.batch_execute(&format!("GRANT INSERT ON leads TO {role}")).await.unwrap();
    for (away, back, told) in [
        (
            "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO PUBLIC",
            format!("the role {role} lacks USAGE on the schema public"),
        ),
        (
            "ALTER TABLE leads ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE leads DISABLE ROW LEVEL SECURITY",
            format!("row-level security of the table leads may hide rows from the role {role}"),
        ),
    ] {
        admin.batch_execute(away).await.unwrap();
        let ready: Value = service.get("/backend/health/ready/", KEY).await.json().await.unwrap();
        assert_eq!(ready["status"], "database incomplete", "{away}");
        assert!(ready["detail"].as_str().unwrap().contains(&told), "{away}: {ready}");
        let checked = check();
        assert!(!checked.status.success(), "{away}");
        assert!(String::from_utf8_lossy(&checked.stderr).contains(&told), "{checked:?}");
        admin.batch_execute(back).await.unwrap();
    }
    assert!(check().status.success());
    assert_eq!(service.get("/backend/health/ready/", "").await.status(), 200);
}
