//! Contracts of clients with the real binary: memory, stalled uploads, a kill at any time, clamd.
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
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use service::Service;

const KEY: &str = "key-of-the-tests";
const CLIENTS: &str = "/backend/api/v1/clients/";
const MIB: usize = 1 << 20;

fn start(directory: &Path, env: &[(&str, &str)]) -> Service {
    let basics = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")];
    Service::start(directory, &[&basics, env].concat())
}

async fn client(service: &Service) -> String {
    let made = service.post(CLIENTS, KEY, r#"{"team_id": "T", "category": "web_dev"}"#).await;
    assert_eq!(made.status(), 201);
    let made: serde_json::Value = made.json().await.unwrap();
    format!("{CLIENTS}{}/contract/", made["id"])
}

const BEGIN: &str =
    "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7\n";
const END: &str = "\r\n--x--\r\n";

/// The head of an upload with this number of bytes in the file, after `%PDF-1.7` and a newline.
fn head(path: &str, size: usize) -> String {
    let length = BEGIN.len() + size + END.len();
    format!(
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {KEY}\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{BEGIN}"
    )
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn upload(address: &str, path: &str, size: usize) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head(path, size).as_bytes()).unwrap();
    let _ = stream.write_all(&vec![b' '; size]);
    let _ = stream.write_all(END.as_bytes());
    answer(stream)
}

