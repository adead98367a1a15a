//! With a real nginx in front, both agree on where a request ends.

use serde_json::Value;

use crate::nginx::Nginx;
use crate::service::{Raw, exchange, exit3, raw};
use crate::{KEY, LEADS, head, odd, start};

fn through(nginx: &Nginx, bytes: &[u8]) -> Raw {
    exchange(nginx.connect(), bytes)
}

/// Requests that nginx repairs before it passes them on, so that the service sees nothing unusual:
/// it accepts a bare LF as a line end, drops malformed headers, and rewrites the length and the
/// address.
const MENDED: [&str; 6] = [
    "bare line feeds",
    "a bare line feed",
    "a folded header",
    "a space before the colon",
    "a NUL in a header",
    "two hundred headers",
];

#[test]
fn nginx_and_the_service_agree_on_everything_odd() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("ALLOWED_HOSTS", "127.0.0.1")]);
    let nginx = Nginx::before(&[service.address()]);
    let list = head("GET", LEADS, "");
    assert_eq!(through(&nginx, list.as_bytes()).statuses(), [200]);
    // nginx answers a request without a version without a status line.
    for odd in odd::requests().iter().filter(|odd| odd.name != "no version") {
        let answer = through(&nginx, &odd.bytes);
        let statuses = answer.statuses();
        // Requests without our host are not answered.
        let ours = String::from_utf8_lossy(&odd.bytes).contains("Host: 127.0.0.1")
            && odd.name != "an absolute address of another host";
        if answer.text.is_empty() && !ours {
            assert!(answer.closed, "{}", odd.name);
            continue;
        }
        // One response to one request: neither sees two where the other sees one.
        assert_eq!(statuses.len(), 1, "{}: {}", odd.name, answer.text);
        // nginx answers 501 and 505 to unknown codings and versions.
        let refused = (400..500).contains(&statuses[0]) || [501, 505].contains(&statuses[0]);
        let mended = MENDED.contains(&odd.name) && statuses[0] == 200;
        assert!(refused || mended, "{}: {statuses:?}", odd.name);
    }
    // The connections between nginx and the service still work.
    for _ in 0..20 {
        let answer = through(&nginx, list.as_bytes());
        assert_eq!(answer.statuses(), [200]);
        assert!(answer.text.contains("\"count\":0"), "{}", answer.text);
    }
}

/// A second request hidden in the first one's body, which one of the two may read as a body and the
/// other may not.
#[test]
fn no_request_hides_in_another() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("ALLOWED_HOSTS", "127.0.0.1")]);
    let nginx = Nginx::before(&[service.address()]);
    let hidden = head("DELETE", "/backend/api/v1/leads/1/", "");
    let chunked = format!("0\r\n\r\n{hidden}");
    for headers in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding : chunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding:\x0bchunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding: xchunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked, identity\r\n", chunked.len()),
        format!("Content-Length: {}\r\nX: a\nTransfer-Encoding: chunked\r\n", chunked.len()),
        format!("Content-Length: 5\r\nContent-Length: {}\r\n", chunked.len()),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(),
    ] {
        let request = head("POST", LEADS, &format!("Content-Type: application/json\r\n{headers}"));
        let bytes = [request.as_bytes(), chunked.as_bytes()].concat();
        for answer in [through(&nginx, &bytes), raw(service.address(), &bytes)] {
            assert!(!answer.statuses().contains(&204), "{headers}: {}", answer.text);
            assert!(answer.statuses().len() <= 1, "{headers}: {}", answer.text);
        }
    }
}

/// Links lead to the host name and the port that the client used.
#[tokio::test(flavor = "multi_thread")]
async fn links_have_the_host_and_the_port_of_the_request() {
    let directory = tempfile::tempdir().unwrap();
    let env = [("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let service = start(directory.path(), &env);
    let nginx = Nginx::before(&[service.address()]);
    let seed = exit3(directory.path()).args(["seed-demo", "--leads", "2"]).output().unwrap();
    assert!(seed.status.success(), "{seed:?}");
    let target = format!("{LEADS}?page_size=1");
    let ask = |line: &str, host: &str| {
        let head = format!(
            "GET {line}{target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {KEY}\r\n\
             X-Forwarded-Port: 1\r\nConnection: close\r\n\r\n"
        );
        let answer = exchange(nginx.connect(), head.as_bytes());
        let next = answer.text.split_once("\"next\":\"").map(|(_, rest)| rest.to_owned());
        let next = next.unwrap_or_else(|| panic!("{line} {host}: {}", answer.text));
        next.split_once("/backend/").unwrap().0.to_owned()
    };
    for (line, host, led) in [
        ("", "localhost", "https://localhost"),
        ("", "localhost:", "https://localhost"),
        ("", "localhost:8443", "https://localhost:8443"),
        ("", "LOCALHOST:8443", "https://localhost:8443"),
        ("", "127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("", "[::1]", "https://[::1]"),
        ("", "[::1]:8443", "https://[::1]:8443"),
        ("https://localhost:8443", "localhost:8443", "https://localhost:8443"),
        // The request line takes precedence (RFC 9112, 3.2.2).
        ("https://localhost", "evil.example", "https://localhost"),
    ] {
        assert_eq!(ask(line, host), led, "{line} {host}");
    }
    // Over HTTP/2 as well.
    let client = nginx.client_builder().http2_prior_knowledge().build().unwrap();
    let request = client.get(nginx.url(&target)).header("Authorization", format!("Basic {KEY}"));
    let list: Value = request.send().await.unwrap().json().await.unwrap();
    let next = list["next"].as_str().unwrap();
    assert!(next.starts_with(&nginx.url(LEADS)), "{next}");
}
