//! Whose files are that root makes with a command.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use service::{Service, exit3};

/// The user that the service runs as here.
const USER: u32 = 65534;

/// A place where the data directory belongs to that user; none where the tests do not run as
/// root, who alone can give files away.
fn place() -> Option<tempfile::TempDir> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("data")).unwrap();
    for path in ["", "data"] {
        chown(directory.path().join(path), Some(USER), Some(USER)).unwrap();
    }
    Some(directory)
}

/// What below `directory` is not the user's.
fn strangers(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let (path, metadata) = (entry.path(), entry.metadata().unwrap());
        if metadata.uid() != USER {
            found.push(path.display().to_string());
        }
        if metadata.is_dir() {
            found.extend(strangers(&path));
        }
    }
    found
}

/// Runs a command as root, or as the user; returns what it says on standard error.
fn run(directory: &Path, as_root: bool, arguments: &[&str]) -> (bool, String) {
    let mut command = exit3(directory);
    if !as_root {
        command.uid(USER).gid(USER);
    }
    let output = command.args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_root_makes_first_the_service_can_use() {
    let Some(directory) = place() else { return };
    let directory = directory.path();
    let backup = ["backup", "--to", "kept/backups"];
    assert_eq!(run(directory, true, &["migrate"]), (true, String::new()));
    assert_eq!(run(directory, true, &backup), (true, String::new()));
    assert_eq!(strangers(directory), [""; 0]);
    assert_eq!(run(directory, false, &backup), (true, String::new()));
    assert!(run(directory, false, &["verify-backup", "--from", "kept/backups"]).0);
    // Of everything that the service keeps it is the same.
    Service::start(directory, &[("LOG_DIR", "logs")]).stop();
    fs::remove_file(directory.join("service.log")).unwrap();
    assert_eq!(strangers(directory), [""; 0]);
}

#[test]
fn root_is_told_where_the_service_cannot_write() {
    let Some(directory) = place() else { return };
    let directory = directory.path();
    fs::create_dir(directory.join("backups")).unwrap();
    let backup = ["backup", "--to", "backups"];
    assert!(run(directory, false, &["migrate"]).0);
    let (done, said) = run(directory, true, &backup);
    assert!(done && said.contains("chown 65534:65534 backups"), "{said}");
    let (done, said) = run(directory, false, &backup);
    assert!(!done && said.contains("backups: Permission denied"), "{said}");
    chown(directory.join("backups"), Some(USER), Some(USER)).unwrap();
    assert_eq!(run(directory, true, &backup), (true, String::new()));
    assert!(run(directory, false, &backup).0);
}

#[test]
fn a_check_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = exit3(directory.path());
    let checked = command.args(["check", "--log-dir", "logs"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
