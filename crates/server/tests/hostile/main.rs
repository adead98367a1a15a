//! Hostile and careless clients against the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod big;
mod canaries;
mod kept;
#[path = "../nginx/mod.rs"]
mod nginx;
mod odd;
mod proxied;
#[path = "../service/mod.rs"]
mod service;
mod slow;

const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

fn start(directory: &std::path::Path, env: &[(&str, &str)]) -> service::Service {
    let basics = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")];
    service::Service::start(directory, &[&basics, env].concat())
}

/// A request head with a key, up to its empty line.
fn head(method: &str, target: &str, headers: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {KEY}\r\n{headers}\r\n"
    )
}
