//! Logs, metrics, traces and error reports of the running service.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod logs;
mod losses;
mod metrics;
mod reports;
#[path = "../service/mod.rs"]
mod service;
mod traces;

use std::time::{Duration, Instant};

use service::Service;

const LEADS: &str = "/backend/api/v1/leads/";
const LIVE: &str = "/backend/health/live/";
const KEY: &str = "key-of-the-tests";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

fn start(directory: &std::path::Path, env: &[(&str, &str)]) -> Service {
    let basics = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")];
    Service::start(directory, &[&basics, env].concat())
}

/// Waits until `found` returns something.
fn wait_for<T>(found: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nothing found in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}
