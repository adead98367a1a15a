//! The binary as an operator uses it.
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
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::{Service, exit3};

const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

#[tokio::test]
async fn the_first_start_needs_no_configuration_and_a_restart_keeps_data_and_key() {
    let directory = tempfile::tempdir().unwrap();
    let first = Service::start(directory.path(), &[]);
    let key = first.printed_key().expect("the key is printed");
    let created = first.post("/backend/api/v1/leads/", &key, LEAD).await;
    assert_eq!(created.status(), 201);
    for file in ["api_key", "secret_key", "exit3.sqlite3"] {
        let mode = fs::metadata(directory.path().join("data").join(file)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o077, 0, "only the owner may read {file}");
    }
    first.stop();

    let second = Service::start(directory.path(), &[]);
    assert_eq!(second.printed_key(), None, "the key is shown once");
    let list: Value = second.get("/backend/api/v1/leads/", &key).await.json().await.unwrap();
    assert_eq!(list["count"], 1);
    second.stop();
}

#[test]
fn a_new_key_is_not_written_to_the_journal() {
    for (format, stream) in [("pretty", "stdout"), ("json", "stderr")] {
        let directory = tempfile::tempdir().unwrap();
        let open = |name| fs::File::create(directory.path().join(name)).unwrap();
        let (stdout, stderr) = (open("stdout"), open("stderr"));
        let journal = fs::metadata(directory.path().join(stream)).unwrap();
        let mut command = exit3(directory.path());
        command.env("JOURNAL_STREAM", format!("{}:{}", journal.dev(), journal.ino()));
        command.env("LOG_FORMAT", format).stdout(stdout).stderr(stderr);
        let mut service = command.spawn().unwrap();
        let told = || fs::read_to_string(directory.path().join(stream)).unwrap();
        let began = Instant::now();
        while !told().contains("API key: in data/api_key") {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", told());
            std::thread::sleep(Duration::from_millis(10));
        }
        service.kill().unwrap();
        service.wait().unwrap();
        let key = fs::read_to_string(directory.path().join("data/api_key")).unwrap();
        assert!(!told().contains(key.trim()), "{}", told());
    }
}

/// As in terminals that a service has started.
#[test]
fn a_new_key_is_shown_where_the_journal_is_only_inherited() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[("JOURNAL_STREAM", "8:1")]);
    assert!(service.printed_key().is_some(), "{}", service.output());
}

#[tokio::test]
async fn the_printed_curl_line_works_as_pasted() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let output = service.output();
    let line = output.lines().find_map(|line| line.strip_prefix("Try: ")).unwrap();
    let words: Vec<&str> = line.split('\'').collect();
    assert_eq!(words[0], "curl -H ");
    let (name, value) = words[1].split_once(": ").unwrap();
    let answer = reqwest::Client::new().get(words[2].trim()).header(name, value).send().await;
    assert_eq!(answer.unwrap().status(), 200);
}

#[test]
fn a_wrong_setting_stops_the_start_with_one_sentence_that_names_it() {
    for (name, value) in [
        ("PORT", "eighty"),
        ("HOST", "nowhere"),
        ("DATABASE_URL", "mysql://ana:hunter2@db/leads"),
        ("DB_ENGINE", "oracle"),
        ("LOG_LEVEL", "loud"),
        ("SECRET_KEY", ""),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = exit3(directory.path());
        if name == "SECRET_KEY" {
            command.env("DATABASE_URL", "postgres://ana:hunter2@localhost/leads");
        }
        let output = command.env(name, value).output().unwrap();
        assert!(!output.status.success());
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        assert!(sentence.contains(name), "{sentence}");
        assert!(!sentence.contains("hunter2"), "{sentence}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_django_env_file_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let env = "SECRET_KEY='django-insecure-a$b#c'\nBASIC_API_KEY=k$ey#1 2\nDEBUG=True\n\
               ALLOWED_HOSTS=127.0.0.1\nDB_ENGINE=django.db.backends.sqlite3\n\
               DB_NAME=db.sqlite3\nLOG_LEVEL=INFO\nEMAIL_HOST=ignored\n";
    fs::write(directory.path().join(".env"), env).unwrap();
    let service = Service::start(directory.path(), &[]);
    assert_eq!(service.printed_key(), None);
    assert_eq!(service.get("/backend/api/v1/leads/", "k$ey#1 2").await.status(), 200);
    assert!(!directory.path().join("db.sqlite3").exists());
    service.stop();
}

#[test]
fn an_address_in_use_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = exit3(directory.path()).env("PORT", port).output().unwrap();
    assert!(!output.status.success());
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.contains("PORT") && sentence.lines().count() == 1, "{sentence}");
}

