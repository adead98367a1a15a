//! Restarts of a service whose socket another process holds, as systemd does: what happens to
//! requests while the service stops and its successor starts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use service::{Service, exit3};

const KEY: (&str, &str) = ("BASIC_API_KEY", "key-of-the-tests");
const HEAD: &str = "GET /backend/api/v1/leads/ HTTP/1.1\r\nHost: x\r\n\
                    Authorization: Basic key-of-the-tests\r\n\r\n";

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads one response with a `Content-Length`.
fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap() == 0 {
            return String::from_utf8(answer).unwrap();
        }
        answer.push(byte[0]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == length.unwrap().parse::<usize>().unwrap() {
            return text.into_owned();
        }
    }
}

fn ends(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Ok(0))
}

#[test]
fn begun_requests_are_answered_and_waiting_ones_go_to_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let old = Service::start_at(&socket, directory.path(), &[KEY]);
    assert_eq!(old.address(), address, "the inherited socket takes precedence over PORT");

    let (mut silent, mut begun, mut kept) =
        (connect(&address), connect(&address), connect(&address));
    begun.write_all(&HEAD.as_bytes()[..20]).unwrap();
    kept.write_all(HEAD.as_bytes()).unwrap();
    let first = answer(&mut kept);
    assert!(first.starts_with("HTTP/1.1 200") && !first.contains("connection: close"), "{first}");
    std::thread::sleep(Duration::from_millis(100));
    old.terminate();
    std::thread::sleep(Duration::from_millis(600));

    // The service accepts nothing more, and refuses nothing.
    let mut waits = connect(&address);
    waits.write_all(HEAD.as_bytes()).unwrap();
    // On an open connection, a request may still arrive.
    kept.write_all(HEAD.as_bytes()).unwrap();
    let last = answer(&mut kept);
    assert!(last.starts_with("HTTP/1.1 200") && last.contains("connection: close"), "{last}");
    assert!(ends(&mut kept));
    assert!(ends(&mut silent));
    begun.write_all(&HEAD.as_bytes()[20..]).unwrap();
    let late = answer(&mut begun);
    assert!(late.starts_with("HTTP/1.1 200") && late.contains("connection: close"), "{late}");
    assert!(old.wait().success());

    let new = Service::start_at(&socket, directory.path(), &[KEY]);
    let answered = answer(&mut waits);
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
    new.stop();
}

/// Receives the notifications to systemd at `path`.
fn systemd(path: &Path) -> impl Fn() -> String {
    let systemd = UnixDatagram::bind(path).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    move || {
        let mut message = [0; 256];
        let length = systemd.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).trim().to_owned()
    }
}

#[test]
fn systemd_is_notified_of_start_liveness_and_stop() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let hear = systemd(&path);
    let env = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "5000000")];
    let service = Service::start(directory.path(), &env);
    let mut heard = vec![hear(), hear(), hear()];
    assert!(heard.contains(&"READY=1".to_owned()), "{heard:?}");
    assert!(heard.contains(&"WATCHDOG=1".to_owned()), "{heard:?}");
    service.stop();
    while heard.last().unwrap() != "STOPPING=1" {
        heard.push(hear());
    }
}

#[test]
fn systemd_is_notified_of_liveness_while_the_database_hangs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let hear = systemd(&path);
    // It accepts connections and never answers.
    let database = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://exit3@{}/exit3", database.local_addr().unwrap());
    let env = [
        KEY,
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "5000000"),
        ("DATABASE_URL", &url),
        ("SECRET_KEY", "known to the tests alone"),
        ("AUTO_MIGRATE", "false"),
        // Longer than this test listens.
        ("DB_TIMEOUT_MS", "60000"),
    ];
    let _service = Service::start(directory.path(), &env);
    let mut lives = 0;
    while lives < 4 {
        lives += usize::from(hear() == "WATCHDOG=1");
    }
}

