//! A database whose files are moved, removed, replaced, truncated or overwritten while it is in
//! use.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_ports::{StoreError, Transfer, with_causes};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders;

/// No test writes more than this before a check.
const LEADS: i64 = 20;

struct Kept {
    database: SqliteDatabase,
    directory: tempfile::TempDir,
}

impl Kept {
    async fn new() -> Self {
        let kept = Self::empty();
        kept.fill().await;
        kept
    }

    fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = open(&directory.path().join("kept.sqlite3"));
        database.migrate().unwrap();
        Self { database, directory }
    }

    async fn fill(&self) {
        for n in 0..LEADS {
            self.create(n).await.unwrap();
        }
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.directory.path().join(format!("kept.sqlite3{suffix}"))
    }

    async fn create(&self, n: i64) -> Result<(), StoreError> {
        let lead = builders::lead().build();
        let act = builders::act(builders::at(n));
        self.database.repositories().leads.create(&lead, &act).await.map(drop)
    }

    /// Asserts that a write fails with `sentence`, and that health checks and backups fail too.
    async fn assert_refuses(&self, sentence: &str) {
        let refused = self.create(LEADS).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        let told = with_causes(&refused);
        assert!(told.contains(sentence), "{told}");
        let health = self.database.repositories().health;
        assert!(matches!(health.ping().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(health.schema_is_current().await, Err(StoreError::Unavailable(_))));
        let snapshot = self.database.transfer().snapshot().await.err().expect("no backup");
        assert!(matches!(snapshot, StoreError::Unavailable(_)), "{snapshot:?}");
    }

    /// The number of rows that would survive a kill, counted in a copy of the files.
    async fn after_a_kill(&self) -> u64 {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(self.directory.path()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
        count(&copy.path().join("kept.sqlite3")).await
    }

    /// Waits until the log has been moved to the main file, which happens when writes pause.
    fn wait_until_moved(&self) {
        let mut connection = raw(&self.path(""));
        let begun = Instant::now();
        while !is_moved(&mut connection) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the log is not moved");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    log: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    checkpointed: i64,
}

fn is_moved(connection: &mut SqliteConnection) -> bool {
    let row: Checkpoint =
        diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(connection).unwrap();
    row.log == row.checkpointed
}

fn open(path: &Path) -> SqliteDatabase {
    SqliteDatabase::open(path, &SqliteSettings::default()).unwrap()
}

async fn count(path: &Path) -> u64 {
    let (all, page) = (LeadFilter::default(), PageRequest::first());
    let leads = open(path).repositories().leads;
    leads.list(&all, LeadOrder::NEWEST, page).await.unwrap().unwrap().count
}

/// Counts the rows in the main file alone.
async fn count_copy(path: &Path) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.sqlite3");
    fs::copy(path, &copy).unwrap();
    count(&copy).await
}

/// A connection that bypasses the adapter.
fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

/// Another program in a separate process.
fn sqlite3(path: &Path, statements: &str) -> String {
    let output = Command::new("sqlite3").arg(path).arg(statements).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

const BESIDE: &str = "the files beside the database";
const OVERWRITTEN: &str = "another program has overwritten or truncated";

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_are_saved_when_the_files_beside_are_removed() {
    for gone in [&["-wal", "-shm"][..], &["-wal"], &["-shm"]] {
        let kept = Kept::new().await;
        for suffix in gone {
            fs::remove_file(kept.path(suffix)).unwrap();
        }
        kept.assert_refuses(BESIDE).await;
        assert_eq!(kept.after_a_kill().await, LEADS.unsigned_abs(), "{gone:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_files_beside_are_noticed() {
    for replaced in ["-wal", "-shm"] {
        let kept = Kept::new().await;
        let copy = kept.path(".copy");
        fs::copy(kept.path(replaced), &copy).unwrap();
        fs::rename(&copy, kept.path(replaced)).unwrap();
        kept.assert_refuses(BESIDE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_restored_are_used_again() {
    for suffix in ["-wal", "-shm", ""] {
        let kept = Kept::new().await;
        fs::rename(kept.path(suffix), kept.path(".away")).unwrap();
        assert!(kept.create(0).await.is_err(), "{suffix}");
        fs::rename(kept.path(".away"), kept.path(suffix)).unwrap();
        kept.create(0).await.unwrap();
        assert!(kept.database.repositories().health.schema_is_current().await.unwrap());
        assert_eq!(kept.after_a_kill().await, LEADS.unsigned_abs() + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_log_accepts_no_writes() {
    for length in [0, 16, 32, 5000, 40_000] {
        let kept = Kept::new().await;
        let log = OpenOptions::new().write(true).open(kept.path("-wal")).unwrap();
        log.set_len(length).unwrap();
        kept.assert_refuses(OVERWRITTEN).await;
        // Later writes beyond its end do not repair it.
        kept.assert_refuses(OVERWRITTEN).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_of_a_truncated_log_are_rescued_to_a_copy() {
    let kept = Kept::empty();
    kept.wait_until_moved();
    kept.fill().await;
    let log = OpenOptions::new().write(true).open(kept.path("-wal")).unwrap();
    log.set_len(0).unwrap();
    kept.assert_refuses(OVERWRITTEN).await;
    let names = fs::read_dir(kept.directory.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().path());
    let rescued = names.into_iter().find(|path| path.display().to_string().contains("-rescued-"));
    // Unless it had been moved to the main file in time.
    let place = rescued.clone().unwrap_or_else(|| kept.path(""));
    if let Some(rescued) = &rescued {
        assert_eq!(fs::metadata(rescued).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(count(&place).await, LEADS.unsigned_abs());
    } else {
        assert_eq!(kept.after_a_kill().await, LEADS.unsigned_abs());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn little_is_lost_with_the_log_while_nobody_writes() {
    let kept = Kept::new().await;
    kept.wait_until_moved();
    OpenOptions::new().write(true).open(kept.path("-wal")).unwrap().set_len(0).unwrap();
    kept.assert_refuses(OVERWRITTEN).await;
    assert_eq!(kept.after_a_kill().await, LEADS.unsigned_abs());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overwritten_log_accepts_no_writes() {
    for at in [20, 40, 9000] {
        let kept = Kept::empty();
        // This reader keeps the log from being moved, so that the damage can be undone.
        let mut reader = raw(&kept.path(""));
        reader.batch_execute("BEGIN; SELECT * FROM leads").unwrap();
        kept.fill().await;
        // File times have a limited resolution.
        std::thread::sleep(Duration::from_millis(20));
        let log = OpenOptions::new().read(true).write(true).open(kept.path("-wal")).unwrap();
        let mut bytes = [0; 8];
        log.read_exact_at(&mut bytes, at).unwrap();
        log.write_all_at(&bytes.map(|byte| !byte), at).unwrap();
        let refused = kept.create(0).await.expect_err(&at.to_string());
        assert!(with_causes(&refused).contains(OVERWRITTEN), "{at}: {refused:?}");
        log.write_all_at(&bytes, at).unwrap();
        kept.create(0).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overwritten_or_truncated_main_file_accepts_no_writes() {
    for how in ["older", "shorter", "longer"] {
        let kept = Kept::new().await;
        kept.wait_until_moved();
        let main = kept.path("");
        let content = fs::read(&main).unwrap();
        kept.create(0).await.unwrap();
        kept.wait_until_moved();
        // The identity of the file does not change.
        match how {
            "older" => fs::write(&main, content).unwrap(),
            "shorter" => {
                let file = OpenOptions::new().write(true).open(&main).unwrap();
                file.set_len(4096).unwrap();
            }
            _ => {
                let file = OpenOptions::new().write(true).open(&main).unwrap();
                file.set_len(10 << 20).unwrap();
            }
        }
        let refused = kept.create(0).await.unwrap_err();
        assert!(with_causes(&refused).contains(OVERWRITTEN), "{how}: {refused:?}");
        assert!(kept.database.repositories().health.ping().await.is_err());
        if how == "older" {
            // Writes of another process do not repair it.
            let mut other = SqliteConnection::establish(main.to_str().unwrap()).unwrap();
            other.batch_execute("PRAGMA user_version = 0").unwrap();
            for _ in 0..3 {
                std::thread::sleep(Duration::from_millis(300));
                let refused = kept.create(0).await.unwrap_err();
                assert!(with_causes(&refused).contains(OVERWRITTEN), "{refused:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_are_kept_when_the_main_file_is_removed() {
    let kept = Kept::new().await;
    // An earlier process with the same id has left a copy.
    let earlier = kept.path(&format!("-rescued-{}", std::process::id()));
    fs::write(&earlier, "another copy").unwrap();
    fs::remove_file(kept.path("")).unwrap();
    kept.assert_refuses("the database file was moved, replaced or removed").await;
    assert_eq!(fs::read_to_string(&earlier).unwrap(), "another copy");
    let names = fs::read_dir(kept.directory.path()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().path()).filter(|path| *path != earlier);
    let rescued = names.find(|path| path.display().to_string().contains("-rescued-")).unwrap();
    assert_eq!(count(&rescued).await, LEADS.unsigned_abs());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_emptied_when_the_main_file_is_replaced() {
    let kept = Kept::new().await;
    let (away, other) = (kept.path(".away"), kept.path(".other"));
    open(&other).migrate().unwrap();
    fs::rename(kept.path(""), &away).unwrap();
    fs::rename(&other, kept.path("")).unwrap();
    kept.assert_refuses("the database file was moved, replaced or removed").await;
    assert_eq!(count_copy(&away).await, LEADS.unsigned_abs());
    // Its contents do not mix with the new file.
    assert_eq!(fs::metadata(kept.path("-wal")).unwrap().len(), 0);
    assert_eq!(kept.after_a_kill().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_directory_has_all_acknowledged_writes() {
    let kept = Kept::new().await;
    let away = kept.directory.path().with_extension("away");
    fs::rename(kept.directory.path(), &away).unwrap();
    kept.assert_refuses("the database file was moved, replaced or removed").await;
    assert_eq!(count_copy(&away.join("kept.sqlite3")).await, LEADS.unsigned_abs());
    fs::rename(&away, kept.directory.path()).unwrap();
    kept.create(0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_programs_may_use_the_database_through_sqlite() {
    let kept = Kept::new().await;
    let main = kept.path("");
    let mut stored = LEADS;
    for statements in [
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA journal_mode = DELETE",
        "VACUUM",
        "PRAGMA wal_checkpoint(RESTART)",
        "INSERT INTO leads (full_name, position, source, status, category, created_at, updated_at,
             search_document) VALUES ('Ana', 'CTO', 'other', 'new', 'web_dev', 1, 1, '');
         PRAGMA wal_checkpoint(TRUNCATE);
         DELETE FROM leads WHERE id = 1;
         PRAGMA wal_checkpoint(TRUNCATE)",
        "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1); DROP TABLE theirs",
        ".backup copy",
        "PRAGMA integrity_check",
    ] {
        let told = sqlite3(&main, statements);
        kept.create(0).await.unwrap_or_else(|error| panic!("{statements}: {error:?} {told}"));
        stored += 1;
        let health = kept.database.repositories().health;
        assert!(health.schema_is_current().await.unwrap(), "{statements}");
        kept.database.transfer().snapshot().await.unwrap();
    }
    assert_eq!(kept.after_a_kill().await, stored.unsigned_abs());
    let _ = fs::remove_file("copy");
}

/// Another program that has the database open.
struct Other(std::process::Child);

impl Other {
    fn new(path: &Path) -> Self {
        let mut command = Command::new("sqlite3");
        command.arg(path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut other = Self(command.spawn().unwrap());
        other.say("SELECT 'open';");
        other
    }

    fn say(&mut self, statements: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{statements}").unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_files_were_removed_under_another_program_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = |suffix: &str| directory.path().join(format!("kept.sqlite3{suffix}"));
    let database = open(&path(""));
    database.migrate().unwrap();
    database.close();
    drop(database);
    let mut other = Other::new(&path(""));
    other.say("SELECT count(*) FROM leads; CREATE TABLE theirs (x);");
    let begun = Instant::now();
    while fs::metadata(path("-wal")).map_or(0, |log| log.len()) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    // Both processes see the same files.
    open(&path("")).close();
    for gone in ["-shm", "-wal"] {
        fs::remove_file(path(gone)).unwrap();
        let refused = SqliteDatabase::open(&path(""), &SqliteSettings::default()).err();
        let told = refused.expect("it is refused").to_string();
        assert!(told.contains("another process has") && told.contains("restart"), "{told}");
    }
    assert!(!path("-wal").exists(), "no file was created");
    drop(other);
    open(&path(""));
}
