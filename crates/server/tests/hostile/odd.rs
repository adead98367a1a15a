//! Malformed and unusual requests each get one clean response.

use serde_json::Value;

use crate::service::Raw;
use crate::{LEAD, LEADS, head, start};

/// An unusual request.
pub(crate) struct Odd {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The expected status.
    pub(crate) status: u16,
    /// Whether the connection ends, because the start of the next request is unknown.
    pub(crate) closes: bool,
}

fn odd(name: &'static str, status: u16, closes: bool, text: impl Into<Vec<u8>>) -> Odd {
    Odd { name, bytes: text.into(), status, closes }
}

/// A request with a JSON body and these additional headers.
fn posted(headers: &str, body: &str) -> String {
    head("POST", LEADS, &format!("Content-Type: application/json\r\n{headers}\r\n")) + body
}

pub(crate) fn requests() -> Vec<Odd> {
    let get = |headers: &str| head("GET", LEADS, headers);
    let whole = LEAD.len();
    let long = "a".repeat(1_000_000);
    let mut all = vec![
        odd(
            "two equal lengths",
            400,
            true,
            posted(&format!("Content-Length: {whole}\r\nContent-Length: {whole}"), LEAD),
        ),
        odd(
            "two lengths",
            400,
            true,
            posted(&format!("Content-Length: {whole}\r\nContent-Length: 5"), LEAD),
        ),
        odd("a list of lengths", 400, true, posted("Content-Length: 5, 5", LEAD)),
        odd("a length with a sign", 400, true, posted("Content-Length: +5", LEAD)),
        odd("a negative length", 400, true, posted("Content-Length: -1", LEAD)),
        odd(
            "a length and chunks",
            400,
            true,
            posted("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ),
        odd(
            "chunked twice",
            400,
            true,
            posted("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ),
        odd(
            "an unknown transfer coding",
            400,
            true,
            posted("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        ),
        odd(
            "chunks that are compressed",
            400,
            true,
            posted("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
        ),
        odd(
            "a chunk without a size",
            400,
            true,
            posted("Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"),
        ),
        odd(
            "a chunk of endless size",
            400,
            true,
            posted("Transfer-Encoding: chunked", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ),
        odd("bare line feeds", 400, true, get("").replace("\r\n", "\n")),
        odd("a bare line feed", 400, true, get("A: b\nC: d\r\n")),
        odd("a bare carriage return", 400, true, get("A: b\rC: d\r\n")),
        odd("a folded header", 400, true, get("A: b\r\n c\r\n")),
        odd("a space before the colon", 400, true, get("A : b\r\n")),
        odd("a NUL in a header", 400, true, get("A: b\0c\r\n")),
        odd("no host", 400, true, format!("GET {LEADS} HTTP/1.1\r\n\r\n")),
        odd("two hosts", 400, true, get("Host: evil.test\r\n")),
        odd(
            "an absolute address of another host",
            400,
            false,
            head("GET", &format!("http://evil.test{LEADS}"), ""),
        ),
        odd("TRACE", 405, false, head("TRACE", LEADS, "")),
        odd("an unknown method", 405, false, head("FOO", LEADS, "")),
        odd("a megabyte of query", 431, true, head("GET", &format!("{LEADS}?search={long}"), "")),
        odd("a header of 200 KiB", 431, true, get(&format!("A: {}\r\n", &long[..200 * 1024]))),
        odd("two hundred headers", 431, true, get(&"A: b\r\n".repeat(200))),
        odd("a space in the path", 400, true, head("GET", "/a b", "")),
        odd(
            "a byte that is no text in the path",
            400,
            true,
            b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        ),
        odd("no version", 400, true, "GET /\r\n\r\n"),
        odd("HTTP/2", 400, true, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        odd("TLS", 400, true, b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03\r\n\r\n".to_vec()),
        odd(
            "a part of a form without end",
            400,
            false,
            head(
                "POST",
                LEADS,
                "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n",
            ) + "--x\r\n",
        ),
    ];
    for (name, path) in [
        ("an escaped NUL", "/backend/%00"),
        ("an escaped NUL for an id", "/backend/api/v1/leads/%00/"),
        ("an escaped byte that is no text", "/backend/api/v1/leads/%ff/"),
        ("dots", "/backend/api/v1/leads/../../../../etc/passwd"),
        ("escaped dots", "/backend/api/v1/leads/%2e%2e/"),
        ("doubled slashes", "//backend//api//v1//leads//"),
        ("an escaped slash", "/backend/api/v1/leads/1%2f/"),
        ("half an escape", "/%"),
    ] {
        all.push(odd(name, 404, false, head("GET", path, "")));
    }
    all
}

/// Checks that an error has the usual format and all security headers.
pub(crate) fn assert_is_a_usual_error(name: &str, raw: &Raw) {
    let (head, body) =
        raw.text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{name}: no answer"));
    let json: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{name}: {}", raw.text));
    assert!(json["detail"].is_string(), "{name}: {json}");
    let head = head.to_lowercase();
    for header in [
        "content-type: application/json",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{name}: {head}");
    }
    assert!(!head.contains("\r\nserver:"), "{name}: {head}");
}

#[test]
fn every_odd_request_gets_one_clean_response() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("ALLOWED_HOSTS", "127.0.0.1")]);
    for odd in requests() {
        let raw = service.raw(&odd.bytes);
        assert_eq!(raw.statuses(), [odd.status], "{}: {}", odd.name, raw.text);
        assert_eq!(raw.closed, odd.closes, "{}: {}", odd.name, raw.text);
        assert_is_a_usual_error(odd.name, &raw);
        if odd.status == 405 {
            assert!(raw.text.to_lowercase().contains("\r\nallow: "), "{}", raw.text);
        }
    }
    // None of them was taken for a lead.
    let list = service.raw(head("GET", LEADS, "Connection: close\r\n").as_bytes());
    assert!(list.text.contains("\"count\":0"), "{}", list.text);
}

#[test]
fn a_query_need_not_be_encoded() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let lead = LEAD.replacen("Ana", "\u{110}ur\u{111}a", 1);
    let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", lead.len());
    let posted = service.raw((head("POST", LEADS, &length) + &lead).as_bytes());
    assert_eq!(posted.statuses(), [201], "{}", posted.text);
    for (query, status, told) in [
        ("search=\u{111}ur\u{111}a", 200, "\"count\":1"),
        ("search=<b>\"\u{111}\"", 200, "\"count\":0"),
        ("page_size=1&page=1&search=\u{110}", 200, "\"next\":null"),
        ("page=<1>", 404, "Invalid page."),
    ] {
        let raw = service.raw(head("GET", &format!("{LEADS}?{query}"), "").as_bytes());
        assert_eq!((raw.statuses(), raw.closed), (vec![status], false), "{query}: {}", raw.text);
        assert!(raw.text.contains(told), "{query}: {}", raw.text);
    }
}

/// As sent by load balancers that predate the header.
#[test]
fn health_is_answered_without_a_host() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("ALLOWED_HOSTS", "api.exit3.agency")]);
    for (request, status) in [
        ("GET /backend/health/ HTTP/1.0\r\n\r\n", 200),
        ("GET /backend/health/live/ HTTP/1.0\r\n\r\n", 200),
        ("GET /backend/health/ready HTTP/1.0\r\nUser-Agent: probe\r\n\r\n", 200),
        ("HEAD /backend/health/ HTTP/1.0\r\n\r\n", 200),
        ("OPTIONS /backend/health/ HTTP/1.0\r\n\r\n", 204),
        ("GET /backend/health/ HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 200),
        ("GET /backend/health/ HTTP/1.1\r\nHost: 10.0.0.1:80\r\nConnection: close\r\n\r\n", 200),
        ("GET http://10.0.0.1/backend/health/ HTTP/1.0\r\n\r\n", 200),
        ("GET /backend/health/ HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n", 400),
        ("GET /backend/api/docs/ HTTP/1.0\r\n\r\n", 400),
        // HTTP/1.1 requires the header, even if it is empty.
        ("GET /backend/health/ HTTP/1.1\r\n\r\n", 400),
    ] {
        let answer = service.raw(request.as_bytes());
        let told = answer.text.split(' ').nth(1).unwrap_or_default().to_owned();
        assert_eq!((told, answer.closed), (status.to_string(), true), "{request}: {}", answer.text);
    }
}

#[test]
fn responses_before_an_error_are_complete() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let live = "GET /backend/health/live/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let raw = service.raw(format!("{live}{live}\0\r\n\r\n").as_bytes());
    assert_eq!(raw.statuses(), [200, 200, 400]);
    assert_eq!(raw.text.matches("{\"status\":\"ok\"}").count(), 2);
    assert!(raw.text.ends_with("{\"detail\":\"Malformed request.\"}"), "{}", raw.text);
}
