//! Settings from the environment, from files and from the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use exit3_testkit::redis::TestRedis;
use service::{Service, exit3};

const LEADS: &str = "/backend/api/v1/leads/";
const LIVE: &str = "/backend/health/live/";
const KEY: &str = "key-of-the-tests";

/// The error message of a start that fails.
fn refusal(directory: &Path, env: &[(&str, &str)]) -> String {
    let mut command = exit3(directory);
    command.envs(env.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "it starts");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[tokio::test]
async fn blanks_around_a_key_are_ignored_in_every_source() {
    for around in
        [format!("{KEY}\n"), format!(" {KEY} "), format!("{KEY}\r"), format!("\u{feff}{KEY}\u{a0}")]
    {
        let directory = tempfile::tempdir().unwrap();
        let by_environment = Service::start(directory.path(), &[("BASIC_API_KEY", &around)]);
        assert_eq!(by_environment.get(LEADS, KEY).await.status(), 200, "{around:?}");
        by_environment.stop();
        fs::write(directory.path().join(".env"), format!("BASIC_API_KEY='{around}'\r\n")).unwrap();
        let by_file = Service::start(directory.path(), &[]);
        assert_eq!(by_file.get(LEADS, KEY).await.status(), 200, "{around:?}");
        by_file.stop();
        fs::remove_file(directory.path().join(".env")).unwrap();
        fs::create_dir_all(directory.path().join("data")).unwrap();
        fs::write(directory.path().join("data/api_key"), &around).unwrap();
        let kept = Service::start(directory.path(), &[]);
        assert_eq!(kept.get(LEADS, KEY).await.status(), 200, "{around:?}");
        kept.stop();
    }
}

#[test]
fn a_secret_with_a_control_character_inside_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let said = refusal(directory.path(), &[("BASIC_API_KEY", "hunter2\nhunter2")]);
    assert!(said.contains("BASIC_API_KEY") && !said.contains("hunter2"), "{said}");
    let output = exit3(directory.path()).args(["--secret-key", "hunter2\u{1}x"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("SECRET_KEY has a line break") && !said.contains("hunter2"), "{said}");
    fs::create_dir(directory.path().join("data")).unwrap();
    fs::write(directory.path().join("data/secret_key"), "hunter2\nhunter2").unwrap();
    let said = refusal(directory.path(), &[]);
    assert!(said.contains("SECRET_KEY") && said.contains("more than one line"), "{said}");
}

#[tokio::test]
async fn odd_lines_of_a_file_are_skipped_with_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let env = format!(
        "[section]\nMY-VAR=hunter2\nbare\nPEM=\"-----BEGIN-----\nabc=\n-----END-----\"\n\
         ALLOWED_HOST=typo\nBASIC_API_KEY={KEY}\n"
    );
    fs::write(directory.path().join(".env"), env).unwrap();
    let service = Service::start(directory.path(), &[]);
    assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    for line in 1..=3 {
        assert!(service.logs(&format!(".env: line {line} is not NAME=value: it is skipped")));
    }
    assert!(service.logs("ALLOWED_HOST is not a setting: is ALLOWED_HOSTS meant?"));
    let output = service.output();
    assert_eq!(output.matches("WARN").count(), 4, "{output}");
    assert!(!output.contains("hunter2") && !output.contains("BEGIN"), "{output}");
}

#[test]
fn a_file_that_would_be_misread_stops_the_start() {
    for (text, sentence) in [
        (&b"BASIC_API_KEY='hunter2'x\n"[..], "line 1 goes on after the closing quote"),
        (b"A=1\nB=\"1\nDATABASE_URL=hunter2\n\"", "DATABASE_URL is within a quoted value"),
        (b"A=1\n# caf\xe9\n", ".env: line 2 is not UTF-8"),
        (b"\xff\xfeP\0O\0R\0T\0", ".env: line 1 is not UTF-8"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(".env"), text).unwrap();
        let said = refusal(directory.path(), &[]);
        assert!(said.contains(sentence) && !said.contains("hunter2"), "{said}");
    }
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/nowhere/exit3.env", directory.path().join(".env")).unwrap();
    assert!(refusal(directory.path(), &[]).contains(".env cannot be read"));
}

/// As in the systemd units.
#[tokio::test]
async fn the_env_file_named_in_the_environment_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let named = directory.path().join("exit3.env");
    let file = [("EXIT3_ENV_FILE", named.to_str().unwrap())];
    fs::write(directory.path().join(".env"), "BASIC_API_KEY=other\nALLOWED_HOSTS=other\n").unwrap();
    assert!(refusal(directory.path(), &file).contains("EXIT3_ENV_FILE: "));
    let text = "BASIC_API_KEY=pa\\ss # our key\nALLOWED_HOSTS=127.0.0.1 # our name\n";
    fs::write(&named, text).unwrap();
    let service = Service::start(directory.path(), &file);
    assert_eq!(service.get(LEADS, "pa\\ss").await.status(), 200);
    assert_eq!(service.get_with(LIVE, &[("Host", "other")]).await.status(), 400);
    service.stop();
    // systemd's own parser would read the second line as an invalid host.
    let wrong = [("ALLOWED_HOSTS", "127.0.0.1 # our name")];
    assert!(refusal(directory.path(), &wrong).contains("ALLOWED_HOSTS"));
}

