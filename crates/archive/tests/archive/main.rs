//! An archive is read exactly as it was written, or refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod files;
mod forged;
#[path = "../memory/mod.rs"]
mod memory;
mod modules;

use std::fs;
use std::io::Cursor;
use std::path::Path;

use age::secrecy::ExposeSecret;
use exit3_archive::{
    ArchiveError, ArchiveReader, ArchiveWriter, Event, Head, Keys, Lock, Progress, Summary,
    back_up, copy, restore, sums,
};
use exit3_files::ContractDirectory;
use exit3_ports::{ContractError, ContractStore, Shape, TABLES, Value, table};
use files::directory_of;
use memory::Memory;

struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
}

fn head() -> Head {
    Head {
        program: "0.1.0".to_owned(),
        schema: "00000000000006".to_owned(),
        made_at: "2026-11-25T04:02:30Z".parse().unwrap(),
        settings: vec!["DATABASE_URL".to_owned()],
        modules: Vec::new(),
    }
}

fn shape(name: &str) -> Shape {
    Shape::of(table(name).unwrap(), |_| true).unwrap()
}

fn subscriber(id: i64) -> Vec<Value> {
    vec![Value::Integer(id), Value::Text(format!("{id}@example.com")), Value::Boolean(true)]
}

/// Contract files, one of them longer than a chunk.
fn contracts(directory: &Path) -> ContractDirectory {
    fs::create_dir_all(directory.join("2026/ž")).unwrap();
    fs::write(directory.join("2026/ž/a b.pdf"), [0, 255, 10]).unwrap();
    fs::write(directory.join("long.bin"), vec![7; 100_000]).unwrap();
    fs::write(directory.join("empty"), "").unwrap();
    ContractDirectory::new(directory)
}

async fn archive(
    memory: &mut Memory,
    files: &ContractDirectory,
    lock: &Lock,
) -> (Vec<u8>, Summary) {
    let writer = ArchiveWriter::begin(Vec::new(), lock, head()).unwrap();
    back_up(memory, files, writer, &Quiet).await.unwrap()
}

async fn small(lock: &Lock) -> Vec<u8> {
    let mut memory = Memory::default();
    memory.put("subscribers", (1..=3).map(subscriber).collect());
    archive(&mut memory, &ContractDirectory::new("/nonexistent"), lock).await.0
}

fn open(bytes: &[u8], keys: &Keys) -> Result<ArchiveReader<Cursor<Vec<u8>>>, ArchiveError> {
    ArchiveReader::open(Cursor::new(bytes.to_vec()), keys)
}

fn passphrase(text: &str) -> (Lock, Keys) {
    let mut keys = Keys::default();
    keys.add_passphrase(text.to_owned().into());
    (Lock::Passphrase(text.to_owned().into()), keys)
}

#[tokio::test]
async fn rows_ids_and_files_are_restored() {
    let directory = tempfile::tempdir().unwrap();
    let files = contracts(&directory.path().join("from"));
    let mut from = Memory::default();
    // More rows than one batch.
    from.put("subscribers", (1..=1_200).map(subscriber).collect());
    from.last_ids.insert("leads", 41);
    let (bytes, made) = archive(&mut from, &files, &Lock::Open).await;
    assert_eq!((made.rows(), made.files, made.file_bytes), (1_200, 3, 100_003));

    let to = Memory::default();
    let mut reader = open(&bytes, &Keys::default()).unwrap();
    assert_eq!(reader.head(), &head());
    let place = directory.path().join("to");
    let staging = ContractDirectory::new(&place).stage(false);
    let load = Box::new(to.clone());
    let restored = restore(&mut reader, load, Some(staging), false, &Quiet).await.unwrap();
    assert_eq!(restored, made);
    let mut to = to.committed();
    assert!(to.has_passed_events, "consumers must not read the restored events");
    assert_eq!(to.rows_of("subscribers"), from.rows_of("subscribers"));
    assert_eq!(to.last_ids["leads"], 41);
    assert_eq!(sums(&mut to).await.unwrap(), made.tables);
    for name in ["2026/ž/a b.pdf", "long.bin", "empty"] {
        let read = |directory: &str| fs::read(directory_of(&place, directory).join(name)).unwrap();
        assert_eq!(read("to"), read("from"), "{name}");
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 3, "only the files remain");
}

#[tokio::test]
async fn every_flipped_missing_or_added_byte_is_found() {
    let (lock, keys) = passphrase("correct horse");
    for (lock, keys) in [(Lock::Open, Keys::default()), (lock, keys)] {
        let whole = small(&lock).await;
        assert!(open(&whole, &keys).is_ok());
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert!(open(&bytes, &keys).is_err(), "byte {at}, bit {bit}");
            }
            let mut bytes = whole.clone();
            bytes.remove(at);
            assert!(open(&bytes, &keys).is_err(), "without byte {at}");
            assert!(open(&whole[..at], &keys).is_err(), "only {at} bytes");
        }
        for at in 0..=whole.len() {
            let mut bytes = whole.clone();
            bytes.insert(at, 0);
            assert!(open(&bytes, &keys).is_err(), "one more before byte {at}");
        }
    }
}

