//! The binary with various PostgreSQL servers and poolers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use exit3_testkit::postgres::{self, Statements, TestDatabase, TestPgBouncer};
use service::{Service, exit3};

const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

fn env(url: &str) -> [(&str, &str); 3] {
    [("DATABASE_URL", url), ("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")]
}

fn run(directory: &Path, url: &str, words: &[&str]) -> Output {
    exit3(directory).envs(env(url)).args(words).output().unwrap()
}

async fn durable() -> TestDatabase {
    let database = postgres::shared().create_database().await;
    let admin = postgres::client(database.url()).await;
    let sql = "SELECT format('ALTER DATABASE %I SET synchronous_commit = on', current_database())";
    let alter: String = admin.query_one(sql, &[]).await.unwrap().get(0);
    admin.batch_execute(&alter).await.unwrap();
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_forgets_statements_ends_the_start_with_one_sentence() {
    let database = durable().await;
    let direct = database.url();
    let pooler = TestPgBouncer::start(direct, "transaction", Statements::PassedOn, 3).await;
    let directory = tempfile::tempdir().unwrap();
    for words in [&["serve"][..], &["check", "--deploy"]] {
        let output = run(directory.path(), &pooler.url_of(direct), words);
        assert!(!output.status.success());
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let sentence = "does not keep prepared statements";
        let lines = said.iter().flat_map(|text| text.lines());
        assert_eq!(lines.filter(|line| line.contains(sentence)).count(), 1, "{said:?}");
    }
    // It has left no lock in the pooler that others would wait for.
    let migrated = run(directory.path(), direct, &["migrate"]);
    assert!(migrated.status.success(), "{migrated:?}");
}

/// One node deletes, the other reads. Both prepare their first statement under the same name, if
/// they use names at all.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_suddenly_share_sessions_run_only_their_own_statements() {
    let database = durable().await;
    let direct = database.url();
    let pooler = TestPgBouncer::start(direct, "session", Statements::PassedOn, 60).await;
    let through = pooler.url_of(direct);
    let directories = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [deleting, reading] = [0, 1].map(|at| {
        let more = [("WORKERS", "1"), ("DB_POOL_SIZE", "1")];
        let env: Vec<_> = env(&through).into_iter().chain(more).collect();
        Service::start(directories[at].path(), &env)
    });
    let own = "INSERT INTO leads (full_name, position, created_at, updated_at, search_document) \
               SELECT 'Ana', 'CTO', now(), now(), 'ana' FROM generate_series(1, 120)";
    let admin = postgres::client(direct).await;
    admin.batch_execute(own).await.unwrap();
    let at = |id: i32| format!("{LEADS}{id}/");
    for id in 1..=120 {
        // Reconfigure the pooler after both have prepared their statements.
        if id == 3 {
            pooler.change("transaction", 1).await;
        }
        if id % 2 == 0 {
            deleting.delete(&at(id), KEY).await;
        } else {
            reading.get(&at(id), KEY).await;
        }
    }
    let kept = "SELECT count(*) FROM leads WHERE id % 2 = 1";
    let kept: i64 = admin.query_one(kept, &[]).await.unwrap().get(0);
    assert_eq!(kept, 60, "nobody deleted a lead with an odd id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_behind_a_pooler_that_keeps_statements_leaves_no_lock_there() {
    let database = durable().await;
    let direct = database.url();
    let pooler = TestPgBouncer::start(direct, "transaction", Statements::Kept, 3).await;
    let directory = tempfile::tempdir().unwrap();
    let through = pooler.url_of(direct);
    let service = Service::start(directory.path(), &env(&through));
    for _ in 0..5 {
        assert_eq!(service.post(LEADS, KEY, LEAD).await.status(), 201);
        assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    }
    service.stop();
    let back = run(directory.path(), direct, &["migrate", "--to", "1", "--drop-rows"]);
    assert!(back.status.success(), "{back:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_to_migrate_is_reported_on_standard_error() {
    let database = durable().await;
    let other = postgres::client(database.url()).await;
    let hold = format!("SELECT pg_advisory_lock({})", 0x6578_6974_3300_0001_i64);
    other.batch_execute(&hold).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut migrate = exit3(directory.path());
    migrate.envs(env(database.url())).arg("migrate").stderr(Stdio::piped());
    let mut migrate = migrate.spawn().unwrap();
    let line = BufReader::new(migrate.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(line.contains("holds the migration lock: process "), "{line}");
    other.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    assert!(migrate.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn unsafe_settings_of_the_server_are_reported() {
    let database = durable().await;
    let directory = tempfile::tempdir().unwrap();
    let checked = run(directory.path(), database.url(), &["check", "--deploy"]);
    assert!(!checked.status.success());
    let said = String::from_utf8(checked.stdout).unwrap();
    // Test servers run without durability.
    for setting in ["fsync", "full_page_writes"] {
        assert!(said.contains(&format!("danger: {setting} is off on the database's")), "{said}");
    }
    let service = Service::start(directory.path(), &env(database.url()));
    assert!(service.logs("fsync is off on the database's server"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_rights_to_migrate_is_reported_in_one_sentence() {
    let database = durable().await;
    let admin = postgres::client(database.url()).await;
    let role = "REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP ROLE IF EXISTS stranger; \
                CREATE ROLE stranger LOGIN";
    admin.batch_execute(role).await.unwrap();
    let url = database.url().replace("postgres@", "stranger@");
    let directory = tempfile::tempdir().unwrap();
    let sentence = "the role stranger lacks rights to migrate the database";
    let grant = "GRANT USAGE, CREATE ON SCHEMA public TO stranger";
    let output = run(directory.path(), &url, &["migrate"]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("exit3: {sentence}")) && said.contains(grant), "{said}");
    // A service logs the missing rights and waits for them.
    let mut serve = exit3(directory.path());
    let mut serve = serve.envs(env(&url)).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains(sentence) && line.contains(grant)));
    serve.kill().unwrap();
    serve.wait().unwrap();
}
