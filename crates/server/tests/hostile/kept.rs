//! Several requests on one connection: each is read from its start, gets its own response, and none
//! is handled after the last one.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::service::Service;
use crate::{LEAD, LEADS, start};

const JSON: &str = "Content-Type: application/json\r\n";

/// One request.
#[derive(Clone)]
struct Asked {
    method: &'static str,
    bytes: String,
}

fn asked(method: &'static str, target: &str, headers: &str, body: &str) -> Asked {
    let bytes = crate::head(method, target, headers) + body;
    Asked { method, bytes }
}

fn get(headers: &str) -> Asked {
    asked("GET", LEADS, headers, "")
}

fn post(headers: &str) -> Asked {
    asked("POST", LEADS, &format!("{JSON}{headers}Content-Length: {}\r\n", LEAD.len()), LEAD)
}

/// Two chunks, with an extension and a trailer.
fn post_in_chunks(headers: &str) -> Asked {
    let (first, second) = LEAD.split_at(20);
    let body =
        format!("14;a=\"b\"\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\nX: y\r\n\r\n", second.len());
    asked("POST", LEADS, &format!("{JSON}{headers}Transfer-Encoding: chunked\r\n"), &body)
}

/// A response, framed by its own head and the method of its request.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Splits the responses; nothing may be left over.
fn answers(text: &str, all: &[Asked]) -> Vec<Answer> {
    let mut rest = text;
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (head, after) = rest.split_once("\r\n\r\n").expect("a whole head");
        let status: u16 = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        let head = head.to_lowercase();
        assert!(head.starts_with("http/1."), "{head}");
        rest = after;
        if status == 100 {
            continue;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let bodiless = status == 204 || all[answers.len()].method == "HEAD";
        let (body, after) = rest.split_at(if bodiless { 0 } else { length });
        answers.push(Answer { status, head, body: body.to_owned() });
        rest = after;
    }
    answers
}

/// Sends everything in pieces of `size` bytes, and reads all responses until the service closes the
/// connection.
fn exchange_in_pieces(service: &Service, all: &[Asked], size: usize) -> Vec<Answer> {
    let bytes: String = all.iter().map(|asked| asked.bytes.as_str()).collect();
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in bytes.as_bytes().chunks(size) {
        stream.write_all(piece).unwrap();
    }
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    answers(&text, all)
}

fn exchange(service: &Service, all: &[Asked]) -> Vec<Answer> {
    exchange_in_pieces(service, all, usize::MAX)
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

/// The number of leads.
fn count(service: &Service) -> u64 {
    let answers = exchange(service, &[get("Connection: close\r\n")]);
    let json: serde_json::Value = serde_json::from_str(&answers[0].body).unwrap();
    json["count"].as_u64().unwrap()
}

const CLOSE: &str = "Connection: close\r\n";

#[test]
fn every_request_gets_its_own_response() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let head = |headers: &str| asked("HEAD", LEADS, headers, "");
    let live = |method, headers: &str| asked(method, "/backend/health/live/", headers, "");
    let with_body = asked("HEAD", LEADS, &format!("{CLOSE}Content-Length: 3\r\n"), "a\n\n");
    let sequences: [(Vec<Asked>, &[u16]); 8] = [
        (vec![get(""), with_body], &[200, 200]),
        (vec![live("GET", ""), live("HEAD", CLOSE)], &[200, 200]),
        (vec![post(""), head(CLOSE)], &[201, 200]),
        (vec![head(""), post(""), head(""), get(CLOSE)], &[200, 201, 200, 200]),
        (vec![post_in_chunks(""), head(""), post_in_chunks(CLOSE)], &[201, 200, 201]),
        (vec![post("Expect: 100-continue\r\n"), head(CLOSE)], &[201, 200]),
        (
            vec![
                asked("OPTIONS", LEADS, "", ""),
                head(""),
                get("Content-Length: 0\r\n"),
                get(CLOSE),
            ],
            &[204, 200, 200, 200],
        ),
        (
            vec![
                asked("GET", "/nowhere/", "", ""),
                head("Connection: keep-alive\r\n"),
                post(CLOSE),
            ],
            &[404, 200, 201],
        ),
    ];
    for (number, (all, expected)) in sequences.iter().enumerate() {
        for size in [usize::MAX, 1, 7, 100] {
            let answers = exchange_in_pieces(&service, all, size);
            assert_eq!(statuses(&answers), *expected, "{number}, {size}: {answers:?}");
            for (asked, answer) in all.iter().zip(&answers) {
                let empty = asked.method == "HEAD" || answer.status == 204;
                assert_eq!(answer.body.is_empty(), empty, "{number}, {size}: {answer:?}");
                let ends = asked.bytes.contains(CLOSE);
                assert_eq!(answer.head.contains("\r\nconnection: "), ends, "{answer:?}");
            }
        }
    }
}

