//! The service over database files that somebody changes, and on a full disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use service::{Service, exit3};

const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;
const LEADS: &str = "/backend/api/v1/leads/";
const READY: &str = "/backend/health/ready/";
const KEY: [(&str, &str); 1] = [("BASIC_API_KEY", "key-of-the-tests")];

async fn create(service: &Service) -> u16 {
    service.post(LEADS, KEY[0].1, LEAD).await.status().as_u16()
}

async fn count(service: &Service) -> u64 {
    let list: Value = service.get(LEADS, KEY[0].1).await.json().await.unwrap();
    list["count"].as_u64().unwrap()
}

/// Runs a command that must fail with one sentence; returns the sentence.
fn refused(directory: &Path, arguments: &[&str]) -> String {
    let output = exit3(directory).envs(KEY).args(arguments).output().unwrap();
    let sentence = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    sentence
}

async fn loses_nothing(harm: fn(&Path), word: &str, told: &str) {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &KEY);
    for _ in 0..30 {
        assert_eq!(create(&service).await, 201);
    }
    // Long enough for earlier writes to reach the main file.
    std::thread::sleep(Duration::from_secs(1));
    harm(&directory.path().join("data/exit3.sqlite3"));
    assert_eq!(create(&service).await, 503);
    assert!(service.logs(word), "{}", service.output());
    assert_eq!(service.get(READY, "").await.status(), 503);
    let sentence = refused(directory.path(), &["backup", "--to", "backups"]);
    assert!(sentence.contains(told), "{sentence}");
    service.kill();
    let again = Service::start(directory.path(), &KEY);
    assert_eq!(count(&again).await, 30);
    assert_eq!(create(&again).await, 201);
    again.stop();
}

fn beside(main: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", main.display()))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_the_files_beside_the_database() {
    let harm = |main: &Path| {
        fs::remove_file(beside(main, "-wal")).unwrap();
        fs::remove_file(beside(main, "-shm")).unwrap();
    };
    loses_nothing(harm, "the files beside the database", "another process has").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_a_truncated_log() {
    let harm = |main: &Path| {
        OpenOptions::new().write(true).open(beside(main, "-wal")).unwrap().set_len(0).unwrap();
    };
    loses_nothing(harm, "truncated the -wal file", "truncated the -wal file").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_lacks_writes_is_not_praised() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &KEY);
    let main = directory.path().join("data/exit3.sqlite3");
    let suffixes = ["-wal", "-shm"];
    assert_eq!(create(&service).await, 201);
    let older = suffixes.map(|suffix| fs::read(beside(&main, suffix)).unwrap());
    for _ in 0..30 {
        assert_eq!(create(&service).await, 201);
    }
    // The service indexes the leads half a second later. A commit in the middle of this would put
    // the end of the log back.
    std::thread::sleep(Duration::from_secs(1));
    for (suffix, content) in suffixes.iter().zip(older) {
        let file = OpenOptions::new().write(true).open(beside(&main, suffix)).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &content, 0).unwrap();
    }
    assert_eq!(create(&service).await, 503);
    assert_eq!(service.get(READY, "").await.status(), 503);
    assert!(!service.output().contains("acknowledged writes are kept"), "{}", service.output());
    service.kill();
}

