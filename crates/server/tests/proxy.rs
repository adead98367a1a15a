//! A real nginx, configured as deployed, in front of the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod nginx;
mod service;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nginx::Nginx;
use reqwest::{Response, StatusCode, Version};
use serde_json::Value;
use service::{Service, exchange, exit3, raw};

const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";
const AUTHORIZATION: &str = "Basic key-of-the-tests";
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

fn start(directory: &Path, env: &[(&str, &str)]) -> Service {
    let basics = [
        ("BASIC_API_KEY", KEY),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("ALLOWED_HOSTS", "localhost"),
        ("SECURE_SSL_REDIRECT", "true"),
        ("SECURE_HSTS_SECONDS", "31536000"),
    ];
    Service::start(directory, &[&basics, env].concat())
}

async fn get(nginx: &Nginx, path: &str) -> Response {
    let request = nginx.client().get(nginx.url(path)).header("Authorization", AUTHORIZATION);
    request.send().await.unwrap()
}

#[test]
fn nginx_accepts_the_deployed_files() {
    for name in ["exit3/upstream.conf", "upstream.compose.conf", "upstream.cluster.conf"] {
        // Only Docker resolves the names of its containers.
        let upstream = std::fs::read_to_string(nginx::deployed(name)).unwrap();
        let upstream = upstream.replace("server exit3", "server 127.0.0.1; # ");
        let output = nginx::check(&upstream);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && !said.contains("[warn]"), "{name}: {said}");
    }
}