#[test]
fn nothing_is_handled_after_the_last_request() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let old = |asked: Asked| Asked { bytes: asked.bytes.replace("HTTP/1.1", "HTTP/1.0"), ..asked };
    let lasts = [
        post(CLOSE),
        post("connection: CLOSE\r\n"),
        post("Connection:close\t\r\n"),
        post("Connection: keep-alive, close\r\n"),
        post("Connection: close, TE\r\nTE: trailers\r\n"),
        post("Connection: keep-alive\r\nConnection: close\r\n"),
        post("Connection: close\r\nConnection: keep-alive\r\n"),
        post("Connection: Upgrade, close\r\nUpgrade: websocket\r\n"),
        post_in_chunks(CLOSE),
        old(post("")),
        old(post(CLOSE)),
        old(post("Connection: keep-alive, close\r\n")),
    ];
    for (before, last) in lasts.into_iter().enumerate() {
        let text = last.bytes.clone();
        let answers = exchange(&service, &[last, post(""), get("")]);
        assert_eq!(statuses(&answers), [201], "{text}: {answers:?}");
        assert_eq!(count(&service), before as u64 + 1, "{text}");
    }
}

#[test]
fn nothing_is_handled_after_a_response_that_ends_the_connection() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let large = "x".repeat(2 * 1024 * 1024);
    let headers = format!("{JSON}Content-Length: {}\r\n", large.len());
    let chunks = format!("{JSON}Transfer-Encoding: chunked\r\n");
    for (first, status) in [
        // Refused before its body is read.
        (asked("POST", LEADS, &headers, &large), 413),
        // The rest may or may not be a request.
        (asked("POST", LEADS, &chunks, "2\r\n{}\r\n0\r\nA: b\n\n"), 400),
        (asked("CONNECT", "127.0.0.1:80", "", ""), 400),
    ] {
        let text = first.bytes.lines().next().unwrap().to_owned();
        let answers = exchange(&service, &[first, post("")]);
        assert_eq!(statuses(&answers), [status], "{text}");
        assert_eq!(count(&service), 0, "{text}");
    }
}

#[test]
fn an_old_client_may_keep_its_connection() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let old = |asked: Asked| Asked { bytes: asked.bytes.replace("HTTP/1.1", "HTTP/1.0"), ..asked };
    let kept = || old(post("Connection: Keep-Alive\r\n"));
    let answers = exchange(&service, &[kept(), kept(), old(get("")), get("")]);
    assert_eq!(statuses(&answers), [201, 201, 200]);
    assert!(answers[0].head.contains("\r\nconnection: keep-alive"), "{}", answers[0].head);
}

#[test]
fn other_headers_do_not_change_the_end_of_a_request() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    for headers in [
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: keep-alive, Upgrade\r\nupgrade: WEBSOCKET\r\n",
        "Connection: upgrade\r\n",
        "Connection:\r\n",
        "Connection: , ,keep-alive,\r\nConnection: TE\r\n",
        "Connection: Content-Length\r\n",
        "TE: trailers, chunked\r\nTrailer: Content-Length\r\n",
        "Keep-Alive: timeout=0, max=0\r\n",
        "Proxy-Connection: close\r\n",
        "Expect: 100-continue\r\n",
        "Expect: something\r\n",
        "X-HTTP-Method-Override: HEAD\r\n",
        "X-Content-Length: 3\r\nContent-Encoding-X: gzip\r\n",
    ] {
        let with_body = || get(&format!("{headers}Content-Length: 3\r\n{CLOSE}"));
        let body = Asked { bytes: with_body().bytes + "\n\r\n", ..with_body() };
        let all = [post(headers), get(headers), post_in_chunks(headers), body];
        let answers = exchange(&service, &all);
        assert_eq!(statuses(&answers), [201, 200, 201, 200], "{headers}: {answers:?}");
        for answer in &answers[..3] {
            assert!(!answer.head.contains("\r\nconnection: "), "{headers}: {}", answer.head);
            assert!(!answer.head.contains("\r\nupgrade: "), "{headers}: {}", answer.head);
        }
    }
}

