//! An archive is read as it was written, or not at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod memory;

use std::fs;
use std::io::Cursor;
use std::path::Path;

use age::secrecy::ExposeSecret;
use exit3_archive::{
    ArchiveError, ArchiveReader, ArchiveWriter, ContractFiles, Event, Head, Keys, Lock, Progress,
    Summary, back_up, copy, restore, sums,
};
use exit3_ports::{Shape, TABLES, Value, table};
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
    }
}

fn shape(name: &str) -> Shape {
    Shape::of(table(name).unwrap(), |_| true).unwrap()
}

fn subscriber(id: i64) -> Vec<Value> {
    vec![Value::Integer(id), Value::Text(format!("{id}@example.com")), Value::Boolean(true)]
}

/// Contract files, of which one is longer than a chunk.
fn contracts(directory: &Path) -> ContractFiles {
    fs::create_dir_all(directory.join("2026/ž")).unwrap();
    fs::write(directory.join("2026/ž/a b.pdf"), [0, 255, 10]).unwrap();
    fs::write(directory.join("long.bin"), vec![7; 100_000]).unwrap();
    fs::write(directory.join("empty"), "").unwrap();
    ContractFiles::new(directory)
}

async fn archive(memory: &mut Memory, files: &ContractFiles, lock: &Lock) -> (Vec<u8>, Summary) {
    let writer = ArchiveWriter::begin(Vec::new(), lock, head()).unwrap();
    back_up(memory, files, writer, &Quiet).await.unwrap()
}