/// nginx must not serve files from the disk, such as contracts.
#[test]
fn nginx_serves_no_files_except_acme_challenges() {
    let mut roots = Vec::new();
    let mut files = vec![nginx::deployed("exit3.conf")];
    files.extend(
        std::fs::read_dir(nginx::deployed("exit3")).unwrap().map(|file| file.unwrap().path()),
    );
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        for line in lines.filter(|line| {
            ["root ", "alias ", "try_files ", "autoindex ", "index "]
                .iter()
                .any(|word| line.starts_with(word))
        }) {
            roots.push(line.to_owned());
        }
    }
    assert_eq!(roots, ["root /var/www/acme;"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_reached_and_has_each_header_once() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let nginx = Nginx::before(&[service.address()]);
    for (path, status) in [
        (LEADS, 200),
        ("/backend/api/v1/newsletter/", 200),
        ("/backend/api/leads/", 200),
        ("/backend/api/docs/", 200),
        ("/backend/api/schema/", 200),
        ("/backend/health/", 200),
        ("/backend/health/ready/", 200),
        ("/backend/admin/sign-in/", 200),
        ("/backend/media/contracts/1.pdf", 404),
        ("/media/contracts/1.pdf", 404),
        ("/.nginx/away", 404),
        ("/", 303),
    ] {
        let answer = get(&nginx, path).await;
        assert_eq!(answer.status(), status, "{path}");
        for name in [
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
            "content-security-policy",
            "strict-transport-security",
            "cache-control",
        ] {
            if path == "/.nginx/away" && name == "strict-transport-security" {
                // The service itself sends that header.
                continue;
            }
            assert_eq!(answer.headers().get_all(name).iter().count(), 1, "{path}: {name}");
        }
        assert_eq!(answer.headers()["server"], "nginx", "{path}");
    }
    // The longest path: follow the link to the next page of a list.
    let seed = exit3(directory.path()).args(["seed-demo", "--leads", "60"]).output().unwrap();
    assert!(seed.status.success(), "{seed:?}");
    let list: Value = get(&nginx, LEADS).await.json().await.unwrap();
    assert_eq!(list["next"], nginx.url("/backend/api/v1/leads/?page=2"));
    get(&nginx, "/backend/api/v1/leads/?search=canary").await;
    get(&nginx, "/backend/the-last-one").await;
    let log = nginx.log_with("\"GET /backend/the-last-one\" 404 ");
    assert!(log.contains("\"GET /backend/api/docs/\" 200 "), "{log}");
    assert!(!log.contains("/backend/health/"), "{log}");
    assert!(!log.contains("canary"), "search terms are not logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_redirected_to_https() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let nginx = Nginx::before(&[service.address()]);
    let url = format!("http://{}{LEADS}?page=2", nginx.plain).replace("127.0.0.1", "localhost");
    let answer = nginx.client().post(url).body(LEAD).send().await.unwrap();
    assert_eq!(answer.status(), 308);
    assert_eq!(answer.headers()["location"], nginx.url(&format!("{LEADS}?page=2")));
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    // A request with another host is not redirected.
    let other = raw(&nginx.plain, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_eq!((other.text.as_str(), other.closed), ("", true));
    let mut other = nginx.connect();
    let request = b"GET /backend/health/ HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    let other = exchange(&mut other, request);
    assert_eq!((other.text.as_str(), other.closed), ("", true));
}

#[test]
fn only_secure_versions_of_tls_and_http_2_are_supported() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let nginx = Nginx::before(&[service.address()]);
    let hello = |arguments: &[&str]| {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["s_client", "-connect", &nginx.tls, "-servername", "localhost"]);
        // A security level that allows the client to use them.
        openssl.args(["-cipher", "ALL:@SECLEVEL=0"]).args(arguments);
        let output = openssl.stdin(std::process::Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(hello(&["-tls1_2", "-alpn", "h2"]).contains("ALPN protocol: h2"));
    let new = hello(&["-tls1_3", "-alpn", "h2"]);
    assert!(new.contains("ALPN protocol: h2"), "{new}");
    for old in ["-tls1", "-tls1_1"] {
        assert!(hello(&[old]).contains("Cipher is (NONE)"), "{old}");
    }
    let stranger = hello(&["-servername", "evil.example"]);
    assert!(stranger.contains("no peer certificate available"), "{stranger}");
}

/// What the service receives when a client forges headers.
#[test]
fn forwarding_headers_of_clients_are_not_passed_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nginx = Nginx::before(&[&listener.local_addr().unwrap().to_string()]);
    let heard = Arc::new(Mutex::new(String::new()));
    let hears = Arc::clone(&heard);
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        *hears.lock().unwrap() = String::from_utf8(head).unwrap();
        let accel = "X-Accel-Redirect: /.well-known/acme-challenge/secret";
        write!(stream, "HTTP/1.1 200 OK\r\n{accel}\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    let made_up = "GET /backend/ HTTP/1.1\r\nHost: localhost\r\nForwarded: for=9.9.9.9;host=evil\r\n\
        X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: http\r\n\
        X-Forwarded-Port: 1\r\nX-Forwarded-Server: evil\r\nX-Forwarded-Ssl: off\r\n\
        X-Real-IP: 9.9.9.9\r\nX_Forwarded_For: 9.9.9.9\r\nUpgrade: websocket\r\n\
        Connection: upgrade, close\r\n\r\n";
    let answer = exchange(nginx.connect(), made_up.as_bytes());
    assert!(answer.text.ends_with("\r\n\r\nok"), "{}", answer.text);
    let heard = heard.lock().unwrap().clone();
    let port = nginx.tls.rsplit(':').next().unwrap();
    let mut lines: Vec<&str> = heard.lines().skip(1).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    let port_line = format!("X-Forwarded-Port: {port}");
    assert_eq!(
        lines,
        [
            "Connection: close",
            "Forwarded: for=127.0.0.1;host=\"localhost\";proto=https",
            "Host: localhost",
            // The service trusts only the last address.
            "X-Forwarded-For: 9.9.9.9, 127.0.0.1",
            "X-Forwarded-Host: localhost",
            &port_line,
            "X-Forwarded-Proto: https",
            "X-Real-IP: 127.0.0.1",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_apply_to_visitors_who_cannot_forge_their_address() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("RATE_LIMIT_ANON", "3/hour")]);
    let nginx = Nginx::before(&[service.address()]);
    let from = async |address: [u8; 4], made_up: &[u8]| {
        let certificate = std::fs::read(nginx.certificate()).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&certificate).unwrap()])
            .local_address(std::net::IpAddr::from(address))
            .build()
            .unwrap();
        let request = client.get(nginx.url(LEADS)).header("Authorization", AUTHORIZATION);
        let request = request.header("X-Forwarded-For", made_up);
        let request = request.header("Forwarded", [b"for=", made_up].concat());
        request.header("X-Real-IP", made_up).send().await.unwrap().status().as_u16()
    };
    // nginx itself is trusted at 127.0.0.1; these addresses are others.
    let mut statuses = Vec::new();
    for number in 0..5 {
        statuses.push(from([127, 0, 0, 2], format!("203.0.113.{number}").as_bytes()).await);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(from([127, 0, 0, 3], b"127.0.0.2").await, 200);
    nginx.log_with(" 127.0.0.3 \"GET ");
    // Invalid bytes do not make nginx's own entry unreadable: each client is counted, instead of
    // nginx for all of them.
    for made_up in [b"\xff".as_slice(), b"203.0.113.9, \xff", b"\xff, 203.0.113.9"] {
        assert_eq!(from([127, 0, 0, 2], made_up).await, 429, "{made_up:?}");
        assert_eq!(from([127, 0, 0, 4], made_up).await, 200, "{made_up:?}");
    }
    assert_eq!(from([127, 0, 0, 4], b"\xff").await, 429);
    assert_eq!(from([127, 0, 0, 5], b"\xff").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_stops_a_flood_with_an_error_in_our_format() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let nginx = Arc::new(Nginx::before(&[service.address()]));
    for (path, most) in [("/backend/admin/", 150), ("/backend/api/v1/leads/", 700)] {
        let (client, url) = (nginx.client(), nginx.url(path));
        let sent: Vec<_> = (0..most)
            .map(|_| {
                let request = client.get(&url).header("Authorization", AUTHORIZATION);
                tokio::spawn(async move { request.send().await.unwrap() })
            })
            .collect();
        let mut counts = BTreeMap::new();
        let mut refused = None;
        for answer in sent {
            let answer = answer.await.unwrap();
            *counts.entry(answer.status().as_u16()).or_insert(0) += 1;
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                refused = Some(answer);
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("{path}: {counts:?}"));
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.headers()["x-content-type-options"], "nosniff");
        let body: Value = refused.json().await.unwrap();
        assert!(body["detail"].as_str().unwrap().starts_with("Request was throttled."), "{body}");
        assert!(counts[&429] < most, "{path}: {counts:?}");
    }
    // Health checks of operators are not limited together with the flood.
    assert_eq!(get(&nginx, "/backend/health/live/").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_are_refused_in_one_format() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let nginx = Nginx::before(&[service.address()]);
    let lengths = [(1024 * 1024, 201), (1024 * 1024 + 1, 413), (5 * 1024 * 1024, 413)];
    let http1 = nginx.client_builder().http1_only().build().unwrap();
    let http2 = nginx.client_builder().http2_prior_knowledge().build().unwrap();
    for (client, version) in [(http1, Version::HTTP_11), (http2, Version::HTTP_2)] {
        for (length, status) in lengths {
            let blank = " ".repeat(length - LEAD.len());
            let request = client.post(nginx.url(LEADS)).header("Authorization", AUTHORIZATION);
            let request = request.header("Content-Type", "application/json");
            let answer = request.body(format!("{LEAD}{blank}")).send().await.unwrap();
            assert_eq!((answer.version(), answer.status().as_u16()), (version, status), "{length}");
            if status == 413 {
                assert_eq!(answer.headers()["content-type"], "application/json");
                let body: Value = answer.json().await.unwrap();
                assert_eq!(body["detail"], "Request body is too large.");
            }
        }
    }
    let header = format!("GET / HTTP/1.1\r\nHost: localhost\r\nA: {}\r\n\r\n", "a".repeat(50_000));
    let answer = exchange(nginx.connect(), header.as_bytes());
    assert_eq!(answer.statuses(), [431]);
    assert!(answer.text.contains("{\"detail\":"), "{}", answer.text);
}

#[test]
fn slow_clients_occupy_nginx_and_not_the_service() {
    let directory = tempfile::tempdir().unwrap();
    // If each of them occupied a connection, nobody else would be answered.
    let service = start(directory.path(), &[("MAX_CONNECTIONS", "8")]);
    let nginx = Nginx::before(&[service.address()]);
    let half = format!(
        "POST {LEADS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {AUTHORIZATION}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
    );
    let mut stalled: Vec<_> = (0..60).map(|_| nginx.connect()).collect();
    for (number, stream) in stalled.iter_mut().enumerate() {
        let bytes = if number % 2 == 0 { half.as_str() } else { "GET / HTTP/1.1\r\nHo" };
        stream.write_all(bytes.as_bytes()).unwrap();
        stream.flush().unwrap();
    }
    let list = format!(
        "GET {LEADS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {AUTHORIZATION}\r\n\
         Connection: close\r\n\r\n"
    );
    for _ in 0..5 {
        assert_eq!(exchange(nginx.connect(), list.as_bytes()).statuses(), [200]);
    }
    let began = Instant::now();
    for (number, stream) in stalled.iter_mut().enumerate() {
        let mut said = Vec::new();
        while let Err(error) = stream.read_to_end(&mut said) {
            if error.kind() != ErrorKind::WouldBlock {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{number} is still there: {said:?}");
        }
        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_do_not_notice_one_missing_node_and_get_503_without_both() {
    let database = exit3_testkit::postgres::shared().create_database().await;
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let env = [("DATABASE_URL", database.url())];
    let [first, second] = directories.each_ref().map(|place| start(place.path(), &env));
    let nginx = Nginx::before(&[first.address(), second.address()]);
    let client = nginx.client();
    let create = async |number: usize| {
        // Another key may lead to another node; a node refuses wrong keys itself.
        let request = client.post(nginx.url(LEADS)).header("Content-Type", "application/json");
        let request = request.header("Authorization", format!("Basic key-{number}")).body(LEAD);
        request.send().await.unwrap().status().as_u16()
    };
    first.kill();
    for number in 0..20 {
        assert_eq!(create(number).await, 403);
    }
    assert_eq!(get(&nginx, LEADS).await.status(), 200);
    second.kill();
    let answer = get(&nginx, LEADS).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["detail"], "Service temporarily unavailable, try again later.");
}