/// Requests that may precede another one on its connection.
fn befores() -> Vec<Vec<Asked>> {
    let blank = Asked { method: "POST", bytes: post("").bytes + "\r\n" };
    let large = format!("{{\"email\": \"{}\"}}", "<\n\u{110}>".repeat(20_000));
    let length = format!("{JSON}Content-Length: {}\r\n", large.len());
    vec![
        vec![],
        vec![get("")],
        vec![post("")],
        vec![post_in_chunks("")],
        vec![blank],
        vec![post("Expect: 100-continue\r\n"), get("")],
        vec![asked("POST", LEADS, &length, &large), post("")],
    ]
}

#[test]
fn every_head_is_read_as_strictly_as_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    for (number, before) in befores().into_iter().enumerate() {
        for bad in [
            get("").bytes.replace("\r\n", "\n"),
            get("A: b\nC: d\r\n").bytes,
            get("Content-Length: 5\r\nContent-Length: 5\r\n").bytes,
            get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n").bytes,
            post_in_chunks("").bytes.replace("1.1", "1.0"),
        ] {
            let mut all = before.clone();
            all.push(Asked { method: "GET", bytes: bad });
            all.push(post(""));
            let text = all[all.len() - 2].bytes.clone();
            let answers = exchange(&service, &all);
            assert_eq!(answers.len(), before.len() + 1, "{number}: {text}");
            let last = &answers[before.len()];
            assert_eq!(
                (last.status, last.body.as_str()),
                (400, "{\"detail\":\"Malformed request.\"}")
            );
            assert!(last.head.contains("\r\nconnection: close"), "{}", last.head);
        }
    }
}

#[test]
fn every_query_may_be_unencoded() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    for (number, before) in befores().into_iter().enumerate() {
        for size in [usize::MAX, 11] {
            let mut all = before.clone();
            let target = format!("{LEADS}?search=\u{110}<\"b\">");
            all.push(asked("HEAD", &target, "", ""));
            all.push(asked("GET", &target, CLOSE, ""));
            let answers = exchange_in_pieces(&service, &all, size);
            assert_eq!(answers.len(), all.len(), "{number}");
            assert_eq!(statuses(&answers[before.len()..]), [200, 200], "{number}");
            assert!(answers.last().unwrap().body.contains("\"count\":0"), "{number}");
        }
    }
}

#[test]
fn a_body_is_stored_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let notes = "a\nb\r\n\r\nGET /?<\u{110}\"> HTTP/1.1\n\n";
    let lead = LEAD.replace('}', &format!(", \"notes\": {}}}", serde_json::json!(notes)));
    // Line feeds between the fields as well.
    let lead = lead.replace(", ", ",\n\r\n\r\n");
    let sized = format!("{JSON}Content-Length: {}\r\n", lead.len());
    let chunked: String =
        lead.split_inclusive('\n').map(|part| format!("{:x}\r\n{part}\r\n", part.len())).collect();
    let all = [
        get(""),
        asked("POST", LEADS, &sized, &lead),
        asked(
            "POST",
            LEADS,
            &format!("{JSON}Transfer-Encoding: chunked\r\n"),
            &(chunked + "0\r\n\r\n"),
        ),
        get(CLOSE),
    ];
    for size in [usize::MAX, 1, 13] {
        let answers = exchange_in_pieces(&service, &all, size);
        assert_eq!(statuses(&answers), [200, 201, 201, 200], "{answers:?}");
        for answer in &answers[1..3] {
            let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            // Like forms, the domain normalises line ends to one character.
            assert_eq!(json["notes"], notes.replace("\r\n", "\n").trim_end(), "{json}");
        }
    }
}
