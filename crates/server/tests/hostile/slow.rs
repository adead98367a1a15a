//! Clients that stall, and crowds of clients.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::service::Service;
use crate::{LEADS, head, start};

/// The promised limit.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the bytes, and then `drip` every other second. Returns how long it took until the service
/// closed the connection, and its response.
fn stall(
    service: &Service,
    bytes: &str,
    drip: &str,
) -> std::thread::JoinHandle<(Duration, String)> {
    let mut stream = TcpStream::connect(service.address()).unwrap();
    let (bytes, drip) = (bytes.to_owned(), drip.to_owned());
    std::thread::spawn(move || {
        stream.write_all(bytes.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let began = Instant::now();
        let mut said = Vec::new();
        let mut piece = [0; 4096];
        while began.elapsed() < 2 * PATIENCE {
            match stream.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => said.extend_from_slice(&piece[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if stream.write_all(drip.as_bytes()).is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        (began.elapsed(), String::from_utf8_lossy(&said).into_owned())
    })
}

#[test]
fn stalled_clients_are_disconnected_within_half_a_minute() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let post = head("POST", LEADS, "Content-Type: application/json\r\nContent-Length: 1000\r\n");
    let live = "GET /backend/health/live/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let stalled = [
        ("nothing at all", String::new(), ""),
        ("half a head", "GET / HTTP/1.1\r\nHo".to_owned(), ""),
        ("a head that drips", "GET / HTTP/1.1\r\nA: ".to_owned(), "b"),
        ("half a body", post.clone() + "{\"full_name\"", ""),
        ("a body that drips", post.clone() + "{", " "),
        ("an idle connection", live.to_owned(), ""),
        ("half a second head", format!("{live}GET / HTTP/1.1\r\nHo"), ""),
        ("a second head that drips", format!("{live}GET / HTTP/1.1\r\nA: "), "b"),
        ("a second body that drips", format!("{live}{post}{{"), " "),
    ];
    let stalled: Vec<_> =
        stalled.iter().map(|(name, bytes, drip)| (*name, stall(&service, bytes, drip))).collect();
    for (name, client) in stalled {
        let (took, said) = client.join().unwrap();
        assert!(took < PATIENCE, "{name}: {took:?}");
        if name.contains("half a body") || name.contains("a body") {
            assert!(
                said.contains("HTTP/1.1 408 ") && said.contains("\"detail\""),
                "{name}: {said}"
            );
        }
        assert_eq!(
            said.contains("HTTP/1.1 200 "),
            name.contains("second") || name.contains("idle")
        );
    }
    assert_eq!(service.raw(live.as_bytes()).statuses(), [200]);
}

#[test]
fn a_response_that_is_not_read_ends_the_connection() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let open = || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", service.id())).unwrap();
        let is_socket = |path: std::path::PathBuf| {
            std::fs::read_link(path).is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
        };
        files.flatten().filter(|file| is_socket(file.path())).count()
    };
    let until = |wanted: &dyn Fn(usize) -> bool| {
        let began = Instant::now();
        while !wanted(open()) {
            assert!(began.elapsed() < PATIENCE + Duration::from_secs(5), "{} are open", open());
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let before = open();
    // Far more responses than the system buffers for a client that does not read.
    let file = "GET /backend/api/docs/assets/redoc.standalone.js HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.write_all(file.repeat(15).as_bytes()).unwrap();
    until(&|open| open > before);
    until(&|open| open <= before);
}

/// Raises this process's own limit of open files as far as possible, for the crowd.
fn raise_the_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[test]
fn a_crowd_of_connections_does_not_block_others() {
    raise_the_limit();
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let body = head("POST", LEADS, "Content-Type: application/json\r\nContent-Length: 1000\r\n");
    let connect = |bytes: &str| {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        stream
    };
    let stalled: Vec<TcpStream> = (0..1_200).map(|_| connect(&(body.clone() + "{"))).collect();
    let idle: Vec<TcpStream> = (0..10_000).map(|_| connect("")).collect();
    for _ in 0..100 {
        let fresh = service.raw(head("GET", LEADS, "Connection: close\r\n").as_bytes());
        assert_eq!(fresh.statuses(), [200]);
    }
    drop((stalled, idle));
    assert!(!service.output().contains("Too many open files"), "{}", service.output());
}

#[test]
fn clients_beyond_the_limit_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("MAX_CONNECTIONS", "10")]);
    let live = "GET /backend/health/live/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    // Stopped inside of a body, which has the longest time limit.
    let body = head("POST", LEADS, "Content-Type: application/json\r\nContent-Length: 1000\r\n");
    let hold = || {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        stream
    };
    let mut held: Vec<TcpStream> = (0..10).map(|_| hold()).collect();
    // The workers accept connections one by one, and a slot is free again shortly after its use. So
    // keep every connection that gets one.
    let mut in_a_row = 0;
    while in_a_row < 5 {
        assert!(held.len() < 200, "there is always room");
        let refused = service.raw(live.as_bytes());
        if refused.statuses() != [503] {
            in_a_row = 0;
            held.push(hold());
            continue;
        }
        assert!(refused.closed && refused.text.contains("retry-after"), "{}", refused.text);
        crate::odd::assert_is_a_usual_error("no room", &refused);
        in_a_row += 1;
    }
    held.truncate(5);
    let began = Instant::now();
    while service.raw(live.as_bytes()).statuses() != [200] {
        assert!(began.elapsed() < Duration::from_secs(60), "there is still no room");
    }
}

#[test]
fn the_limit_of_open_files_is_raised() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", service.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
}
