//! A stand-in for services that receive telemetry over HTTP, such as an OpenTelemetry collector or
//! Sentry. It answers 200 to everything and records what it receives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The path and body of a request.
type Taken = (String, Vec<u8>);

/// A listener on a free local port; stops on drop.
pub struct Collector {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Taken>>>,
    ended: Arc<AtomicBool>,
}

impl Collector {
    /// Starts to listen.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let collector = Self {
            address: listener.local_addr().expect("an address"),
            taken: Arc::default(),
            ended: Arc::default(),
        };
        let (taken, ended) = (Arc::clone(&collector.taken), Arc::clone(&collector.ended));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let taken = Arc::clone(&taken);
                std::thread::spawn(move || stream.map(|stream| take(stream, &taken)));
            }
        });
        collector
    }

    /// `host:port`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bodies of all requests so far.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.bodies_at("")
    }

    /// The bodies of requests whose path ends with `end`.
    pub fn bodies_at(&self, end: &str) -> Vec<Vec<u8>> {
        let taken = self.taken.lock().expect("requests");
        let there = taken.iter().filter(|(path, _)| path.ends_with(end));
        there.map(|(_, body)| body.clone()).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers the requests of one connection.
fn take(stream: TcpStream, taken: &Mutex<Vec<Taken>>) -> Option<()> {
    let mut answers = stream.try_clone().ok()?;
    let mut requests = BufReader::new(stream);
    loop {
        let mut line = String::new();
        requests.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body).ok()?;
        taken.lock().expect("requests").push((path, body));
        answers.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
}
