use super::*;

#[tokio::test]
async fn old_archives_are_removed_unless_they_are_needed() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str| fs::write(directory.path().join(name), "").unwrap();
    let archives = nights("2026-01-01T00:00:00Z", 9);
    archives.iter().for_each(|name| put(name));
    put("notes.txt");
    let store = BackupStore::parse(directory.path().to_str().unwrap()).unwrap();
    let now = time("2026-03-01T00:00:00Z");
    // Named by a wrong clock; and not a file.
    put("exit3-20990101T000000.000Z.backup");
    fs::create_dir(directory.path().join("exit3-20260101T000001.000Z.backup")).unwrap();
    let newest = store.newest(now).await.unwrap();
    assert!(newest.ends_with(&archives[8]), "{newest}");
    assert!(store.expire(u32::MAX, now, None).await.unwrap().is_empty());
    // Last verified on the second of January.
    let proven = Some(time("2026-01-02T12:00:00Z"));
    assert_eq!(store.expire(0, now, proven).await.unwrap(), archives[..1]);
    assert_eq!(store.expire(0, now, None).await.unwrap(), archives[1..2]);
    assert!(store.expire(0, now, None).await.unwrap().is_empty(), "seven stay");
    assert!(directory.path().join("notes.txt").exists());
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_removes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &String| fs::write(directory.path().join(name), "").unwrap();
    let store = BackupStore::parse(directory.path().to_str().unwrap()).unwrap();
    let archives = nights("2026-01-01T00:00:00Z", 30);
    archives.iter().for_each(put);
    for name in nights("2040-01-01T00:00:00Z", KEPT - 1) {
        put(&name);
        let now = time_of(&name).unwrap();
        assert_eq!(store.expire(30, now, None).await.unwrap(), [""; 0], "{name}");
    }
    // Once the clock is right again, everything continues as before.
    let mut removed = Vec::new();
    for name in nights("2026-01-31T00:00:00Z", 10) {
        put(&name);
        removed.extend(store.expire(30, time_of(&name).unwrap(), None).await.unwrap());
    }
    assert_eq!(removed, archives[..3], "archives that are 37 days old");
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The names of nightly archives.
fn nights(first: &str, count: usize) -> Vec<String> {
    let days = time(first).date_naive().iter_days().take(count);
    days.map(|day| name_of(day.and_time(chrono::NaiveTime::MIN).and_utc())).collect()
}

#[test]
fn a_store_is_a_directory_or_a_bucket() {
    for text in ["", "S3://bucket/prefix", "https://example.com", "s3://", "s3:///prefix"] {
        let refused = BackupStore::parse(text).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|error| error.contains("s3://bucket/prefix")), "{text}");
    }
}

#[test]
fn old_leftovers_of_interrupted_commands_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let made = fs::metadata(directory.path()).unwrap().modified().unwrap();
    let old = made - std::time::Duration::from_secs(25 * 60 * 60);
    fs::create_dir(path(".exit3-new.partial")).unwrap();
    fs::create_dir(path(".exit3-old.partial")).unwrap();
    fs::write(path(".exit3-file.partial"), "").unwrap();
    fs::write(path("notes.txt"), "").unwrap();
    for name in [".exit3-old.partial", ".exit3-file.partial", "notes.txt"] {
        File::open(path(name)).unwrap().set_modified(old).unwrap();
    }
    remove_stale(directory.path()).unwrap();
    let mut left: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".exit3-new.partial", "notes.txt"]);
}