async fn small(lock: &Lock) -> Vec<u8> {
    let mut memory = Memory::default();
    memory.put("subscribers", (1..=3).map(subscriber).collect());
    archive(&mut memory, &ContractFiles::new("/nonexistent"), lock).await.0
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
async fn everything_comes_back_rows_ids_and_files() {
    let directory = tempfile::tempdir().unwrap();
    let files = contracts(&directory.path().join("from"));
    let mut from = Memory::default();
    // More than are taken at a time.
    from.put("subscribers", (1..=1_200).map(subscriber).collect());
    from.last_ids.insert("leads", 41);
    let (bytes, made) = archive(&mut from, &files, &Lock::Open).await;
    assert_eq!((made.rows(), made.files, made.file_bytes), (1_200, 3, 100_003));

    let to = Memory::default();
    let mut reader = open(&bytes, &Keys::default()).unwrap();
    assert_eq!(reader.head(), &head());
    let place = directory.path().join("to");
    let staging = ContractFiles::new(&place).stage(false);
    let load = Box::new(to.clone());
    let restored = restore(&mut reader, load, Some(staging), false, &Quiet).await.unwrap();
    assert_eq!(restored, made);
    let mut to = to.committed();
    assert_eq!(to.rows_of("subscribers"), from.rows_of("subscribers"));
    assert_eq!(to.last_ids["leads"], 41);
    assert_eq!(sums(&mut to).await.unwrap(), made.tables);
    for name in ["2026/ž/a b.pdf", "long.bin", "empty"] {
        let read = |directory: &str| fs::read(directory_of(&place, directory).join(name)).unwrap();
        assert_eq!(read("to"), read("from"), "{name}");
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 3, "nothing but the files is left");
}

fn directory_of(place: &Path, name: &str) -> std::path::PathBuf {
    place.parent().unwrap().join(name)
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
async fn only_the_key_opens_what_is_locked() {
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
        let text = format!("# a comment\n{}\n", identity.to_string().expose_secret());
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

/// The bytes of an archive whose content is these lines.
fn forged(first: &str, lines: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut bytes = first.as_bytes().to_vec();
    bytes.extend(zstd::encode_all(lines.as_bytes(), 3).unwrap());
    let hash = Sha256::digest(&bytes);
    bytes.extend(hash);
    bytes
}

const FIRST: &str = "exit3 archive 1 plain\n";

fn lines(rest: &str) -> String {
    let head = serde_json::to_string(&head()).unwrap();
    format!("{{\"head\":{head}}}\n{rest}")
}

/// The table that no archive lacks.
fn no_leads() -> String {
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    format!(
        "{{\"table\":{{\"name\":\"leads\",\"columns\":[\"id\"],\"rows\":0,\"last_id\":0}}}}\n\
         {{\"table_end\":{{\"name\":\"leads\",\"rows\":0,\"sha256\":\"{sha256}\"}}}}\n"
    )
}

fn end(tables: usize) -> String {
    format!("{{\"end\":{{\"tables\":{tables},\"files\":0}}}}\n")
}

fn read_all(bytes: &[u8]) -> Result<(), ArchiveError> {
    let mut reader = open(bytes, &Keys::default())?;
    while !matches!(reader.next_event()?, Event::End) {}
    Ok(())
}

#[test]
fn what_a_newer_program_wrote_is_left_to_it() {
    let end = &format!("{}{}", no_leads(), end(1));
    assert!(read_all(&forged(FIRST, &lines(end))).is_ok());
    let newer = |outcome| matches!(outcome, Err(ArchiveError::Newer(_)));
    assert!(newer(read_all(&forged("exit3 archive 2 plain\n", &lines(end)))));
    let table = r#"{"table":{"name":"invoices","columns":["id"],"rows":0,"last_id":0}}"#;
    assert!(newer(read_all(&forged(FIRST, &lines(&format!("{table}\n"))))));
    let table = r#"{"table":{"name":"leads","columns":["id","shoe_size"],"rows":0,"last_id":0}}"#;
    assert!(newer(read_all(&forged(FIRST, &lines(&format!("{table}\n"))))));
    assert!(matches!(read_all(b"PK\x03\x04"), Err(ArchiveError::Foreign)));
    assert!(matches!(read_all(b""), Err(ArchiveError::Foreign)));
}

#[test]
fn what_makes_no_sense_is_damaged() {
    let table = r#"{"table":{"name":"leads","columns":["id"],"rows":1,"last_id":1}}"#;
    for rest in [
        String::new(),
        "[1]\n".to_owned(),
        "{}\n".to_owned(),
        "nonsense\n".to_owned(),
        "{\"end\":{\"tables\":1,\"files\":0}}\n".to_owned(),
        format!("{table}\n{table}\n"),
        format!("{table}\n[\"1\"]\n"),
        format!("{table}\n[1,2]\n"),
        format!(
            "{table}\n[1]\n{{\"table_end\":{{\"name\":\"leads\",\"rows\":2,\"sha256\":\"\"}}}}\n"
        ),
        "{\"chunk\":\"AAAA\"}\n".to_owned(),
    ] {
        let outcome = read_all(&forged(FIRST, &lines(&rest)));
        assert!(matches!(outcome, Err(ArchiveError::Damaged(_))), "{rest}: {outcome:?}");
    }
}

#[tokio::test]
async fn no_file_is_put_outside_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    fs::create_dir(&place).unwrap();
    std::os::unix::fs::symlink(directory.path(), place.join("link")).unwrap();
    for name in ["../a", "/tmp/exit3-a", "a/../../b", "link/a", "link", "", "."] {
        let mut writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
        writer.file(name, &b"x"[..]).unwrap();
        let bytes = writer.finish().unwrap();
        let mut reader = open(&bytes, &Keys::default()).unwrap();
        let staging = ContractFiles::new(&place).stage(true);
        let to = Memory::default();
        let load = Box::new(to.clone());
        let outcome = restore(&mut reader, load, Some(staging), false, &Quiet).await;
        assert!(matches!(outcome, Err(ArchiveError::Outside(_))), "{name}: {outcome:?}");
        assert!(!to.was_committed());
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_link_is_left_out_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let files = contracts(directory.path());
    std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link")).unwrap();
    let (_, made) = archive(&mut Memory::default(), &files, &Lock::Open).await;
    assert_eq!((made.files, made.left_out), (3, vec!["link".to_owned()]));
}

#[tokio::test]
async fn another_file_of_the_same_name_gives_way_only_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let files = contracts(&directory.path().join("from"));
    let (bytes, _) = archive(&mut Memory::default(), &files, &Lock::Open).await;
    let place = directory.path().join("to");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("long.bin"), "mine").unwrap();
    for (replace, expected) in [(false, 4), (true, 100_000)] {
        let mut reader = open(&bytes, &Keys::default()).unwrap();
        let staging = ContractFiles::new(&place).stage(replace);
        let load = Box::new(Memory::default());
        let outcome = restore(&mut reader, load, Some(staging), false, &Quiet).await;
        assert_eq!(outcome.is_ok(), replace);
        assert_eq!(fs::metadata(place.join("long.bin")).unwrap().len(), expected);
    }
}

#[tokio::test]
async fn a_database_with_rows_is_left_alone() {
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
async fn what_reads_otherwise_than_it_was_written_is_not_kept() {
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

#[test]
fn a_shape_knows_all_tables() {
    assert!(TABLES.iter().all(|table| shape(table.name).columns.len() == table.columns.len()));
}

/// The names of all there is below a directory.
fn below(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        names.extend(below(&entry.path()));
    }
    names
}

fn with_files(names: &[&str]) -> Vec<u8> {
    let mut writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
    writer.table(&shape("leads"), 0, 0).unwrap().finish().unwrap();
    for name in names {
        writer.file(name, &b"x"[..]).unwrap();
    }
    writer.finish().unwrap()
}

#[tokio::test]
async fn a_file_waits_where_it_belongs_so_that_no_other_disk_is_in_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    fs::create_dir_all(place.join("mounted")).unwrap();
    let files = ContractFiles::new(&place);
    let mut staging = files.stage(false);
    for name in ["mounted/a", "new/deep/b"] {
        staging.begin(name.to_owned()).unwrap();
        staging.add(b"x").unwrap();
        staging.end("").unwrap();
    }
    let waiting = below(&place.join("mounted"));
    assert!(matches!(&waiting[..], [name] if name.starts_with(".restore-")), "{waiting:?}");
    // A backup meanwhile has nothing of that.
    assert_eq!(archive(&mut Memory::default(), &files, &Lock::Open).await.1.files, 0);
    drop(staging);
    assert_eq!(below(&place), ["mounted"], "what is dropped leaves nothing");
}

#[tokio::test]
async fn what_cannot_be_placed_is_found_before_the_rows_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("file"), "mine").unwrap();
    for (names, wrong) in [(&["a", "file/b"][..], "file/b"), (&["a", "a/b"], "a")] {
        let mut reader = open(&with_files(names), &Keys::default()).unwrap();
        let (to, staging) = (Memory::default(), ContractFiles::new(&place).stage(true));
        let load = Box::new(to.clone());
        let error = restore(&mut reader, load, Some(staging), false, &Quiet).await.unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
        assert!(!to.was_committed());
        assert_eq!(below(&place), ["file"]);
    }
}

