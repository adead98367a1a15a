//! Log lines that an output does not accept.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::service::{after, exit3, limited};
use crate::{KEY, LIVE, wait_for};

/// The number of logged requests.
const REQUESTS: usize = 30;
const COUNTER: &str = "exit3_log_lines_dropped_total";

fn lines(text: &str) -> usize {
    text.lines().filter(|line| line.contains("exit3_http::requests")).count()
}

/// A limit on the file size stands in for a full disk, because any user who runs the tests can set
/// one.
#[tokio::test]
async fn lines_lost_to_a_full_disk_are_counted_and_reported() {
    const LIMIT: u64 = 2 << 20;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("logs/exit3.log");
    fs::create_dir(log.parent().unwrap()).unwrap();
    let mut before = "x".repeat(LIMIT as usize - 3001);
    before.push('\n');
    fs::write(&log, &before).unwrap();
    let env =
        [("BASIC_API_KEY", KEY), ("LOG_DIR", "logs"), ("LOG_FORMAT", "json"), ("SECRET_KEY", "s")];
    let service = limited(directory.path(), LIMIT, &env);
    for _ in 0..REQUESTS {
        assert_eq!(service.get(LIVE, "").await.status(), 200);
    }
    wait_for(|| (lines(&service.output()) == REQUESTS).then_some(()));
    assert!(service.logs("of the log did not get to logs: File too large"), "{}", service.output());
    wait_for(|| service.errors().contains("did not get to logs: File too large").then_some(()));
    // The loss was reported once and is not reported again for a minute, so further lines are lost
    // silently.
    let begun = Instant::now();
    loop {
        let metrics = service.metrics().await;
        let counted = metrics.lines().find_map(|line| line.strip_prefix(COUNTER));
        let counted: usize = counted.unwrap().trim().parse().unwrap();
        let (all, written) = (service.output(), fs::read_to_string(&log).unwrap());
        let whole = written[before.len()..].matches('\n').count();
        if counted > REQUESTS / 2 && counted == all.lines().count() - whole {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{counted}: {whole} of {all}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
    for _ in 0..3 {
        assert_eq!(service.get(LIVE, "").await.status(), 200);
    }
    wait_for(|| (lines(&fs::read_to_string(&log).unwrap()) == 3).then_some(()));
    service.stop();
}

/// The service with a standard output chosen by the test, and its log file.
struct Deaf(Child, String);

impl Deaf {
    fn start(directory: &Path, stdout: Stdio) -> Self {
        let mut command: Command = exit3(directory);
        let env = [
            ("BASIC_API_KEY", KEY),
            ("LOG_DIR", "logs"),
            ("LOG_FORMAT", "json"),
            ("SECRET_KEY", "s"),
        ];
        let stderr = File::create(directory.join("stderr")).unwrap();
        let child = command.envs(env).stdout(stdout).stderr(stderr).spawn().unwrap();
        let log = directory.join("logs/exit3.log");
        let address = wait_for(|| {
            let log = fs::read_to_string(&log).ok().filter(|log| log.contains("Docs: "))?;
            after(&log, "Listening on http://")
        });
        Self(child, address)
    }

    async fn asks(&self) {
        let (client, url) = (reqwest::Client::new(), format!("http://{}{LIVE}", self.1));
        for _ in 0..REQUESTS * 10 {
            assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
        }
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_blocked_standard_output_is_reported_and_does_not_affect_the_file() {
    let full = Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    for (output, told) in [
        (full, Some("did not get to standard output: No space left on device")),
        (Stdio::piped(), None),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let service = Deaf::start(directory.path(), output);
        // Nothing reads the second one's output, which exceeds the capacity of a pipe.
        service.asks().await;
        let log = || fs::read_to_string(directory.path().join("logs/exit3.log")).unwrap();
        wait_for(|| (lines(&log()) == REQUESTS * 10).then_some(()));
        let said = || fs::read_to_string(directory.path().join("stderr")).unwrap();
        if let Some(told) = told {
            wait_for(|| (said().contains(told) && log().contains(told)).then_some(()));
        }
    }
}

#[tokio::test]
async fn a_closed_reader_of_the_log_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = Deaf::start(directory.path(), Stdio::piped());
    drop(service.0.stdout.take());
    service.asks().await;
    let said = || fs::read_to_string(directory.path().join("stderr")).unwrap();
    wait_for(|| said().contains("did not get to standard output: Broken pipe").then_some(()));
    assert!(said().matches("did not get to").count() == 1, "{}", said());
}
