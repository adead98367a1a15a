//! Archives that this program did not write.

use std::io::Write;

use super::files::with_files;
use super::*;

/// An archive with these lines as its content.
fn forged(first: &str, lines: &str) -> Vec<u8> {
    sealed(first, &zstd::encode_all(lines.as_bytes(), 3).unwrap())
}

/// An archive with these bytes as its content.
fn sealed(first: &str, content: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut bytes = first.as_bytes().to_vec();
    bytes.extend(content);
    let hash = Sha256::digest(&bytes);
    bytes.extend(hash);
    bytes
}

const FIRST: &str = "exit3 archive 1 plain\n";

fn lines(rest: &str) -> String {
    let head = serde_json::to_string(&head()).unwrap();
    format!("{{\"head\":{head}}}\n{rest}")
}

/// The first table, which every archive has.
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
fn archives_of_newer_versions_are_refused() {
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
fn archives_that_need_much_memory_are_refused() {
    let content = lines(&format!("{}{}", no_leads(), end(1)));
    let mut keys = Keys::default();
    keys.add_passphrase("correct horse".to_owned().into());
    for (work, opens) in [(15, true), (16, false)] {
        let mut recipient = age::scrypt::Recipient::new("correct horse".to_owned().into());
        recipient.set_work_factor(work);
        let content = zstd::encode_all(content.as_bytes(), 3).unwrap();
        let bytes = sealed("exit3 archive 1 age\n", &age::encrypt(&recipient, &content).unwrap());
        let error = ArchiveReader::open(Cursor::new(bytes), &keys).err().map(|it| it.to_string());
        assert_eq!(error.is_none(), opens, "{error:?}");
        assert!(error.is_none_or(|error| error.contains("memory")));
    }
    for (window, opens) in [(21, true), (22, false)] {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(window).unwrap();
        encoder.write_all(content.as_bytes()).unwrap();
        let error = read_all(&sealed(FIRST, &encoder.finish().unwrap())).err();
        assert_eq!(error.is_none(), opens, "{error:?}");
        assert!(error.is_none_or(|error| error.to_string().contains("memory")));
    }
    // A row is parsed only as far as there are columns.
    let table = r#"{"table":{"name":"leads","columns":["id"],"rows":1,"last_id":1}}"#;
    for (row, at) in [("1,1,1]", 4), ("1,1,nonsense", 4), ("[[[[1]]]]]", 2), ("{\"a\":1}]", 2)] {
        let error = read_all(&forged(FIRST, &lines(&format!("{table}\n[{row}\n")))).unwrap_err();
        assert!(error.to_string().ends_with(&format!("at its byte {at}")), "{row}: {error}");
    }
    // Lines that are not rows are short.
    let names = "\"\",".repeat(1 << 19);
    let wide = format!("{{\"table\":{{\"columns\":[{names}\"\"]}}}}\n");
    let head = lines("").replace("[\"DATABASE_URL\"]", &format!("[{names}\"\"]"));
    for content in [lines(&wide), head] {
        let error = read_all(&forged(FIRST, &content)).unwrap_err().to_string();
        assert!(error.contains("longer than the format"), "{error}");
    }
}

#[test]
fn the_header_of_an_encrypted_archive_is_limited() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let identity = age::x25519::Identity::generate();
    fs::write(&path, identity.to_string().expose_secret()).unwrap();
    let mut keys = Keys::default();
    keys.add_file(&path).unwrap();
    let most = format!("{} ", identity.to_public()).repeat(100);
    let lock = Lock::recipients(&most).unwrap();
    let bytes = ArchiveWriter::begin(Vec::new(), &lock, head()).unwrap().finish().unwrap();
    assert!(open(&bytes, &keys).is_ok());
    assert!(Lock::recipients(&format!("{most} {}", identity.to_public())).is_err());
    // A header without a proper end is not read on to its end.
    let (letters, mac) = ("a".repeat(160_000), "a".repeat(43));
    for header in [
        format!("-> X25519 {letters}\n\n--- {mac}\n"),
        format!("{}--- {mac}\n", "-> a\n\n".repeat(30_000)),
        format!("-> a\n\n--- {letters}\n"),
        format!("-> a\n\n--- \n{letters}\n"),
        String::new(),
    ] {
        let content = format!("age-encryption.org/v1\n{header}");
        let bytes = sealed("exit3 archive 1 age\n", content.as_bytes());
        let error = open(&bytes, &keys).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains("has no header")), "{error:?}");
    }
}

#[test]
fn contradictory_archives_are_damaged() {
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

#[test]
fn the_length_of_a_line_is_limited() {
    let mut writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
    writer.table(&shape("leads"), 0, 0).unwrap().finish().unwrap();
    let mut table = writer.table(&shape("subscribers"), 1, 7).unwrap();
    // Exactly 32 MiB, including what surrounds the text.
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
    assert!(error.contains("longer than the format"), "{error}");
}

#[test]
fn archives_that_no_backup_writes_are_damaged() {
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
        ("a file that waits", read_all(&with_files(&["a/.restore-a1B2c3.partial"]))),
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
