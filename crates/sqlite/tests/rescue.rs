//! What can still be saved from a database whose files were damaged while it was in use.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_ports::{StoreError, with_causes};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders;

const OVERWRITTEN: &str = "another program has overwritten or truncated";
const GONE: &str = "the database file was moved, replaced or removed";

fn try_open(path: &Path) -> Result<SqliteDatabase, String> {
    SqliteDatabase::open(path, &SqliteSettings::default()).map_err(|error| error.to_string())
}

fn open(path: &Path) -> SqliteDatabase {
    let database = try_open(path).unwrap();
    database.migrate().unwrap();
    database
}

async fn create(database: &SqliteDatabase) -> Result<(), StoreError> {
    let lead = builders::lead().build();
    database.repositories().leads.create(&lead, &builders::act(builders::at(0))).await.map(drop)
}

async fn fill(database: &SqliteDatabase, leads: u32) {
    for _ in 0..leads {
        create(database).await.unwrap();
    }
}

async fn assert_refused(database: &SqliteDatabase, sentence: &str) {
    let refused = create(database).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    let told = with_causes(&refused);
    assert!(told.contains(sentence), "{told}");
}

async fn count(path: &Path) -> u64 {
    let (all, page) = (LeadFilter::default(), PageRequest::first());
    let database = open(path);
    let count = database
        .repositories()
        .leads
        .list(&all, LeadOrder::NEWEST, page)
        .await
        .unwrap()
        .unwrap()
        .count;
    database.close();
    count
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Copies a directory, as a kill would leave it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The number of rows that would survive a kill.
async fn after_a_kill(path: &Path) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    copy(path.parent().unwrap(), directory.path());
    count(&directory.path().join(path.file_name().unwrap())).await
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    log: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    checkpointed: i64,
}

