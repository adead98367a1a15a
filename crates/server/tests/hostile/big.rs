//! Requests that are too large are refused early, and use no memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::service::Service;
use crate::{LEADS, head, start};

const MIB: usize = 1024 * 1024;

/// Sends `head`, and then `piece` until the service closes the connection. Returns the status line
/// of the response, and the number of bytes that were accepted.
fn pour(service: &Service, head: &str, piece: &[u8]) -> (String, usize) {
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let piece = piece.to_vec();
    let writing = std::thread::spawn(move || {
        let mut taken = 0;
        while stream.write_all(&piece).is_ok() {
            taken += piece.len();
        }
        taken
    });
    let mut answer = vec![0; 4096];
    let length = reader.read(&mut answer).unwrap_or_default();
    // The rest of the response, up to the end of the connection.
    let _ = reader.read_to_end(&mut Vec::new());
    let taken = writing.join().unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    (answer.lines().next().unwrap_or_default().to_owned(), taken)
}

#[test]
fn large_requests_are_refused_early_and_take_no_memory() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    // A valid mebibyte first, so that later measurements exclude one-time allocations.
    for _ in 0..8 {
        let body = format!("{{\"x\": \"{}\"}}", "a".repeat(MIB - 100));
        let length =
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        service.raw((head("POST", LEADS, &length) + &body).as_bytes());
    }
    let before = service.memory();

    let json = "Content-Type: application/json\r\n";
    let gibibyte = head("POST", LEADS, &format!("{json}Content-Length: 1073741824\r\n"));
    let (line, taken) = pour(&service, &gibibyte, &[b' '; 65_536]);
    assert_eq!(line, "HTTP/1.1 413 Payload Too Large");
    assert!(taken < 64 * MIB, "{taken}");

    let chunk = [b"10000\r\n".as_slice(), &[b' '; 65_536], b"\r\n"].concat();
    let endless = head("POST", LEADS, &format!("{json}Transfer-Encoding: chunked\r\n"));
    let (line, taken) = pour(&service, &endless, &chunk);
    assert_eq!(line, "HTTP/1.1 413 Payload Too Large");
    assert!(taken < 64 * MIB, "{taken}");

    // Each would inflate to a gigabyte.
    let bombs: Vec<_> = (0..64)
        .map(|_| {
            let head = head(
                "POST",
                LEADS,
                &format!("{json}Content-Encoding: gzip\r\nContent-Length: {MIB}\r\n"),
            );
            let address = service.address().to_owned();
            std::thread::spawn(move || {
                let bytes = [head.as_bytes(), &vec![0x1f; MIB]].concat();
                crate::service::raw(&address, &bytes).statuses()
            })
        })
        .collect();
    for bomb in bombs {
        assert_eq!(bomb.join().unwrap(), [415]);
    }

    let part = "--x\r\nContent-Disposition: form-data; name=\"notes\"\r\n\r\na\r\n";
    let form = part.repeat(10_000) + "--x--\r\n";
    let multipart = format!(
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n",
        form.len()
    );
    let raw = service.raw((head("POST", LEADS, &multipart) + &form).as_bytes());
    assert_eq!(raw.statuses(), [400]);
    assert!(raw.text.contains("more than 1000 fields"), "{}", raw.text);

    let header = head("GET", LEADS, &format!("A: {}\r\n", "a".repeat(200 * 1024)));
    assert_eq!(service.raw(header.as_bytes()).statuses(), [431]);

    let grown = service.memory().saturating_sub(before);
    assert!(grown < 32 * MIB, "{} MiB", grown / MIB);
}