#[tokio::test]
async fn stopping_finishes_requests_in_flight() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let key = service.printed_key().unwrap();
    let mut slow = TcpStream::connect(service.address()).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /backend/api/v1/leads/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        LEAD.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(&LEAD.as_bytes()[..10]).unwrap();
    // An idle connection must not delay the stop.
    let _idle = TcpStream::connect(service.address()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    service.terminate();
    std::thread::sleep(Duration::from_millis(300));
    slow.write_all(&LEAD.as_bytes()[10..]).unwrap();
    let mut answer = String::new();
    let _ = slow.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let began = Instant::now();
    assert!(service.wait().success());
    assert!(began.elapsed() < Duration::from_secs(20));
    let again = Service::start(directory.path(), &[]);
    let list: Value = again.get("/backend/api/v1/leads/", &key).await.json().await.unwrap();
    assert_eq!(list["count"], 1);
}

#[tokio::test]
async fn answered_writes_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let key = service.printed_key().unwrap();
    for _ in 0..20 {
        assert_eq!(service.post("/backend/api/v1/leads/", &key, LEAD).await.status(), 201);
    }
    service.kill();
    let service = Service::start(directory.path(), &[]);
    let list: Value = service.get("/backend/api/v1/leads/", &key).await.json().await.unwrap();
    assert_eq!(list["count"], 20);
}

#[tokio::test]
async fn without_its_file_the_service_accepts_no_leads() {
    let directory = tempfile::tempdir().unwrap();
    let new = "the database is a new one";
    let service = Service::start(directory.path(), &[]);
    let key = service.printed_key().unwrap();
    assert_eq!(service.post("/backend/api/v1/leads/", &key, LEAD).await.status(), 201);
    let file = directory.path().join("data/exit3.sqlite3");
    fs::rename(&file, file.with_extension("away")).unwrap();
    assert_eq!(service.post("/backend/api/v1/leads/", &key, LEAD).await.status(), 503);
    assert_eq!(service.get("/backend/health/ready/", "").await.status(), 503);
    assert!(service.logs("the database file was moved, replaced or removed"));
    assert!(!service.output().contains(new), "{}", service.output());
    service.stop();
    let service = Service::start(directory.path(), &[]);
    assert!(service.logs(new), "{}", service.output());
    service.stop();
}

#[tokio::test]
async fn without_migrations_the_service_is_alive_but_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let env = [("AUTO_MIGRATE", "false"), ("BASIC_API_KEY", "key")];
    let service = Service::start(directory.path(), &env);
    assert_eq!(service.get("/backend/health/live/", "").await.status(), 200);
    assert_eq!(service.get("/backend/health/ready/", "").await.status(), 503);
    assert_eq!(service.get("/backend/api/v1/leads/", "key").await.status(), 503);
    assert_eq!(service.post("/backend/api/v1/leads/", "key", LEAD).await.status(), 503);
    let output = exit3(directory.path()).arg("migrate").output().unwrap();
    assert!(output.status.success());
    assert_eq!(service.get("/backend/health/ready/", "").await.status(), 200);
    let again = exit3(directory.path()).arg("migrate").output().unwrap();
    assert!(String::from_utf8(again.stdout).unwrap().contains("is up to date"));
}

