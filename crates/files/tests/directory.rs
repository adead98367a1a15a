//! What only a directory does: links, permissions, and leftovers of interrupted commands. `stores.rs`
//! tests what every store does, and `crates/archive` tests archives in directories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::fs;
use std::path::Path;

use exit3_files::ContractDirectory;
use exit3_ports::ContractStore;

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
fn nothing_is_opened_received_or_removed_through_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    fs::create_dir(&place).unwrap();
    fs::write(directory.path().join("secret"), "x").unwrap();
    std::os::unix::fs::symlink(directory.path(), place.join("link")).unwrap();
    std::os::unix::fs::symlink(directory.path(), place.join("uploads")).unwrap();
    let store = ContractDirectory::new(&place);
    for name in ["../secret", "link/secret", "/etc/passwd", "", "."] {
        assert!(store.open(name).unwrap().is_none(), "{name}");
        store.remove(name).unwrap();
    }
    assert!(directory.path().join("secret").exists());
    let upload = store.receive().unwrap();
    assert!(upload.finish("uploads/a").is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn an_unmounted_directory_receives_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    assert!(ContractDirectory::required(&place).receive().is_err());
    assert!(!place.exists());
    assert!(ContractDirectory::new(&place).receive().is_ok());
    let mode = fs::metadata(place.join("uploads")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700);
}

#[test]
fn a_received_file_is_for_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = ContractDirectory::new(directory.path());
    store.receive().unwrap().finish("uploads/a").unwrap();
    let mode = fs::metadata(directory.path().join("uploads/a")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
}
