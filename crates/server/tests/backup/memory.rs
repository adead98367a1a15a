//! The memory that backups take, for many and for long rows.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use exit3_archive::{ArchiveWriter, Head, Lock};
use exit3_ports::{Shape, Value, table};

use super::*;

/// In KiB. 64 MiB are promised, of which 24 are for the program's own pages: a release needs 14,
/// and the test build more.
const MOST: u64 = 40 << 10;
/// With a passphrase, which takes 32 MiB before the first row is read. They are freed before rows
/// are read.
const MOST_WITH_PASSPHRASE: u64 = 47 << 10;

/// Copies an archive with the longest and with short notes, as leads may have them, and finally
/// with notes of 1 MiB, as imported leads may have them.
fn with_long_notes(archive: &Path, lock: &Lock) -> Vec<u8> {
    let mut from = ArchiveReader::open(File::open(archive).unwrap(), &Keys::default()).unwrap();
    let mut to = ArchiveWriter::begin(Vec::new(), lock, from.head().clone()).unwrap();
    loop {
        match from.next_event().unwrap() {
            Event::Table { shape, rows, last_id } => {
                let notes = shape.columns.iter().position(|column| column.name == "notes");
                let mut table = to.table(&shape, rows, last_id).unwrap();
                let mut left = rows;
                while let Event::Row(mut row) = from.next_event().unwrap() {
                    if let Some(at) = notes {
                        let length = match left {
                            ..50 => 1 << 18,
                            50..100 => 1,
                            _ => 5_000,
                        };
                        row[at] = Value::Text("\u{1f600}".repeat(length));
                    }
                    left -= 1;
                    table.row(&row).unwrap();
                }
                table.finish().unwrap();
            }
            Event::End => return to.finish().unwrap(),
            _ => {}
        }
    }
}

/// Runs a command; returns its peak memory in KiB, without mapped files, and whether it succeeded.
fn peak(site: &Site, passphrase: Option<&str>, arguments: &[&str]) -> (u64, bool) {
    let mut command = exit3(site.directory.path());
    command.envs(site.env()).envs(passphrase.map(|text| ("BACKUP_PASSPHRASE", text)));
    command.args(arguments).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    // The kernel notes the largest size of the whole, but not of the files in it, and it may give
    // up pages of files at any time. So the most that was seen of them is taken off.
    let (mut peak, mut files) = (0, 0);
    let ended = loop {
        // The file disappears when the process ends.
        let told = fs::read_to_string(&status).unwrap_or_default();
        let value = |name: &str| -> Option<u64> {
            let line = told.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()
        };
        if let (Some(most), Some(mapped)) = (value("VmHWM"), value("RssFile")) {
            (peak, files) = (most, files.max(mapped));
        }
        match child.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    assert!(peak > files && files > 0, "{arguments:?}");
    (peak - files, ended.success())
}

async fn takes_little(kind: Kind, passphrase: Option<&str>, most: u64) {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "500", "--subscribers", "100"]);
    let lock = passphrase.map_or(Lock::Open, |text| Lock::Passphrase(text.to_owned().into()));
    fs::write(site.path("long.backup"), with_long_notes(&site.back_up(), &lock)).unwrap();
    let archive = site.path("long.backup");
    let archive = archive.to_str().unwrap();
    let copy = Site::new(kind).await;
    for arguments in [
        &["restore", archive][..],
        &["backup", "--to", "backups"],
        &["verify-backup", "--from", "backups"],
    ] {
        let (peak, succeeded) = peak(&copy, passphrase, arguments);
        assert!(succeeded && peak < most, "{arguments:?} took {peak} KiB");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_rows_take_little_memory_on_sqlite() {
    takes_little(Kind::Sqlite, None, MOST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_rows_take_little_memory_on_postgres() {
    takes_little(Kind::Postgres, None, MOST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_rows_take_little_memory_with_a_passphrase() {
    takes_little(Kind::Sqlite, Some("correct horse"), MOST_WITH_PASSPHRASE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_many_small_values_takes_little_memory() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["migrate"]);
    let head = |settings| Head {
        program: "0.1.0".to_owned(),
        schema: "00000000000006".to_owned(),
        made_at: "2026-11-25T04:02:30Z".parse().unwrap(),
        settings,
        modules: Vec::new(),
    };
    let begin = |settings| ArchiveWriter::begin(Vec::new(), &Lock::Open, head(settings)).unwrap();
    let mut row = begin(Vec::new());
    let leads = Shape::of(table("leads").unwrap(), |_| true).unwrap();
    let mut table = row.table(&leads, 1, 1).unwrap();
    table.row(&vec![Value::Integer(1); 1 << 20]).unwrap();
    table.finish().unwrap();
    let names = begin(vec![String::new(); 1 << 21]);
    for (name, archive) in [("row.backup", row), ("names.backup", names)] {
        fs::write(site.path(name), archive.finish().unwrap()).unwrap();
        for arguments in [&["verify-backup", name][..], &["restore", name]] {
            let (peak, succeeded) = peak(&site, None, arguments);
            assert!(!succeeded && peak < MOST, "{arguments:?} took {peak} KiB");
        }
    }
}
