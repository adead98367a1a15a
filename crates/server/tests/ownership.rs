//! The owner of files that root creates by running a command.
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

/// The user of the service in these tests.
const USER: u32 = 65534;

/// A place whose data directory belongs to that user; `None` if the tests do not run as root,
/// because only root can give files away.
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

/// Files below `directory` that do not belong to the user.
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

/// Runs a command as root or as the user; returns its standard error.
fn run(directory: &Path, as_root: bool, arguments: &[&str]) -> (bool, String) {
    let mut command = exit3(directory);
    if !as_root {
        command.uid(USER).gid(USER);
    }
    let output = command.args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_service_can_use_files_that_root_created() {
    let Some(directory) = place() else { return };
    let directory = directory.path();
    let backup = ["backup", "--to", "kept/backups"];
    assert_eq!(run(directory, true, &["migrate"]), (true, String::new()));
    assert_eq!(run(directory, true, &backup), (true, String::new()));
    assert_eq!(strangers(directory), [""; 0]);
    assert_eq!(run(directory, false, &backup), (true, String::new()));
    assert!(run(directory, false, &["verify-backup", "--from", "kept/backups"]).0);
    // The same holds for everything else that the service keeps.
    Service::start(directory, &[("LOG_DIR", "logs")]).stop();
    fs::remove_file(directory.join("service.log")).unwrap();
    assert_eq!(strangers(directory), [""; 0]);
}

#[test]
fn root_is_told_about_directories_that_the_service_cannot_write() {
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
fn a_check_creates_no_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = exit3(directory.path());
    let checked = command.args(["check", "--log-dir", "logs"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