#[test]
fn the_units_let_the_program_read_the_file() {
    for unit in [
        include_str!("../../../deploy/systemd/exit3.service"),
        include_str!("../../../deploy/systemd/exit3-backup.service"),
    ] {
        assert!(!unit.contains("EnvironmentFile="), "{unit}");
        assert!(unit.contains("\nEnvironment=EXIT3_ENV_FILE=/etc/exit3/exit3.env\n"), "{unit}");
    }
}

#[tokio::test]
async fn a_redirect_loop_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let redirect = [("SECURE_SSL_REDIRECT", "true"), ("ALLOWED_HOSTS", "127.0.0.1")];
    let service = Service::start(directory.path(), &redirect);
    assert_eq!(service.get(LEADS, KEY).await.status(), 308);
    assert!(service.logs("SECURE_SSL_REDIRECT redirects every request to its own address"));
    service.stop();
    let mut check = exit3(directory.path());
    let output = check.envs(redirect).args(["check", "--deploy"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("SECURE_SSL_REDIRECT redirects every request"), "{said}");
    let proxied = [redirect[0], redirect[1], ("TRUSTED_PROXIES", "127.0.0.1")];
    let service = Service::start(directory.path(), &proxied);
    let headers = [("X-Forwarded-Proto", "https"), ("Authorization", "Basic x")];
    assert_eq!(service.get_with(LEADS, &headers).await.status(), 403);
    assert!(!service.output().contains("SECURE_SSL_REDIRECT"), "{}", service.output());
}

/// If the proxy were not recognised, all visitors would share a limit.
#[tokio::test]
async fn a_proxy_is_recognised_in_every_spelling_of_its_address() {
    for spelling in [
        "127.0.0.1",
        "::ffff:127.0.0.1",
        "::FFFF:7F00:1",
        "[::ffff:127.0.0.9]/104",
        "127.9.9.9/8",
        "::/0",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let env = [
            ("TRUSTED_PROXIES", spelling),
            ("RATE_LIMIT_ANON", "1/day"),
            ("RATE_LIMIT_FLOOD", "off"),
        ];
        let service = Service::start(directory.path(), &env);
        for visitor in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            let status = service.get_with(LEADS, &[("X-Forwarded-For", visitor)]).await.status();
            assert_eq!(status, 403, "{spelling}: {visitor}");
        }
        let again = service.get_with(LEADS, &[("X-Forwarded-For", "192.0.2.1")]).await;
        assert_eq!(again.status(), 429, "{spelling}");
    }
}

#[tokio::test]
async fn a_host_is_recognised_in_every_spelling() {
    let directory = tempfile::tempdir().unwrap();
    let hosts = "BÜCHER.example., ::1, 127.0.0.1";
    let service = Service::start(directory.path(), &[("ALLOWED_HOSTS", hosts)]);
    for (host, status) in [
        ("xn--bcher-kva.example", 200),
        ("XN--bcher-kva.example.:443", 200),
        ("[::1]:8000", 200),
        ("[0:0:0:0:0:0:0:1]", 200),
        ("other.example", 400),
    ] {
        let answer = service.get_with("/backend/api/schema/", &[("Host", host)]).await;
        assert_eq!(answer.status(), status, "{host}");
    }
}

#[tokio::test]
async fn redis_accepts_a_generated_password_unchanged() {
    let redis = TestRedis::start();
    let password = "b/64+with/slashes%41and==";
    redis.ask(&["CONFIG", "SET", "requirepass", password]);
    let directory = tempfile::tempdir().unwrap();
    let url = redis.url();
    let env = [
        ("REDIS_URL", url.as_str()),
        ("REDIS_PASSWORD", password),
        ("RATE_LIMIT_ANON", "1000/day"),
    ];
    let service = Service::start(directory.path(), &env);
    // On a busy machine Redis may answer too late, and then the node counts by itself for a second.
    let began = Instant::now();
    while !redis.ask(&["-a", password, "KEYS", "*"]).contains("exit3:quota:") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", service.output());
        service.get(LEADS, "").await;
    }
    assert!(!service.output().contains(password), "{}", service.output());
}

#[tokio::test]
async fn each_ignored_telemetry_setting_has_one_warning() {
    let directory = tempfile::tempdir().unwrap();
    let env = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/v1/traces"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("SENTRY_DEBUG", "true"),
    ];
    fs::write(directory.path().join(".env"), "OTEL_LOG_LEVEL=debug\n").unwrap();
    let service = Service::start(directory.path(), &env);
    assert!(service.logs("SENTRY_DEBUG is not followed"));
    let output = service.output();
    for name in
        ["EXPORTER_OTLP_PROTOCOL", "EXPORTER_OTLP_COMPRESSION", "TRACES_SAMPLER", "LOG_LEVEL"]
    {
        let warning = format!("OTEL_{name} is not followed: ");
        assert_eq!(output.matches(&warning).count(), 1, "{output}");
    }
    assert_eq!(output.matches("is not followed").count(), 5, "{output}");
}