#[test]
fn what_gets_no_name_keeps_no_other_from_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut staging = ContractFiles::new(directory.path()).stage(false);
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

#[tokio::test]
async fn long_rows_go_few_at_a_time_and_short_ones_many() {
    for (length, most_rows, most_bytes) in [(10, 50, 500), (300_000, 4, 1_200_000)] {
        let long = |id| vec![Value::Integer(id), Value::Text("a".repeat(length)), Value::Null];
        let mut from = Memory::default();
        from.put("subscribers", (1..=120).map(long).collect());
        let (bytes, _) = archive(&mut from, &ContractFiles::new("none"), &Lock::Open).await;
        assert_eq!(from.most.0, if length == 10 { 50 } else { 3 });
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

#[test]
fn a_line_has_an_end() {
    let mut writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
    writer.table(&shape("leads"), 0, 0).unwrap().finish().unwrap();
    let mut table = writer.table(&shape("subscribers"), 1, 7).unwrap();
    // With what is around the text, 32 MiB and no more.
    let row = |id, length| {
        vec![Value::Integer(id), Value::Text("a".repeat(length)), Value::Boolean(true)]
    };
    let longest = (32 << 20) - "[7,\"\",true]\n".len();
    table.row(&row(7, longest)).unwrap();
    let error = table.row(&row(8, longest + 1)).unwrap_err().to_string();
    assert!(error.contains("row 8 of table subscribers"), "{error}");
    let sum = table.finish().unwrap();
    assert_eq!(sum.rows, 1);
    let bytes = writer.finish().unwrap();
    read_all(&bytes).unwrap();
    let table = r#"{"table":{"name":"leads","columns":["id"],"rows":1,"last_id":1}}"#;
    let lines = lines(&format!("{table}\n[{}", " ".repeat(33 << 20)));
    let error = read_all(&forged(FIRST, &lines)).unwrap_err().to_string();
    assert!(error.contains("longer than any"), "{error}");
}

#[tokio::test]
async fn contract_files_that_are_not_there_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    let back_up = async |files: ContractFiles| {
        let mut memory = Memory::default();
        let columns = shape("clients").columns;
        let client = |id, file: Value| -> Vec<Value> {
            let values = columns.iter().map(|column| match column.name {
                "id" => Value::Integer(id),
                "contract_file" => file.clone(),
                _ => Value::Null,
            });
            values.collect()
        };
        let texts = ["a.pdf", "gone.pdf", "../a", "", "sub"];
        let mut rows: Vec<_> =
            (1..).zip(texts).map(|(id, name)| client(id, Value::Text(name.to_owned()))).collect();
        rows.push(client(6, Value::Null));
        memory.put("clients", rows);
        let writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
        exit3_archive::back_up(&mut memory, &files, writer, &Quiet).await.map(|made| made.1)
    };
    let error = back_up(ContractFiles::required(&place)).await.unwrap_err().to_string();
    assert!(error.contains("CONTRACT_DIR"), "{error}");
    assert_eq!(back_up(ContractFiles::new(&place)).await.unwrap().without_file, 4);
    fs::create_dir_all(place.join("sub")).unwrap();
    fs::write(place.join("a.pdf"), "a").unwrap();
    fs::write(directory.path().join("a"), "a").unwrap();
    let made = back_up(ContractFiles::required(&place)).await.unwrap();
    assert_eq!((made.files, made.without_file, made.first_without_file), (1, 3, vec![2, 3, 5]));
    let error = back_up(ContractFiles::new(place.join("a.pdf"))).await.unwrap_err().to_string();
    assert!(error.contains("a.pdf"), "{error}");
}

#[test]
fn what_no_backup_is_like_is_damaged() {
    assert!(read_all(&forged(FIRST, &lines(&(no_leads() + &end(1))))).is_ok());
    let table = |rows: u64, last_id: i64, ids: &[i64]| {
        let mut writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
        let mut table = writer.table(&shape("leads"), rows, last_id).unwrap();
        for id in ids {
            let mut row = vec![Value::Null; shape("leads").columns.len()];
            row[0] = Value::Integer(*id);
            table.row(&row).unwrap();
        }
        table.finish().unwrap();
        read_all(&writer.finish().unwrap())
    };
    assert!(table(3, 9, &[-1, 1, 9]).is_ok());
    assert!(table(0, 1 << 62, &[]).is_ok());
    for (what, outcome) in [
        ("after the end", read_all(&forged(FIRST, &lines(&(no_leads() + &end(1) + "[]\n"))))),
        ("no table", read_all(&forged(FIRST, &lines(&end(0))))),
        ("a table twice", read_all(&forged(FIRST, &lines(&(no_leads() + &no_leads() + &end(2)))))),
        ("a file that waits", read_all(&with_files(&["a/.restore-x"]))),
        ("other rows than announced", table(1_000_000_000_000_000_000, 9, &[1, 9])),
        ("no ids left", table(0, i64::MAX, &[])),
        ("a negative highest id", table(0, -1, &[])),
        ("ids in no order", table(2, 9, &[2, 1])),
        ("an id above the highest", table(1, 9, &[10])),
        ("an id twice", table(2, 9, &[1, 1])),
        ("no schema", {
            let lines = lines(&(no_leads() + &end(1)));
            read_all(&forged(FIRST, &lines.replace("00000000000006", "")))
        }),
    ] {
        assert!(matches!(outcome, Err(ArchiveError::Damaged(_))), "{what}: {outcome:?}");
    }
}
