use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use diesel::connection::SimpleConnection;

use super::*;
use crate::connection::{Connector, look};

/// A database with a table, and the connection that writes to it.
struct Kept {
    ours: SqliteConnection,
    watch: Watch,
    connector: Connector,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Kept {
    /// All frames are in the main file.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept.sqlite3");
        std::fs::File::create(&path).unwrap();
        let connector = Connector::new(&path).unwrap();
        let mut ours = connector.careful_writer().unwrap();
        look(&mut ours).unwrap();
        connector.files().remember().unwrap();
        ours.batch_execute("CREATE TABLE kept (x)").unwrap();
        let watch = Watch::default();
        let mut kept = Self { ours, watch, connector, path, _directory: directory };
        kept.insert();
        kept.move_log();
        kept
    }

    fn insert(&mut self) {
        self.ours.batch_execute("INSERT INTO kept VALUES (randomblob(5000))").unwrap();
    }

    fn move_log(&mut self) {
        checkpoint(&mut self.ours, "PRAGMA wal_checkpoint(PASSIVE)").unwrap();
        self.look(Depth::New).unwrap();
    }

    fn look(&mut self, depth: Depth) -> Result<(), Refusal> {
        self.watch.look(&mut self.ours, self.connector.files(), depth)
    }

    fn file(&self, suffix: &str) -> File {
        let path = format!("{}{suffix}", self.path.display());
        OpenOptions::new().read(true).write(true).open(path).unwrap()
    }

    fn bytes(&self, suffix: &str) -> Vec<u8> {
        std::fs::read(format!("{}{suffix}", self.path.display())).unwrap()
    }

    fn frames(&self) -> u64 {
        self.watch.state().unwrap().frames
    }

    fn harm_frame(&self, number: u64) {
        let (log, at) = (self.file("-wal"), 32 + (number - 1) * 4120);
        let mut bytes = [0; 64];
        log.read_exact_at(&mut bytes, at).unwrap();
        log.write_all_at(&bytes.map(|byte| !byte), at).unwrap();
    }
}

#[test]
fn a_change_of_the_main_file_during_our_own_commit_is_found() {
    // The first commit restarts the log, the second one continues it.
    for commits in [0, 1] {
        let mut kept = Kept::new();
        for _ in 0..commits {
            kept.insert();
            kept.look(Depth::New).unwrap();
        }
        std::thread::sleep(PAUSE * 2);
        kept.file("").write_all_at(&[0; 64], 4096 + 2000).unwrap();
        kept.insert();
        assert_eq!(kept.look(Depth::New), Err(Refusal::FileOverwritten), "{commits}");
    }
}

#[test]
fn a_main_file_that_is_cut_while_the_log_is_moved_is_found() {
    let mut kept = Kept::new();
    kept.insert();
    kept.look(Depth::New).unwrap();
    checkpoint(&mut kept.ours, "PRAGMA wal_checkpoint(PASSIVE)").unwrap();
    kept.file("").set_len(4096).unwrap();
    assert_eq!(kept.look(Depth::New), Err(Refusal::FileOverwritten));
}

#[test]
fn frames_that_are_overwritten_during_our_own_commit_are_found() {
    let mut kept = Kept::new();
    for _ in 0..3 {
        kept.insert();
        kept.look(Depth::New).unwrap();
    }
    kept.look(Depth::Whole).unwrap();
    kept.watch.sweep(kept.connector.files()).unwrap();
    kept.harm_frame(2);
    kept.insert();
    // The check after the commit reads the new frames only.
    kept.look(Depth::New).unwrap();
    assert_eq!(kept.watch.sweep(kept.connector.files()), Err(Refusal::LogOverwritten));
    assert_eq!(kept.look(Depth::Whole), Err(Refusal::LogOverwritten));
}

#[test]
fn new_frames_that_are_overwritten_are_found_at_once() {
    let mut kept = Kept::new();
    kept.insert();
    kept.look(Depth::New).unwrap();
    let before = kept.frames();
    kept.insert();
    kept.harm_frame(before + 1);
    assert_eq!(kept.look(Depth::New), Err(Refusal::LogOverwritten));
}

#[test]
fn an_earlier_index_is_found() {
    let mut kept = Kept::new();
    kept.insert();
    kept.look(Depth::New).unwrap();
    let index = kept.bytes("-shm");
    kept.insert();
    kept.look(Depth::New).unwrap();
    kept.file("-shm").write_all_at(&index, 0).unwrap();
    assert_eq!(kept.look(Depth::Changed), Err(Refusal::LogOverwritten));
}

#[test]
fn an_earlier_log_with_its_index_is_found() {
    let mut kept = Kept::new();
    kept.insert();
    kept.look(Depth::New).unwrap();
    let (log, index) = (kept.bytes("-wal"), kept.bytes("-shm"));
    kept.move_log();
    kept.insert();
    kept.look(Depth::New).unwrap();
    kept.file("-wal").write_all_at(&log, 0).unwrap();
    kept.file("-shm").write_all_at(&index, 0).unwrap();
    assert_eq!(kept.look(Depth::Changed), Err(Refusal::LogOverwritten));
}

#[test]
fn a_commit_of_others_does_not_hide_an_overwritten_main_file() {
    let mut kept = Kept::new();
    let mut others = kept.connector.writer().unwrap();
    others.batch_execute("INSERT INTO kept VALUES (2)").unwrap();
    kept.look(Depth::Changed).unwrap();
    let main = kept.file("");
    let mut bytes = vec![0; 4096];
    main.read_exact_at(&mut bytes, 4096).unwrap();
    std::thread::sleep(PAUSE * 2);
    main.write_all_at(&bytes, 4096).unwrap();
    others.batch_execute("INSERT INTO kept VALUES (3)").unwrap();
    assert_eq!(kept.look(Depth::Changed), Err(Refusal::FileOverwritten));
}

#[test]
fn writes_of_others_through_sqlite_are_not_damage() {
    let mut kept = Kept::new();
    let mut others = kept.connector.writer().unwrap();
    for statements in [
        "INSERT INTO kept VALUES (1)",
        "PRAGMA wal_checkpoint(PASSIVE)",
        "INSERT INTO kept VALUES (2); PRAGMA wal_checkpoint(RESTART)",
        "INSERT INTO kept VALUES (3); PRAGMA wal_checkpoint(TRUNCATE)",
        "DELETE FROM kept; PRAGMA wal_checkpoint(TRUNCATE); VACUUM",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        others.batch_execute(statements).unwrap();
        kept.look(Depth::Changed).unwrap_or_else(|error| panic!("{statements}: {error}"));
        kept.insert();
        kept.look(Depth::New).unwrap_or_else(|error| panic!("{statements}: {error}"));
        kept.look(Depth::Whole).unwrap_or_else(|error| panic!("{statements}: {error}"));
        kept.insert();
        others.batch_execute(statements).unwrap();
        kept.look(Depth::New).unwrap_or_else(|error| panic!("{statements}: {error}"));
    }
}