/// Starts the service and, when told to, stops one of its workers as a debugger does.
const DEBUGGER: &str = r#"
import ctypes, os, subprocess, sys, time
service = subprocess.Popen([sys.argv[1]])
sys.stdin.readline()
threads = f"/proc/{service.pid}/task"
def name(thread):
    try:
        return open(f"{threads}/{thread}/comm").read()
    except OSError:
        return ""  # It has ended.
worker = next(thread for thread in os.listdir(threads) if name(thread).startswith("actix-rt"))
ATTACH, WALL = 16, 0x40000000
assert ctypes.CDLL(None).ptrace(ATTACH, int(worker), None, None) == 0
end = time.monotonic() + 20
while time.monotonic() < end:
    ended, status = os.waitpid(-1, WALL | os.WNOHANG)
    if ended == service.pid and os.WIFSIGNALED(status):
        sys.exit(os.WTERMSIG(status))
    time.sleep(0.02)
service.kill()
sys.exit("it does not end")
"#;

#[test]
fn a_single_hanging_worker_is_detected() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let hear = systemd(&path);
    let service = exit3(directory.path());
    let mut debugger = Command::new("python3");
    debugger.args(["-c", DEBUGGER]).arg(service.get_program()).current_dir(directory.path());
    debugger.env_clear().envs(service.get_envs().filter_map(|(name, value)| Some((name, value?))));
    debugger.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1200000").env(KEY.0, KEY.1);
    debugger.env("METRICS_BIND", "off").stdin(Stdio::piped());
    let log = std::fs::File::create(directory.path().join("log")).unwrap();
    let mut debugger = debugger.stdout(log).spawn().expect("python3");
    let (mut ready, mut lives) = (false, false);
    while !(ready && lives) {
        let said = hear();
        ready |= said == "READY=1";
        lives |= said == "WATCHDOG=1";
    }
    debugger.stdin.take().unwrap().write_all(b"now\n").unwrap();
    let status = debugger.wait().unwrap();
    let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
    // Nothing else ends the service here, so it aborts (SIGABRT).
    assert_eq!(status.code(), Some(6), "{log}");
    assert!(log.contains("a worker hangs: it has not done anything for 600ms"), "{log}");
}

#[test]
fn an_inherited_file_that_is_not_a_socket_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = exit3(directory.path());
    let output = command.env("LISTEN_FDS", "1").output().unwrap();
    assert!(!output.status.success());
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.starts_with("exit3: LISTEN_FDS: "), "{sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
}

/// Sends the first half of a request, calls `meanwhile`, and sends the rest.
fn answered(service: &Service, meanwhile: impl FnOnce()) -> String {
    let mut begun = connect(service.address());
    begun.write_all(&HEAD.as_bytes()[..20]).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    meanwhile();
    std::thread::sleep(Duration::from_millis(50));
    begun.write_all(&HEAD.as_bytes()[20..]).unwrap();
    answer(&mut begun)
}

#[test]
fn other_signals_do_not_stop_the_service() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[KEY]);
    for signal in [
        "-HUP", "-USR1", "-USR2", "-PIPE", "-ALRM", "-VTALRM", "-PROF", "-IO", "-STKFLT", "-XCPU",
        "-XFSZ", "-34", "-64",
    ] {
        let answer = answered(&service, || service.signal(signal));
        assert!(answer.starts_with("HTTP/1.1 200"), "{signal}: {answer}");
        assert!(!answer.contains("connection: close"), "{signal}: {answer}");
    }
    service.stop();
}

#[test]
fn every_stop_signal_lets_requests_finish_even_if_repeated() {
    for signals in [&["-QUIT"][..], &["-PWR"], &["-INT", "-INT"], &["-TERM", "-HUP", "-TERM"]] {
        let directory = tempfile::tempdir().unwrap();
        let service = Service::start(directory.path(), &[KEY]);
        let answer = answered(&service, || {
            for signal in signals {
                service.signal(signal);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        assert!(answer.starts_with("HTTP/1.1 200"), "{signals:?}: {answer}");
        let status = service.wait_for(Duration::from_secs(20)).expect("it stops");
        assert!(status.success(), "{signals:?}: {status}");
    }
}