#[tokio::test]
async fn a_command_migrates_the_schema_down_and_up() {
    let directory = tempfile::tempdir().unwrap();
    let migrate = |arguments: &[&str]| {
        let output = exit3(directory.path()).arg("migrate").args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    assert!(migrate(&[]).0);
    let key = ["api-key", "create", "--name", "website", "--scope", "leads:create"];
    assert!(exit3(directory.path()).args(key).output().unwrap().status.success());
    let service = Service::start(directory.path(), &[("AUTO_MIGRATE", "false")]);
    let backup = ["backup", "--to", "backups"];
    assert!(exit3(directory.path()).args(backup).output().unwrap().status.success());
    // There are no clients yet, but the start has invited somebody to make the first account.
    let (done, text) = migrate(&["--to", "3"]);
    assert!(!done && text.contains("invitations would be lost"), "{text}");
    let (done, text) = migrate(&["--to", "3", "--drop-rows"]);
    assert!(done && text.contains("migrations taken back"), "{text}");
    assert_eq!(service.get("/backend/health/ready/", "").await.status(), 503);
    // But the key would be lost.
    for (arguments, reason) in [
        (["--to", "2"], "api_keys would be lost"),
        (["--to", "99"], "there is no migration 99"),
        (["--to", "-1"], "unexpected argument"),
    ] {
        let (done, text) = migrate(&arguments);
        assert!(!done && text.contains(reason), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    assert!(migrate(&["--to", "2", "--drop-rows"]).0);
    let (done, text) = migrate(&["--to", "2"]);
    assert!(done && text.contains("is at 2 already"), "{text}");
    assert!(migrate(&[]).0);
    assert_eq!(service.get("/backend/health/ready/", "").await.status(), 200);
}

/// An operator may be rolling back.
#[test]
fn commands_leave_an_outdated_schema_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = exit3(directory.path()).args(arguments).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    let seed = ["seed-demo", "--leads", "1", "--subscribers", "1"];
    let none = exit3(directory.path()).env("AUTO_MIGRATE", "false").args(seed).output().unwrap();
    let none = String::from_utf8(none.stderr).unwrap();
    assert!(none.contains("no schema yet: run `exit3 migrate`"), "{none}");
    assert!(run(&seed).0, "a missing schema is created");
    let (done, text) = run(&["backup", "--to", "backups"]);
    assert!(done, "{text}");
    let archive = text.split(": ").next().unwrap();
    assert!(run(&["migrate", "--to", "3", "--drop-rows"]).0);
    for arguments in [
        &seed[..],
        &["api-key", "list"],
        &["api-key", "revoke", "website"],
        &["restore", archive, "--replace"],
    ] {
        let (done, text) = run(arguments);
        assert!(!done && text.contains("outdated: run `exit3 migrate`"), "{arguments:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    let (_, text) = run(&["migrate", "--to", "3"]);
    assert!(text.contains("is at 3 already"), "{text}");
    assert!(run(&["migrate"]).0 && run(&["restore", archive, "--replace"]).0);
}

#[tokio::test]
async fn seed_demo_creates_the_requested_rows() {
    let directory = tempfile::tempdir().unwrap();
    let mut seed = exit3(directory.path());
    seed.args(["seed-demo", "--leads", "5123", "--subscribers", "77"]);
    assert!(seed.status().unwrap().success());
    let service = Service::start(directory.path(), &[]);
    // Only the service generates the key, and so can show it.
    let key = service.printed_key().unwrap();
    let leads: Value = service.get("/backend/api/v1/leads/", &key).await.json().await.unwrap();
    assert_eq!(leads["count"], 5123);
    let subscribers = service.get("/backend/api/v1/newsletter/", &key).await;
    assert_eq!(subscribers.json::<Value>().await.unwrap()["count"], json!(77));
}

#[test]
fn help_and_version_succeed() {
    let directory = tempfile::tempdir().unwrap();
    for option in ["--help", "--version"] {
        let mut command: Command = exit3(directory.path());
        let output = command.env("BASIC_API_KEY", "hunter2").arg(option).output().unwrap();
        assert!(output.status.success());
        assert!(!String::from_utf8(output.stdout).unwrap().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_failed_start_does_not_prevent_the_key_from_being_shown() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert!(!exit3(directory.path()).env("PORT", port).output().unwrap().status.success());
    assert!(Service::start(directory.path(), &[]).printed_key().is_some());
}

/// Settings that are fit for production.
const SOUND: [(&str, &str); 7] = [
    ("ALLOWED_HOSTS", "localhost,127.0.0.1"),
    ("TRUSTED_PROXIES", "192.0.2.1"),
    ("SECURE_SSL_REDIRECT", "true"),
    ("SECURE_HSTS_SECONDS", "31536000"),
    ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "true"),
    ("SECURE_HSTS_PRELOAD", "true"),
    ("PRODUCTION", "true"),
];

/// Runs `exit3 check --deploy` with these settings and the default limits.
fn check(directory: &std::path::Path, env: &[(&str, &str)]) -> (bool, String) {
    let mut command = exit3(directory);
    for name in service::LIMITS {
        command.env_remove(name);
    }
    let output = command.envs(env.iter().copied()).args(["check", "--deploy"]).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_check_lists_unsafe_settings_with_remedies() {
    let directory = tempfile::tempdir().unwrap();
    let (sound, said) = check(directory.path(), &SOUND);
    assert!(sound, "{said}");
    let (sound, said) = check(directory.path(), &[("DEBUG", "true"), ("ALLOWED_HOSTS", "*")]);
    assert!(!sound);
    assert!(said.starts_with("danger: DEBUG is true; leave it out\n"), "{said}");
    for variable in ["danger: ALLOWED_HOSTS", "warning: SECURE_HSTS_SECONDS", "warning: PRODUCTION"]
    {
        assert!(said.contains(variable), "{said}");
    }
    assert!(!directory.path().join("data/api_key").exists(), "a check creates nothing");
}

#[test]
fn a_check_refuses_settings_that_a_start_refuses() {
    let nowhere = [("TLS_CERT", "/nowhere/cert.pem"), ("TLS_KEY", "/nowhere/key.pem")];
    let postgres = [("DATABASE_URL", "postgres://ana@localhost/leads"), ("SECRET_KEY", "kQ3x")];
    for (env, sentence) in
        [(nowhere, "exit3: TLS_CERT cannot be read"), (postgres, "exit3: BASIC_API_KEY is missing")]
    {
        let directory = tempfile::tempdir().unwrap();
        let output = exit3(directory.path()).envs(env).arg("check").output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(sentence) && said.lines().count() == 1, "{said}");
    }
}

#[tokio::test]
async fn in_production_a_dangerous_setting_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let with = |change: (&'static str, &'static str)| -> Vec<(&str, &str)> {
        let direct = change.0 == "HOST";
        let kept = SOUND.into_iter().filter(|(name, _)| *name != change.0);
        kept.filter(|(name, _)| !direct || *name != "TRUSTED_PROXIES").chain([change]).collect()
    };
    for (change, word) in [
        (("DEBUG", "true"), "DEBUG is true"),
        (("BASIC_API_KEY", "short"), "BASIC_API_KEY"),
        (("TRUSTED_PROXIES", "::/0"), "TRUSTED_PROXIES trusts everybody"),
        (("HOST", "0.0.0.0"), "TLS_CERT"),
    ] {
        let output = exit3(directory.path()).envs(with(change)).output().unwrap();
        assert!(!output.status.success());
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert!(sentence.contains(word) && sentence.lines().count() == 1, "{sentence}");
    }
    let service = Service::start(directory.path(), &SOUND);
    assert_eq!(service.get("/backend/health/live/", "").await.status(), 200);
    // Outside of production it is only a warning.
    let careless = tempfile::tempdir().unwrap();
    Service::start(careless.path(), &[("DEBUG", "true")]).stop();
}
