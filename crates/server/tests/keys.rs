//! Named keys, as operators create them and clients use them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use exit3_testkit::postgres;
use serde_json::{Value, json};
use service::{Service, exit3};

const LEADS: &str = "/backend/api/v1/leads/";
const NEWSLETTER: &str = "/backend/api/v1/newsletter/";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

/// Runs a command on the data of a service in `directory`; returns its output, and whether it
/// succeeded.
fn command(directory: &Path, env: &[(&str, &str)], arguments: &[&str]) -> (bool, String) {
    let mut command = exit3(directory);
    let output = command.args(arguments).envs(env.iter().copied()).output().unwrap();
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Creates a key with these options; returns its token.
fn create(directory: &Path, env: &[(&str, &str)], options: &str) -> String {
    let arguments: Vec<&str> =
        ["api-key", "create"].into_iter().chain(options.split_whitespace()).collect();
    let (done, said) = command(directory, env, &arguments);
    assert!(done, "{said}");
    let line = said.lines().next().unwrap();
    line.rsplit(": ").next().unwrap().to_owned()
}

async fn status(service: &Service, path: &str, key: &str) -> u16 {
    service.get(path, key).await.status().as_u16()
}

#[tokio::test]
async fn a_key_opens_its_scopes_until_it_is_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let service = Service::start(directory, &[]);
    let website = create(directory, &[], "--name website --scope leads:create");
    assert!(website.starts_with("exit3_sk_"), "{website}");
    assert_eq!(service.post(LEADS, &website, LEAD).await.status(), 201);
    let refused = service.get(LEADS, &website).await;
    assert_eq!(refused.status(), 403);
    let detail: Value = refused.json().await.unwrap();
    assert_eq!(detail, json!({"detail": "You do not have permission to perform this action."}));

    let (_, list) = command(directory, &[], &["api-key", "list"]);
    assert!(list.contains("website") && list.contains("alive"), "{list}");
    let (_, secret) = website.split_at(9 + 12);
    assert!(list.contains(&website[9..21]) && !list.contains(secret), "{list}");
    let (done, said) = command(directory, &[], &["api-key", "revoke", "website"]);
    assert!(done && said.starts_with("Revoked website"), "{said}");
    let (done, said) = command(directory, &[], &["api-key", "revoke", "website"]);
    assert!(!done && said.lines().count() == 1, "{said}");
    let (_, list) = command(directory, &[], &["api-key", "list"]);
    assert!(list.contains("revoked"), "{list}");

    // No file contains the secret.
    for file in std::fs::read_dir(directory.join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let secret = secret.as_bytes();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

/// Sends a request over a connection that stays open.
fn ask(stream: &mut BufReader<TcpStream>, key: &str) -> u16 {
    let request = format!("GET {LEADS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line[9..12].parse().unwrap();
    let mut length = 0;
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_holds_on_every_node_and_on_open_connections_within_a_second() {
    let database = postgres::shared().create_database().await;
    let env = [
        ("DATABASE_URL", database.url()),
        ("BASIC_API_KEY", "key-of-the-tests"),
        ("SECRET_KEY", "secret-of-the-tests"),
    ];
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = [&directories[0], &directories[1]].map(|dir| Service::start(dir.path(), &env));
    let directory = directories[0].path();
    let old = create(directory, &env, "--name website --scope leads:read");
    // Rotation: both keys work until the old one is revoked by its prefix.
    let new = create(directory, &env, "--name website --scope leads:read");
    let mut streams: Vec<_> = nodes
        .iter()
        .map(|node| BufReader::new(TcpStream::connect(node.address()).unwrap()))
        .collect();
    for stream in &mut streams {
        assert_eq!((ask(stream, &old), ask(stream, &new)), (200, 200));
    }
    let (done, said) = command(directory, &env, &["api-key", "revoke", &old[9..21]]);
    assert!(done, "{said}");
    let revoked = Instant::now();
    while revoked.elapsed() < Duration::from_secs(1) {
        for stream in &mut streams {
            assert_eq!(ask(stream, &new), 200);
            ask(stream, &old);
        }
    }
    for stream in &mut streams {
        assert_eq!((ask(stream, &old), ask(stream, &new)), (403, 200));
    }
}

#[tokio::test]
async fn a_key_expires() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let service = Service::start(directory, &[]);
    let key = create(directory, &[], "--name short --scope leads:read --expires 2s");
    let created = Instant::now();
    assert_eq!(status(&service, LEADS, &key).await, 200);
    while created.elapsed() < Duration::from_secs(2) {
        status(&service, LEADS, &key).await;
    }
    assert_eq!(status(&service, LEADS, &key).await, 403);
    let (_, list) = command(directory, &[], &["api-key", "list"]);
    assert!(list.contains("expired"), "{list}");
}

#[tokio::test]
async fn the_last_use_of_a_key_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let service = Service::start(directory, &[]);
    let key = create(directory, &[], "--name website --scope leads:read");
    let last_used = || {
        let (_, list) = command(directory, &[], &["api-key", "list"]);
        let line = list.lines().find(|line| line.starts_with("website")).unwrap();
        line.rsplit("  ").next().unwrap().to_owned()
    };
    assert_eq!(last_used(), "-");
    assert_eq!(status(&service, LEADS, &key).await, 200);
    service.stop();
    assert!(last_used().starts_with("20"), "{}", last_used());
}

#[tokio::test]
async fn a_stranger_learns_nothing_from_a_sign_up() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let service = Service::start(directory, &[]);
    let origin = "https://exit3.agency";
    let options = format!("--name page --scope newsletter:create --origin {origin}");
    let key = create(directory, &[("CORS_ALLOWED_ORIGINS", origin)], &options);
    assert!(key.starts_with("exit3_pk_"), "{key}");
    let authorization = format!("Bearer {key}");
    let sign_up = async |email: &str, origin: &str| {
        let headers = [("Authorization", authorization.as_str()), ("Origin", origin)];
        let body = json!({"email": email, "is_subscribed": false}).to_string();
        let answer = service.post_with(NEWSLETTER, &headers, &body).await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let owner = service.printed_key().unwrap();
    let known = service.post(NEWSLETTER, &owner, r#"{"email": "known@acme.hr"}"#).await;
    assert_eq!(known.status(), 201);
    let left = r#"{"email": "left@acme.hr", "is_subscribed": false}"#;
    assert_eq!(service.post(NEWSLETTER, &owner, left).await.status(), 201);
    for email in ["known@acme.hr", "new@acme.hr", "left@acme.hr"] {
        let expected = (201, json!({"email": email, "is_subscribed": true}));
        assert_eq!(sign_up(email, origin).await, expected);
    }
    assert_eq!(sign_up("new@acme.hr", "https://evil.test").await.0, 403);
    let list: Value = service.get(NEWSLETTER, &owner).await.json().await.unwrap();
    assert_eq!(list["count"], 3);
    for subscriber in list["results"].as_array().unwrap() {
        assert_eq!(subscriber["is_subscribed"], true, "a stranger cannot end a subscription");
    }
}

/// All scopes, as the command lists them.
const SCOPES: &str = "leads:create, leads:read, leads:write, newsletter:create, newsletter:read, \
    newsletter:write, clients:read, clients:write";

#[test]
fn the_help_lists_all_scopes() {
    let directory = tempfile::tempdir().unwrap();
    for help in ["--help", "-h"] {
        let (done, said) = command(directory.path(), &[], &["api-key", "create", help]);
        assert!(done && said.contains(&format!("What the key may do: {SCOPES};")), "{said}");
    }
}

#[test]
fn invalid_options_of_a_key_are_refused_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    for (options, word) in [
        ("--name website", "--scope"),
        ("--name website --scope leads:drop", "leads:drop"),
        ("--name website --scope tags:read", SCOPES),
        ("--name website --scope leads:read,", SCOPES),
        ("--name page --scope clients:create", SCOPES),
        ("--name page --scope clients:write --origin https://exit3.agency", "publishable"),
        ("--name we/bsite --scope leads:read", "name"),
        ("--name page --scope leads:read --origin https://exit3.agency", "publishable"),
        ("--name page --scope leads:create --origin exit3.agency", "origin"),
        ("--name page --scope leads:create --expires soon", "90d"),
        ("--name page --scope leads:create --rate often", "100/hour"),
    ] {
        let arguments: Vec<&str> =
            ["api-key", "create"].into_iter().chain(options.split(' ')).collect();
        let (done, said) = command(directory.path(), &[], &arguments);
        assert!(!done && said.contains(word) && said.lines().count() == 1, "{options}: {said}");
    }
    let (_, list) = command(directory.path(), &[], &["api-key", "list"]);
    assert_eq!(list.lines().count(), 1, "{list}");
}