/// Damages the files of a running service in a way that only this service can detect. All commands
/// must fail until a restart.
async fn fails_commands(harm: fn(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &KEY);
    let main = directory.path().join("data/exit3.sqlite3");
    assert_eq!(create(&service).await, 201);
    std::thread::sleep(Duration::from_secs(1));
    fs::copy(&main, beside(&main, "-before")).unwrap();
    for _ in 0..30 {
        assert_eq!(create(&service).await, 201);
    }
    std::thread::sleep(Duration::from_secs(1));
    harm(&main);
    // Immediately: the service may not have noticed yet.
    refused(directory.path(), &["backup", "--to", "backups"]);
    let told = "a running service has found damage";
    for arguments in
        [&["backup", "--to", "backups"][..], &["api-key", "list"], &["migrate"], &["serve"]]
    {
        let mut command = exit3(directory.path());
        let mut child = command
            .envs(KEY)
            .env("PORT", "0")
            .args(arguments)
            .stderr(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        if arguments == ["serve"] {
            // The command waits for the other process to end.
            std::thread::sleep(Duration::from_secs(2));
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!output.status.success() && said.contains(told), "{arguments:?}: {said}");
    }
    let backups = fs::read_dir(directory.path().join("backups")).map_or(0, Iterator::count);
    assert_eq!(backups, 0);
    service.kill();
    // The marker of a process that has ended means nothing.
    assert!(
        exit3(directory.path()).envs(KEY).args(["backup", "--to", "b"]).status().unwrap().success()
    );
    let again = Service::start(directory.path(), &KEY);
    assert_eq!(create(&again).await, 201);
    again.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_fail_while_the_service_knows_of_an_overwritten_file() {
    fails_commands(|main| {
        let older = fs::read(beside(main, "-before")).unwrap();
        let mut file = OpenOptions::new().write(true).open(main).unwrap();
        std::io::Write::write_all(&mut file, &older).unwrap();
        file.set_len(older.len() as u64).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_fail_while_the_service_knows_of_a_removed_log() {
    fails_commands(|main| fs::remove_file(beside(main, "-wal")).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_index_fails_the_backup() {
    let directory = tempfile::tempdir().unwrap();
    let seed = ["seed-demo", "--leads", "464", "--subscribers", "1"];
    assert!(exit3(directory.path()).args(seed).status().unwrap().success());
    let damage = "CREATE TABLE theirs (x); CREATE INDEX theirs_x ON theirs (x);
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET rootpage =
            (SELECT rootpage FROM sqlite_schema WHERE name = 'theirs_x')
        WHERE name = 'leads_by_created_at';";
    let main = directory.path().join("data/exit3.sqlite3");
    assert!(Command::new("sqlite3").arg(main).arg(damage).status().unwrap().success());
    let sentence = refused(directory.path(), &["backup", "--to", "backups"]);
    assert!(sentence.contains("the database is damaged"), "{sentence}");
    assert_eq!(fs::read_dir(directory.path().join("backups")).map_or(0, Iterator::count), 0);
}

/// A small file system for one test.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().to_str().unwrap();
        run(&["mount", "-t", "tmpfs", "-o", "size=8m,mode=0777", "tmpfs", place]);
        Self(directory)
    }

    fn fill(&self) {
        let mut filler = fs::File::create(self.0.path().join("filler")).unwrap();
        let full = std::io::copy(&mut std::io::repeat(1), &mut filler).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(&["umount", "--lazy", self.0.path().to_str().unwrap()]);
    }
}

/// Runs a command as root.
fn run(words: &[&str]) {
    let mut command = Command::new(words[0]);
    if !rustix::process::geteuid().is_root() {
        command = Command::new("sudo");
        command.args(["-n", words[0]]);
    }
    assert!(command.args(&words[1..]).status().unwrap().success(), "{words:?}");
}

async fn assert_not_ready(service: &Service) {
    assert_eq!(service.get(READY, KEY[0].1).await.status(), 503);
}

async fn takes_writes_again(service: &Service) {
    let begun = Instant::now();
    while service.get(READY, "").await.status() != 200 || create(service).await != 201 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the service does not recover");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_works_on_a_full_disk() {
    let disk = Disk::new();
    let place = tempfile::tempdir().unwrap();
    let data = disk.0.path().join("data");
    let env = [KEY[0], ("DATA_DIR", data.to_str().unwrap())];
    let service = Service::start(place.path(), &env);
    assert_eq!(create(&service).await, 201);
    // While the service runs.
    disk.fill();
    let begun = Instant::now();
    while create(&service).await != 503 {
        assert!(begun.elapsed() < Duration::from_secs(60), "there is room");
    }
    assert_not_ready(&service).await;
    let before = count(&service).await;
    assert!(service.logs("the disk of the database is full"), "{}", service.output());
    // After a stop there is no room for the files that SQLite keeps beside the main file.
    service.stop();
    while OpenOptions::new()
        .append(true)
        .open(disk.0.path().join("filler"))
        .is_ok_and(|mut file| std::io::Write::write_all(&mut file, &[1; 4096]).is_ok())
    {}
    let service = Service::start(place.path(), &env);
    assert_eq!(count(&service).await, before);
    assert_eq!(create(&service).await, 503);
    assert_not_ready(&service).await;
    assert_eq!(service.get("/backend/health/live/", "").await.status(), 200);
    disk.make_room();
    takes_writes_again(&service).await;
    assert!(count(&service).await > before);
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_check_after_a_crash_reports_a_full_disk() {
    let disk = Disk::new();
    let place = tempfile::tempdir().unwrap();
    let data = disk.0.path().join("data");
    let env = [KEY[0], ("DATA_DIR", data.to_str().unwrap())];
    let service = Service::start(place.path(), &env);
    assert_eq!(create(&service).await, 201);
    disk.fill();
    service.kill();
    let service = Service::start(place.path(), &env);
    let ready = service.get(READY, KEY[0].1).await;
    assert_eq!(ready.status(), 503);
    let ready: Value = ready.json().await.unwrap();
    assert_eq!(ready["status"], "writes fail");
    assert!(ready["detail"].as_str().unwrap().contains("full"), "{ready}");
    disk.make_room();
    takes_writes_again(&service).await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_retried_until_there_is_room() {
    let disk = Disk::new();
    let place = tempfile::tempdir().unwrap();
    let data = disk.0.path().join("data");
    let env = [KEY[0], ("DATA_DIR", data.to_str().unwrap())];
    let service = Service::start(place.path(), &env);
    service.stop();
    let back = exit3(place.path())
        .envs(env)
        .args(["migrate", "--to", "8", "--drop-rows"])
        .output()
        .unwrap();
    assert!(back.status.success(), "{back:?}");
    disk.fill();
    while OpenOptions::new()
        .append(true)
        .open(disk.0.path().join("filler"))
        .is_ok_and(|mut file| std::io::Write::write_all(&mut file, &[1; 512]).is_ok())
    {}
    let service = Service::start(place.path(), &env);
    let begun = Instant::now();
    while !service.logs("waiting for") {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", service.output());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(service.get("/backend/health/live/", "").await.status(), 200);
    assert_not_ready(&service).await;
    disk.make_room();
    takes_writes_again(&service).await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_on_a_full_disk_leaves_nothing_behind() {
    let disk = Disk::new();
    let data = disk.0.path().join("data");
    fs::create_dir(&data).unwrap();
    disk.fill();
    let place = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let output = exit3(place.path()).env("DATA_DIR", &data).output().unwrap();
        assert!(!output.status.success());
    }
    let left: Vec<_> = fs::read_dir(&data).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    disk.make_room();
    Service::start(place.path(), &[("DATA_DIR", data.to_str().unwrap())]).stop();
}
