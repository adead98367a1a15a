//! Checking a service from outside: `exit3 probe` and `exit3 healthcheck`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod nginx;
mod service;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;

use exit3_testkit::postgres::TestPostgres;
use nginx::Nginx;
use serde_json::Value;
use service::{Service, exit3};

const KEY: &str = "key-of-the-tests";
const BASICS: [(&str, &str); 2] = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")];

fn start(directory: &Path, env: &[(&str, &str)]) -> Service {
    Service::start(directory, &[&BASICS, env].concat())
}

fn probe(url: &str, key: &str, env: &[(&str, &str)]) -> Output {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = exit3(elsewhere.path());
    let output = command.args(["probe", url, "--key", key]).envs(env.iter().copied()).output();
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "a probe writes no files");
    output.unwrap()
}

/// The error message of a probe that failed.
fn sentence(output: &Output) -> String {
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn key(directory: &Path, scopes: &str) -> String {
    let mut make = exit3(directory);
    let made = make.args(["api-key", "create", "--name", "probe", "--scope", scopes]).output();
    let said = String::from_utf8(made.unwrap().stdout).unwrap();
    said.lines().next().unwrap().rsplit(": ").next().unwrap().to_owned()
}

async fn left_behind(service: &Service) -> u64 {
    let mut count = 0;
    for path in ["/backend/api/v1/leads/", "/backend/api/v1/newsletter/"] {
        let list: Value = service.get(path, KEY).await.json().await.unwrap();
        count += list["count"].as_u64().unwrap();
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_uses_the_public_api_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("TRUSTED_PROXIES", "127.0.0.1")]);
    let all = "leads:create,leads:read,leads:write,\
               newsletter:create,newsletter:read,newsletter:write";
    let token = key(directory.path(), all);
    let nginx = Nginx::before(&[service.address()]);
    let certificate = nginx.certificate().display().to_string();
    for (url, env) in
        [(service.url("/"), vec![]), (nginx.url(""), vec![("SSL_CERT_FILE", certificate.as_str())])]
    {
        let output = probe(&url, &token, &env);
        assert!(output.status.success(), "{url}: {output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 3, "{said}");
        assert!(lines[0].starts_with("lead: created in ") && lines[0].contains(" ms"), "{said}");
        assert!(lines[1].starts_with("sign-up: created in "), "{said}");
        assert_eq!(left_behind(&service).await, 0);
    }
    nginx.log_with("\"POST /backend/api/v1/newsletter/\" 201 ");
    // The certificate is not trusted.
    let said = sentence(&probe(&nginx.url(""), &token, &[]));
    assert!(said.contains("certificate"), "{said}");
    // The key may also come from the environment.
    let mut command = exit3(directory.path());
    command.args(["probe", &service.url("")]).env("PROBE_KEY", &token);
    assert!(command.output().unwrap().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_fails_says_why_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    for (scopes, problem) in [
        ("leads:create,leads:read", "may remove a lead"),
        ("leads:create,leads:write", "may remove a sign-up"),
        ("leads:create,leads:write,newsletter:write", "the lead could not be read back"),
        (
            "leads:create,leads:read,leads:write,newsletter:write,newsletter:read",
            "the sign-up could not be created: the answer was 403",
        ),
    ] {
        let said = sentence(&probe(&service.url(""), &key(directory.path(), scopes), &[]));
        assert!(said.contains(problem), "{scopes}: {said}");
        assert!(!said.contains("still be there"), "{scopes}: {said}");
        assert_eq!(left_behind(&service).await, 0, "{scopes}");
    }
    let said = sentence(&probe(&service.url(""), "wrong-key", &[]));
    assert!(said.contains("403") && !said.contains("wrong-key"), "{said}");
    let said = sentence(&probe(&service.url("/elsewhere/"), KEY, &[]));
    assert!(said.contains("the service is not at this address: the answer was 404"), "{said}");
    assert!(!said.contains("still be there"), "{said}");
    let url = service.url("");
    service.stop();
    let said = sentence(&probe(&url, KEY, &[]));
    assert!(said.contains("refused"), "{said}");
    let said = sentence(&probe("nowhere", KEY, &[]));
    assert!(said.contains("nowhere"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_removes_what_was_stored_although_its_answer_was_lost() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let behind = service.address().to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, behind) = (client.unwrap(), behind.clone());
            std::thread::spawn(move || pass_on(client, &behind));
        }
    });
    let said = sentence(&probe(&url, KEY, &[]));
    assert!(said.contains("the lead could not be created"), "{said}");
    assert!(!said.contains("still be there"), "{said}");
    assert!(service.get("/backend/api/v1/leads/2/", KEY).await.status() == 404);
    assert_eq!(left_behind(&service).await, 0);
    let next = service.post(
        "/backend/api/v1/leads/",
        KEY,
        r#"{"full_name": "Ana Horvat",
        "position": "CTO", "email": "ana@acme.hr"}"#,
    );
    let next: Value = next.await.json().await.unwrap();
    assert_eq!(next["id"], 2, "one was stored before");
}

