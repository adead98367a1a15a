//! Minimal HTTP client: sends each request exactly as recorded, which a well-behaved client might
//! not.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::recording::Recording;

/// The longest time for a response.
const PATIENCE: Duration = Duration::from_secs(30);

/// A response of the service.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `None` if the body is not JSON.
    pub(crate) json: Option<Value>,
}

/// Sends a request to `path` with the recorded method, headers and body.
pub(crate) fn send(service: &str, path: &str, recording: &Recording) -> Answer {
    let mut head = format!("{} {path} HTTP/1.1\r\nHost: {service}\r\n", recording.method);
    for (name, value) in &recording.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = recording.body.as_deref().unwrap_or_default();
    if recording.body.is_some() || ["POST", "PUT", "PATCH"].contains(&recording.method.as_str()) {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("Connection: close\r\n\r\n");
    let mut message = head.into_bytes();
    message.extend_from_slice(body);

    let mut stream = TcpStream::connect(service).expect("the service listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    match stream.write_all(&message) {
        // A body that is too large is refused before it has been read.
        Err(error)
            if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
        written => written.expect("the service reads"),
    }
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset && !received.is_empty() => {}
        read => {
            read.unwrap_or_else(|error| panic!("{}: no answer: {error}", recording.name));
        }
    }
    parse(&received).unwrap_or_else(|| {
        panic!("{}: not HTTP: {}", recording.name, String::from_utf8_lossy(&received))
    })
}

fn parse(received: &[u8]) -> Option<Answer> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let body = &received[end + 4..];
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let kind = header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    assert!(header("transfer-encoding").is_none(), "responses are not chunked");
    let json = kind.ends_with("json").then(|| serde_json::from_slice(body).ok()).flatten();
    Some(Answer { status, json })
}
