//! TLS without a proxy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use service::{Service, exit3};

const LIVE: &str =
    "GET /backend/health/live/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Writes a new certificate for localhost, and its key, to `directory`.
fn certify(directory: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    // The key first: a mismatched pair must do no harm.
    fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

/// Sends a request over TLS, trusting only this certificate.
fn ask(address: &str, trusted: &CertificateDer<'static>, request: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(address)?);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // The connection ends without a TLS close.
    let _ = stream.read_to_end(&mut answer);
    Ok(String::from_utf8(answer).unwrap())
}

const ENV: [(&str, &str); 4] = [
    ("TLS_CERT", "cert.pem"),
    ("TLS_KEY", "key.pem"),
    ("SECURE_HSTS_SECONDS", "31536000"),
    ("BASIC_API_KEY", "key-of-the-tests"),
];

#[test]
fn a_changed_certificate_is_reloaded() {
    let directory = tempfile::tempdir().unwrap();
    let old = certify(directory.path());
    let service = Service::start(directory.path(), &ENV);
    assert!(service.output().contains("Listening on https://"), "{}", service.output());
    let answer = ask(service.address(), &old, LIVE).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000\r\n"), "{answer}");

    let new = certify(directory.path());
    let began = Instant::now();
    while ask(service.address(), &new, LIVE).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", service.output());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(ask(service.address(), &old, LIVE).is_err());
    assert!(service.logs("TLS_KEY is not the key of TLS_CERT"), "{}", service.output());

    // An unusable file changes nothing.
    fs::write(directory.path().join("cert.pem"), "nothing").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(ask(service.address(), &new, LIVE).is_ok());
    service.stop();
}

#[tokio::test]
async fn metrics_describe_the_certificate_in_use() {
    let directory = tempfile::tempdir().unwrap();
    certify(directory.path());
    let service = Service::start(directory.path(), &ENV);
    let told = async |name: &str| -> f64 {
        let metrics = service.metrics().await;
        let name = format!("exit3_tls_certificate_{name} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    };
    let end = told("expiry_timestamp_seconds").await;
    assert_eq!(told("is_newest").await, 1.0);

    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2031, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    fs::write(directory.path().join("cert.pem"), cert.pem()).unwrap();
    assert!(service.logs("TLS_KEY is not the key of TLS_CERT"), "{}", service.output());
    let began = Instant::now();
    while told("is_newest").await != 0.0 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", service.output());
    }
    assert_eq!(told("expiry_timestamp_seconds").await, end);

    fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
    assert!(service.logs("loaded a new certificate"), "{}", service.output());
    while told("is_newest").await != 1.0 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", service.output());
    }
    // The start of 2031.
    assert_eq!(told("expiry_timestamp_seconds").await, 1_924_992_000.0);
    service.stop();
}

#[test]
fn links_and_odd_requests_work_the_same_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    let cert = certify(directory.path());
    let service = Service::start(directory.path(), &ENV);
    let mut seed = exit3(directory.path());
    assert!(
        seed.args(["seed-demo", "--leads", "60", "--subscribers", "0"]).status().unwrap().success()
    );
    let list = "GET /backend/api/v1/leads/ HTTP/1.1\r\nHost: localhost\r\n\
                Authorization: Basic key-of-the-tests\r\nConnection: close\r\n\r\n";
    let answer = ask(service.address(), &cert, list).unwrap();
    assert!(
        answer.contains("\"next\":\"https://localhost/backend/api/v1/leads/?page=2\""),
        "{answer}"
    );
    let odd = ask(service.address(), &cert, "GET / HTTP/1.1\nHost: a\n\n").unwrap();
    assert!(odd.starts_with("HTTP/1.1 400 ") && odd.contains("Malformed request."), "{odd}");
    // A client without TLS gets no response, and blocks nobody.
    let plain = service.raw(LIVE.as_bytes());
    assert!(plain.closed && !plain.text.contains("HTTP/1.1 200"), "{}", plain.text);
    assert!(ask(service.address(), &cert, LIVE).is_ok());
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let start = || {
        let output = exit3(directory.path()).envs(ENV).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(start().contains("TLS_CERT cannot be read"), "{}", start());
    certify(directory.path());
    fs::write(directory.path().join("key.pem"), "nothing").unwrap();
    let sentence = start();
    assert!(sentence.contains("TLS_KEY holds no private key"), "{sentence}");
    certify(directory.path());
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.path().join("key.pem"), other.signing_key.serialize_pem()).unwrap();
    assert!(start().contains("TLS_KEY is not the key of TLS_CERT"), "{}", start());
}