/// Relays requests and responses, except for responses to `POST`.
fn pass_on(mut client: TcpStream, behind: &str) {
    let mut service = TcpStream::connect(behind).unwrap();
    let mut bytes = [0; 16_384];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        service.write_all(&bytes[..length]).unwrap();
        let lose = bytes.starts_with(b"POST ");
        let length = service.read(&mut bytes).unwrap();
        if lose {
            // Stored, but the response is lost.
            return;
        }
        client.write_all(&bytes[..length]).unwrap();
    }
}

#[test]
fn a_probe_that_is_refused_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("RATE_LIMIT_LEAD_CREATE", "1/hour")]);
    assert!(probe(&service.url(""), KEY, &[]).status.success());
    let said = sentence(&probe(&service.url(""), KEY, &[]));
    assert!(
        said.contains("the answer was 429 Too Many Requests, Request was throttled."),
        "{said}"
    );
}

/// Answers every request with the same response, and is not our service.
fn another(head: &'static str, body: &'static str, times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 4096]);
            let _ = write!(client, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
            // The client may have read enough.
            let _ = (0..times).try_for_each(|_| client.write_all(body.as_bytes()));
        }
    });
    port
}

#[test]
fn a_health_check_rejects_other_servers() {
    for (head, body) in [
        ("200 OK\r\nContent-Type: text/plain", "hello"),
        ("200 OK\r\nContent-Type: application/json", r#"{"status": "degraded"}"#),
        ("200 OK\r\nContent-Type: application/json", r#""ok""#),
    ] {
        let said = sentence(&healthcheck(&another(head, body, 1), &[], &[]));
        assert!(said.contains("is not the service"), "{said}");
    }
    let endless = another("200 OK\r\nContent-Type: application/json", " ", usize::MAX);
    let said = sentence(&healthcheck(&endless, &[], &[]));
    assert!(said.contains("more than 64 KiB"), "{said}");
}

#[test]
fn a_probe_sends_no_data_to_other_servers() {
    let port = another("404 Not Found\r\nContent-Type: application/json", r#"{"detail": "?"}"#, 1);
    let said = sentence(&probe(&format!("http://127.0.0.1:{port}/api"), KEY, &[]));
    assert!(said.contains("the service is not at this address"), "{said}");
    assert!(!said.contains("still be there"), "{said}");
}

fn healthcheck(port: &str, arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = exit3(elsewhere.path());
    command.arg("healthcheck").args(arguments).env("PORT", port).envs(env.iter().copied());
    command.output().unwrap()
}

#[test]
fn a_health_check_asks_the_configured_address() {
    let directory = tempfile::tempdir().unwrap();
    let postgres = TestPostgres::start();
    let url = postgres.url("postgres");
    // A node with a spool stays ready.
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("ALLOWED_HOSTS", "api.exit3.agency"),
        ("SPOOL_MAX_MB", "0"),
    ];
    let service = start(directory.path(), &env);
    let port = service.address().rsplit(':').next().unwrap().to_owned();
    assert!(healthcheck(&port, &[], &[]).status.success());
    assert!(healthcheck(&port, &[], &[("HOST", "0.0.0.0")]).status.success());
    drop(postgres);
    let said = sentence(&healthcheck(&port, &[], &[]));
    assert!(said.contains("503 Service Unavailable, database unavailable"), "{said}");
    assert!(healthcheck(&port, &["--live"], &[]).status.success());
    service.stop();
    assert!(sentence(&healthcheck(&port, &[], &[])).contains("refused"));
}

#[test]
fn a_health_check_works_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["api.exit3.agency".to_owned()]).unwrap();
    std::fs::write(directory.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(directory.path().join("cert.pem"), made.cert.pem()).unwrap();
    let tls = [("TLS_CERT", "cert.pem"), ("TLS_KEY", "key.pem")];
    let service = start(directory.path(), &tls);
    let port = service.address().rsplit(':').next().unwrap();
    assert!(healthcheck(port, &[], &tls).status.success());
    assert!(!healthcheck(port, &[], &[]).status.success());
}