/// The number of files that were received, and of unfinished ones.
fn files(directory: &Path) -> (usize, usize) {
    let names = fs::read_dir(directory.join("data/contracts/uploads"));
    let names = names.into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let (temporary, whole): (Vec<_>, Vec<_>) =
        names.partition(|name| name.to_string_lossy().starts_with('.'));
    (whole.len(), temporary.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_uploads_at_once_take_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let path = client(&service).await;
    // What the first upload needs is needed only once.
    assert!(upload(service.address(), &path, MIB).starts_with("HTTP/1.1 200"));
    service.peak();
    let before = service.peak();
    let (address, path) = (service.address().to_owned(), path.as_str());
    let (barrier, stored) = (Barrier::new(64), AtomicUsize::new(0));
    let size = 20 * MIB - 16;
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(&address).unwrap();
                stream.write_all(head(path, size).as_bytes()).unwrap();
                let piece = vec![b' '; MIB];
                for at in 0..20 {
                    stream.write_all(&piece[..MIB.min(size - at * MIB)]).unwrap();
                    // All are in the middle at the same time.
                    if at == 10 {
                        barrier.wait();
                    }
                }
                stream.write_all(END.as_bytes()).unwrap();
                let is_stored = answer(stream).starts_with("HTTP/1.1 200");
                stored.fetch_add(usize::from(is_stored), Ordering::SeqCst);
            });
        }
    });
    let more = service.peak().saturating_sub(before);
    // They replace each other, so some meet others all the time; none fails for another reason.
    assert_eq!(stored.into_inner(), 64);
    assert!(more <= 32 * MIB, "64 uploads take {more} bytes");
    assert_eq!(files(directory.path()), (65, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_upload_ends_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let path = client(&service).await;
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.write_all(head(&path, MIB).as_bytes()).unwrap();
    stream.write_all(&[b' '; 1000]).unwrap();
    let began = Instant::now();
    let answer = answer(stream);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    let began = Instant::now();
    while files(directory.path()) != (0, 0) {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", files(directory.path()));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let path = client(&service).await;
    // One byte more than the limit, and more than the route accepts.
    let answer = upload(service.address(), &path, 20 * MIB - 8);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("20 MiB"), "{answer}");
    let answer = upload(service.address(), &path, 21 * MIB);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(upload(service.address(), &path, 20 * MIB - 9).starts_with("HTTP/1.1 200"));
    assert_eq!(files(directory.path()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_no_client_without_its_file() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..6_u64 {
        let service = start(directory.path(), &[]);
        let path = client(&service).await;
        let address = service.address().to_owned();
        let sender = std::thread::spawn(move || {
            while let Ok(mut stream) = TcpStream::connect(&address) {
                let _ = stream.write_all(head(&path, 1000).as_bytes());
                let _ = stream.write_all(&[b' '; 1000]);
                let _ = stream.write_all(END.as_bytes());
                let _ = answer(stream);
            }
        });
        std::thread::sleep(Duration::from_millis(150 + 37 * round));
        service.kill();
        sender.join().unwrap();
    }
    let service = start(directory.path(), &[]);
    let clients: serde_json::Value = service.get(CLIENTS, KEY).await.json().await.unwrap();
    let mut having = 0;
    for client in clients["results"].as_array().unwrap() {
        let Some(file) = client["contract_file"].as_str() else { continue };
        let size = fs::metadata(directory.path().join("data/contracts").join(file)).unwrap().len();
        assert_eq!(size, 1009, "{file}");
        let path = format!("{CLIENTS}{}/contract/", client["id"]);
        assert_eq!(service.get(&path, KEY).await.status(), 200);
        having += 1;
    }
    assert!(having > 0);
}

/// Answers as clamd does: the test file of all scanners is a virus.
fn clamd() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut command = [0; 10];
            stream.read_exact(&mut command).unwrap();
            let mut content = Vec::new();
            loop {
                let mut length = [0; 4];
                stream.read_exact(&mut length).unwrap();
                let length = u32::from_be_bytes(length) as usize;
                if length == 0 {
                    break;
                }
                let begin = content.len();
                content.resize(begin + length, 0);
                stream.read_exact(&mut content[begin..]).unwrap();
            }
            let is_virus = content.windows(5).any(|bytes| bytes == b"EICAR");
            let verdict = if is_virus { "Eicar-Test-Signature FOUND" } else { "OK" };
            stream.write_all(format!("stream: {verdict}\0").as_bytes()).unwrap();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virus_is_refused_and_without_clamd_nothing_is_stored() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (address, is_there) in [(clamd(), true), (nobody, false)] {
        let directory = tempfile::tempdir().unwrap();
        let service = start(directory.path(), &[("CLAMD_ADDR", &address)]);
        let path = client(&service).await;
        let virus = |stream: &mut TcpStream| {
            stream.write_all(head(&path, 5).as_bytes()).unwrap();
            stream.write_all(format!("EICAR{END}").as_bytes()).unwrap();
        };
        let mut stream = TcpStream::connect(service.address()).unwrap();
        virus(&mut stream);
        let refused = answer(stream);
        let clean = upload(service.address(), &path, 1000);
        if is_there {
            assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
            assert!(refused.contains("The virus scanner refuses the file."), "{refused}");
            assert!(clean.starts_with("HTTP/1.1 200"), "{clean}");
        } else {
            for answer in [refused, clean] {
                assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
                assert!(answer.contains("The virus scanner does not answer"), "{answer}");
            }
        }
        assert_eq!(files(directory.path()), (usize::from(is_there), 0));
    }
}

/// The scanner accepts everything and answers nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_scanner_holds_up_no_download() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    let path = client(&service).await;
    assert!(upload(service.address(), &path, 1000).starts_with("HTTP/1.1 200"));
    drop(service);
    let service = start(directory.path(), &[("CLAMD_ADDR", &address)]);
    std::thread::scope(|scope| {
        let uploads: Vec<_> =
            (0..6).map(|_| scope.spawn(|| upload(service.address(), &path, 1000))).collect();
        // Four files are with the scanner, and the others wait.
        let held: Vec<_> = (0..4).map(|_| silent.accept().unwrap()).collect();
        let mut stream = TcpStream::connect(service.address()).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {KEY}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        assert!(answer(stream).starts_with("HTTP/1.1 200"));
        assert!(uploads.iter().all(|upload| !upload.is_finished()));
        drop((held, silent));
        for upload in uploads {
            assert!(upload.join().unwrap().starts_with("HTTP/1.1 503"));
        }
    });
    assert_eq!(files(directory.path()), (1, 0));
}
