//! Contract files get their final names together at the end, and leftovers of interrupted commands
//! are removed. Tests of archives in directories are in `crates/archive`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::fs;
use std::io::Read;
use std::path::Path;

use exit3_files::ContractDirectory;
use exit3_ports::{ContractError, ContractFound, ContractStore};

/// The names of everything below a directory.
fn below(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        names.extend(below(&entry.path()));
    }
    names
}

/// Sets the modification time of a file to some hours ago.
fn age(path: &Path, hours: u64) {
    let file = fs::File::open(path).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.set_modified(now - std::time::Duration::from_secs(hours * 60 * 60)).unwrap();
}

#[test]
fn temporary_files_of_a_killed_restore_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("sub/.restore-Direct.partial")).unwrap();
    let old = ["sub/.restore-OldOne.partial", ".restore-OldTwo.partial"];
    let files = [old[0], old[1], "sub/.restore-NewOne.partial", "sub/old.pdf"];
    for name in files {
        fs::write(path(name), "x").unwrap();
    }
    for (name, hours) in files.into_iter().zip([25, 25, 23, 25]) {
        age(&path(name), hours);
    }
    drop(ContractDirectory::new(directory.path()).stage(false));
    let mut left = below(directory.path());
    left.sort();
    let stays = [".restore-Direct.partial", ".restore-NewOne.partial", "old.pdf", "sub"];
    assert_eq!(left, stays);
}

#[test]
fn a_file_that_fails_does_not_stop_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let mut staging = ContractDirectory::new(directory.path()).stage(false);
    for name in ["a", "b"] {
        staging.begin(name.to_owned()).unwrap();
        staging.end("").unwrap();
    }
    fs::create_dir(directory.path().join("a")).unwrap();
    let error = staging.finish().unwrap_err().to_string();
    assert!(error.contains("file a "), "{error}");
    let mut left = below(directory.path());
    left.sort();
    assert_eq!(left, ["a", "b"]);
}

#[test]
fn a_file_is_found_opened_and_replaced_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = ContractDirectory::new(directory.path().join("contracts"));
    let put = |text: &str, sha256: &str, replace: bool| -> Result<(), ContractError> {
        let mut staging = store.stage(replace);
        staging.begin("2026/acme.pdf".to_owned())?;
        staging.add(text.as_bytes())?;
        staging.end(sha256)?;
        staging.check()?;
        staging.finish()
    };
    let read = || {
        let mut text = String::new();
        store.open("2026/acme.pdf").unwrap().unwrap().read_to_string(&mut text).unwrap();
        text
    };
    store.check().unwrap();
    assert!(store.list().next().is_none() && store.open("2026/acme.pdf").unwrap().is_none());
    // printf a | sha256sum
    let of_a = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    put("a", of_a, false).unwrap();
    assert!(store.has("2026/acme.pdf") && !store.has("2026"));
    let found: Vec<ContractFound> = store.list().map(Result::unwrap).collect();
    assert_eq!(found, [ContractFound::File("2026/acme.pdf".to_owned())]);
    // Storing identical content again is not a conflict.
    put("a", of_a, false).unwrap();
    assert!(matches!(put("b", "another", false), Err(ContractError::Exists(_))));
    assert_eq!(read(), "a");
    put("b", "another", true).unwrap();
    assert_eq!(read(), "b");
}