#[tokio::test]
async fn only_the_key_opens_an_encrypted_archive() {
    let (lock, keys) = passphrase("correct horse");
    let bytes = small(&lock).await;
    assert!(!bytes.windows(7).any(|part| part == b"example"));
    assert!(open(&bytes, &keys).is_ok());
    let wrong = open(&bytes, &passphrase("wrong horse").1);
    assert!(matches!(wrong, Err(ArchiveError::WrongKey)));
    assert!(matches!(open(&bytes, &Keys::default()), Err(ArchiveError::Locked)));

    let directory = tempfile::tempdir().unwrap();
    let (ours, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let held = |identity: &age::x25519::Identity| {
        let path = directory.path().join("key");
        // As an editor on Windows saves it.
        let text = identity.to_string();
        let text = format!("\u{feff}# a comment\r\n {}\t\r\n", text.expose_secret());
        fs::write(&path, text).unwrap();
        let mut keys = Keys::default();
        keys.add_file(&path).unwrap();
        keys
    };
    let lock = Lock::recipients(&format!("{}, {}", other.to_public(), ours.to_public())).unwrap();
    let bytes = small(&lock).await;
    assert!(open(&bytes, &held(&ours)).is_ok());
    assert!(open(&bytes, &held(&other)).is_ok());
    let wrong = open(&bytes, &held(&age::x25519::Identity::generate()));
    assert!(matches!(wrong, Err(ArchiveError::WrongKey)));
    assert!(Lock::recipients("age1nonsense").is_err() && Lock::recipients("").is_err());
}

#[tokio::test]
async fn a_database_with_rows_is_not_changed() {
    let bytes = small(&Lock::Open).await;
    let mut to = Memory::default();
    to.put("leads", vec![vec![Value::Integer(1)]]);
    let mut reader = open(&bytes, &Keys::default()).unwrap();
    let outcome = restore(&mut reader, Box::new(to.clone()), None, false, &Quiet).await;
    assert!(matches!(outcome, Err(ArchiveError::NotEmpty("leads"))));
    let outcome = copy(&mut Memory::default(), Box::new(to.clone()), &Quiet).await;
    assert!(matches!(outcome, Err(ArchiveError::NotEmpty("leads"))));
    let mut reader = open(&bytes, &Keys::default()).unwrap();
    restore(&mut reader, Box::new(to.clone()), None, true, &Quiet).await.unwrap();
    assert!(to.committed().rows_of("leads").is_empty());
}

#[tokio::test]
async fn rows_that_read_back_differently_are_rolled_back() {
    let bytes = small(&Lock::Open).await;
    let mut to = Memory::default();
    to.forgets_a_row = true;
    let mut reader = open(&bytes, &Keys::default()).unwrap();
    let outcome = restore(&mut reader, Box::new(to.clone()), None, false, &Quiet).await;
    assert!(matches!(outcome, Err(ArchiveError::Differs("subscribers"))));
    let mut from = Memory::default();
    from.put("subscribers", (1..=3).map(subscriber).collect());
    let outcome = copy(&mut from, Box::new(to.clone()), &Quiet).await;
    assert!(matches!(outcome, Err(ArchiveError::Differs("subscribers"))));
    assert!(!to.was_committed());
}

#[tokio::test]
async fn rows_are_not_kept_if_the_database_is_damaged_meanwhile() {
    let mut from = Memory::default();
    from.put("subscribers", (1..=3).map(subscriber).collect());
    from.is_damaged_meanwhile = true;
    let to = Memory::default();
    let outcome = copy(&mut from, Box::new(to.clone()), &Quiet).await;
    assert!(matches!(outcome, Err(ArchiveError::Store(_))));
    assert!(!to.was_committed());
    let directory = tempfile::tempdir().unwrap();
    let writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
    let outcome = back_up(&mut from, &contracts(directory.path()), writer, &Quiet).await;
    assert!(matches!(outcome, Err(ArchiveError::Store(_))));
}

#[test]
fn every_table_has_a_shape() {
    assert!(TABLES.iter().all(|table| shape(table.name).columns.len() == table.columns.len()));
}

#[tokio::test]
async fn batches_are_small_for_long_rows() {
    // Only short rows; only long ones; short ones first and long ones later.
    for (short, length, most_rows, most_bytes) in
        [(120, 0, 50, 500), (0, 300_000, 4, 1_200_000), (70, 2_000_000, 50, 2_000_490)]
    {
        let row = |id| {
            let text = "a".repeat(if id <= short { 10 } else { length });
            vec![Value::Integer(id), Value::Text(text), Value::Null]
        };
        let mut from = Memory::default();
        from.put("subscribers", (1..=120).map(row).collect());
        let (bytes, _) = archive(&mut from, &ContractDirectory::new("none"), &Lock::Open).await;
        assert_eq!(from.most.0, most_rows);
        assert!(from.most.1 <= most_bytes, "{:?}", from.most);
        let to = Memory::default();
        let mut reader = open(&bytes, &Keys::default()).unwrap();
        restore(&mut reader, Box::new(to.clone()), None, false, &Quiet).await.unwrap();
        let most = to.committed().most;
        assert_eq!(most.0, most_rows);
        assert!(most.1 <= most_bytes, "{most:?}");
        assert_eq!(to.committed().rows_of("subscribers"), from.rows_of("subscribers"));
    }
}