/// Waits until the log has been moved to the main file, which happens when writes pause.
fn wait_until_moved(path: &Path) {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let begun = Instant::now();
    loop {
        let row: Checkpoint =
            diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(&mut connection).unwrap();
        if row.log == row.checkpointed {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the log is not moved");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn overwrite(path: &Path, content: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(content, 0).unwrap();
    file.set_len(content.len() as u64).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_does_not_undo_what_the_main_file_holds() {
    for how in ["half", "zeros", "older", "header"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept.sqlite3");
        let database = open(&path);
        wait_until_moved(&path);
        fill(&database, 10).await;
        let log = suffixed(&path, "-wal");
        let older = fs::read(&log).unwrap();
        fill(&database, 10).await;
        wait_until_moved(&path);
        std::thread::sleep(Duration::from_millis(20));
        let mut content = fs::read(&log).unwrap();
        match how {
            "half" => content.truncate(content.len() / 2),
            "zeros" => content[32 + 10 * 4120..][..4120].fill(0),
            "older" => content = older,
            _ => content[..32].fill(0),
        }
        overwrite(&log, &content);
        assert_refused(&database, OVERWRITTEN).await;
        assert_eq!(after_a_kill(&path).await, 20, "{how}");
        assert_refused(&database, OVERWRITTEN).await;
        database.close();
        drop(database);
        assert_eq!(after_a_kill(&path).await, 20, "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_the_log_beside_an_overwritten_main_file() {
    for is_noticed in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept.sqlite3");
        let database = open(&path);
        fill(&database, 10).await;
        wait_until_moved(&path);
        let older = fs::read(&path).unwrap();
        fill(&database, 10).await;
        wait_until_moved(&path);
        std::thread::sleep(Duration::from_millis(20));
        overwrite(&path, &older);
        if is_noticed {
            assert_refused(&database, OVERWRITTEN).await;
        }
        database.close();
        drop(database);
        assert!(fs::metadata(suffixed(&path, "-wal")).unwrap().len() > 0, "{is_noticed}");
        assert_eq!(after_a_kill(&path).await, 20, "{is_noticed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_index_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kept.sqlite3");
    let database = open(&path);
    fill(&database, 10).await;
    let index = fs::read(suffixed(&path, "-shm")).unwrap();
    fill(&database, 10).await;
    let file = OpenOptions::new().write(true).open(suffixed(&path, "-shm")).unwrap();
    file.write_all_at(&index, 0).unwrap();
    assert_refused(&database, OVERWRITTEN).await;
    database.close();
    drop(database);
    assert_eq!(after_a_kill(&path).await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_main_file_beside_a_log_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let running = directory.path().join("running/kept.sqlite3");
    fs::create_dir(running.parent().unwrap()).unwrap();
    let database = open(&running);
    fill(&database, 10).await;
    for is_missing in [false, true] {
        let place = directory.path().join(format!("{is_missing}"));
        copy(running.parent().unwrap(), &place);
        let (main, log) = (place.join("kept.sqlite3"), place.join("kept.sqlite3-wal"));
        let content = fs::read(&main).unwrap();
        if is_missing {
            fs::remove_file(&main).unwrap();
        } else {
            OpenOptions::new().write(true).open(&main).unwrap().set_len(0).unwrap();
        }
        let told = try_open(&main).err().expect("it is refused");
        assert!(told.contains("is empty or missing, but") && told.contains("-wal"), "{told}");
        assert!(exit3_sqlite::foreign_source(&main).await.is_err());
        assert!(fs::metadata(&log).unwrap().len() > 0);
        assert_eq!(main.exists(), !is_missing, "no file was created");
        fs::write(&main, content).unwrap();
        assert_eq!(count(&main).await, 10);
    }
    // The running process does not open it either.
    OpenOptions::new().write(true).open(&running).unwrap().set_len(0).unwrap();
    assert!(database.schema_state().is_err());
    assert!(fs::metadata(suffixed(&running, "-wal")).unwrap().len() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leads_elsewhere_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("one")).unwrap();
    symlink("one", at("data")).unwrap();
    let given = at("data/kept.sqlite3");
    let database = open(&given);
    fill(&database, 10).await;
    copy(&at("one"), &at("two"));
    fill(&database, 10).await;
    fs::remove_file(at("data")).unwrap();
    symlink("two", at("data")).unwrap();
    assert_refused(&database, GONE).await;
    let told = try_open(&given).err().expect("it is refused");
    assert!(told.contains("a running service has found damage"), "{told}");
    assert_eq!(after_a_kill(&at("one/kept.sqlite3")).await, 20);
    fs::remove_file(at("data")).unwrap();
    symlink("one", at("data")).unwrap();
    create(&database).await.unwrap();
    assert!(!at("two/kept.sqlite3-damaged").exists());
    assert_eq!(after_a_kill(&at("one/kept.sqlite3")).await, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_rescued_from_a_removed_directory() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("data");
    fs::create_dir(&place).unwrap();
    let database = open(&place.join("kept.sqlite3"));
    fill(&database, 10).await;
    fs::remove_dir_all(&place).unwrap();
    assert_refused(&database, GONE).await;
    let names = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let is_rescued = |path: &PathBuf| path.display().to_string().contains("-rescued-");
    let rescued = names.into_iter().find(is_rescued).unwrap();
    assert_eq!(count(&rescued).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_an_old_frame_is_found_while_clients_write_and_stays_refused() {
    // A reader keeps the writer from emptying the damaged log.
    for is_read in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("busy.sqlite3");
        let database = open(&path);
        fill(&database, 20).await;
        let mut reader = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        if is_read {
            reader.batch_execute("BEGIN; SELECT count(*) FROM leads").unwrap();
        }
        let log = OpenOptions::new().write(true).open(suffixed(&path, "-wal")).unwrap();
        // The first page, behind the headers of the log and of its frame.
        log.write_all_at(&[0; 512], 32 + 24).unwrap();
        let begun = Instant::now();
        while create(&database).await.is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the damage is not found");
        }
        for _ in 0..50 {
            assert_refused(&database, OVERWRITTEN).await;
        }
    }
}
