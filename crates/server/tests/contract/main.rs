//! The contract with the clients of the replaced service: recorded requests,
//! sent one after another to the real binary over a socket, get the recorded
//! answers, on both databases.
//!
//! `tests/contract/README.md` says what the recordings are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod compare;
mod recording;
mod replay;
#[path = "../service/mod.rs"]
mod service;
mod socket;

use exit3_testkit::postgres;
use recording::{KEY, Recording};
use service::Service;

/// Thousands of refused requests are what is wanted here, no log of them.
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

#[test]
fn a_body_may_have_a_mebibyte_and_no_more() {
    on_sqlite(&recording::bodies_about_the_limit());
}
