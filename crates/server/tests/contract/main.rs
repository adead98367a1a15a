//! The contract with clients of the replaced service: recorded requests, sent one after another to
//! the real binary over a socket, get the recorded responses, on both databases.
//!
//! See `tests/contract/README.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod compare;
mod fields;
mod recording;
mod replay;
#[path = "../service/mod.rs"]
mod service;
mod socket;

use std::collections::BTreeMap;

use exit3_testkit::postgres::{self, TestPostgres};
use recording::{KEY, Recording};
use serde_json::json;
use service::Service;

/// The tests send thousands of requests that are refused; do not log them.
const ENVIRONMENT: [(&str, &str); 3] =
    [("BASIC_API_KEY", KEY), ("SECRET_KEY", "known to the tests alone"), ("LOG_LEVEL", "ERROR")];

fn on_sqlite(recordings: &[Recording]) {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &ENVIRONMENT);
    replay::replay(service.address(), recordings);
    service.stop();
}

async fn on_postgres(recordings: &[Recording]) {
    let database = postgres::shared().create_database().await;
    let directory = tempfile::tempdir().unwrap();
    let mut environment = ENVIRONMENT.to_vec();
    environment.push(("DATABASE_URL", database.url()));
    let service = Service::start(directory.path(), &environment);
    replay::replay(service.address(), recordings);
    service.stop();
}

#[test]
fn every_field_is_stored_changed_and_shown_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &ENVIRONMENT);
    fields::write_all(service.address());
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_is_stored_changed_and_shown_on_postgres() {
    let database = postgres::shared().create_database().await;
    let directory = tempfile::tempdir().unwrap();
    let mut environment = ENVIRONMENT.to_vec();
    environment.push(("DATABASE_URL", database.url()));
    let service = Service::start(directory.path(), &environment);
    fields::write_all(service.address());
    service.stop();
}

#[test]
fn the_examples_are_answered_as_recorded_on_sqlite() {
    on_sqlite(&recording::examples());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_answered_as_recorded_on_postgres() {
    on_postgres(&recording::examples()).await;
}

#[test]
fn whole_classes_of_requests_are_answered_as_recorded_on_sqlite() {
    on_sqlite(&recording::classes());
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_classes_of_requests_are_answered_as_recorded_on_postgres() {
    on_postgres(&recording::classes()).await;
}

/// Lists come from a replica that is always late; a client must still see its own writes.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_and_classes_are_answered_as_recorded_with_a_replica() {
    let (primary, replica) = TestPostgres::with_replica().await;
    let admin = postgres::client(&primary.url("postgres")).await;
    admin.batch_execute("CREATE DATABASE examples").await.unwrap();
    admin.batch_execute("CREATE DATABASE classes").await.unwrap();
    let late = postgres::client(&replica.url("postgres")).await;
    late.batch_execute("ALTER SYSTEM SET recovery_min_apply_delay = '50ms'").await.unwrap();
    late.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let mut from_replica = 0;
    for (database, recordings) in
        [("examples", recording::examples()), ("classes", recording::classes())]
    {
        let (url, replica_url) = (primary.url(database), replica.url(database));
        let directory = tempfile::tempdir().unwrap();
        let mut environment = ENVIRONMENT.to_vec();
        environment.extend([
            ("LOG_LEVEL", "INFO"),
            ("DATABASE_URL", &url),
            ("DATABASE_REPLICA_URL", &replica_url),
            ("REPLICA_MAX_LAG", "400ms"),
        ]);
        let service = Service::start(directory.path(), &environment);
        assert!(service.logs("lists come from the replica"), "{}", service.output());
        replay::replay(service.address(), &recordings);
        service.stop();
        let replica = postgres::client(&replica_url).await;
        let scans = "SELECT sum(seq_scan + idx_scan)::bigint FROM pg_stat_user_tables \
                     WHERE relname IN ('leads', 'subscribers')";
        let scans: i64 = replica.query_one(scans, &[]).await.unwrap().get(0);
        println!("{database}: {scans} scans of the replica");
        from_replica += scans;
    }
    assert!(from_replica > 0, "no list came from the replica");
}

#[test]
fn a_body_may_have_one_mebibyte() {
    on_sqlite(&recording::bodies_about_the_limit());
}

#[test]
fn a_field_that_is_added_later_is_expected_of_every_row() {
    let later = json!({"since": "0.9", "default": null}).as_object().unwrap().clone();
    let later = BTreeMap::from([("website".to_owned(), later)]);
    for (recorded, expected) in [
        (json!({"id": 7}), json!({"id": 7, "website": null})),
        (json!({"id": 7, "website": "x"}), json!({"id": 7, "website": "x"})),
        (json!({"results": [{"id": 7}]}), json!({"results": [{"id": 7, "website": null}]})),
        (json!({"email": ["wrong"]}), json!({"email": ["wrong"]})),
    ] {
        let mut recorded = recorded;
        recording::add_later_fields(&mut recorded, &later);
        assert_eq!(recorded, expected);
    }
}
