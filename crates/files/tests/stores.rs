//! What every store of contract files does. Each test runs over a directory and over a bucket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::io::Read;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use exit3_files::{ContractBucket, ContractDirectory};
use exit3_ports::{ContractError, ContractFound, ContractStore, ContractSum};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use tokio::runtime::Runtime;

/// `printf a | sha256sum`
const OF_A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

fn bucket(store: &Arc<InMemory>, now: fn() -> DateTime<Utc>) -> ContractBucket {
    let store: Arc<dyn ObjectStore> = store.clone();
    let handle = runtime().handle().clone();
    ContractBucket::new(store, Key::from("exit3/prod"), "s3://bucket".to_owned(), handle, now)
}

#[allow(clippy::disallowed_methods, reason = "the bucket in memory has the real time")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn in_two_days() -> DateTime<Utc> {
    now() + TimeDelta::days(2)
}

/// Runs a test over each store.
fn over_each(test: impl Fn(&dyn ContractStore)) {
    let directory = tempfile::tempdir().unwrap();
    test(&ContractDirectory::new(directory.path().join("contracts")));
    test(&bucket(&Arc::default(), now));
}

fn put(
    store: &dyn ContractStore,
    name: &str,
    text: &[u8],
    sha256: &str,
    replace: bool,
) -> Result<(), ContractError> {
    let mut staging = store.stage(replace);
    staging.begin(name.to_owned())?;
    staging.add(text)?;
    staging.end(sha256)?;
    staging.check()?;
    staging.finish()
}

fn read(store: &dyn ContractStore, name: &str) -> Vec<u8> {
    let content = store.open(name).unwrap().unwrap();
    let (size, mut bytes) = (content.size, content.bytes);
    let mut read = Vec::new();
    bytes.read_to_end(&mut read).unwrap();
    assert_eq!(read.len() as u64, size);
    read
}

fn names(store: &dyn ContractStore) -> Vec<String> {
    let name = |found| match found {
        ContractFound::File { name, written } => {
            let age = now() - written.unwrap();
            assert!(age < TimeDelta::minutes(1) && age > -TimeDelta::minutes(1), "{name}: {age}");
            name
        }
        ContractFound::Other(other) => panic!("{other}"),
    };
    store.list().map(Result::unwrap).map(name).collect()
}

#[test]
fn a_file_is_found_opened_and_replaced_by_its_name() {
    over_each(|store| {
        let name = "2026/Ugovor čšž (1)..pdf";
        store.check().unwrap();
        assert!(store.list().next().is_none() && store.open(name).unwrap().is_none());
        put(store, name, b"a", OF_A, false).unwrap();
        assert!(store.has(name) && !store.has("2026"));
        assert_eq!(names(store), [name]);
        // Storing identical content again is not a conflict.
        put(store, name, b"a", OF_A, false).unwrap();
        let outcome = put(store, name, b"b", "another", false);
        assert!(matches!(outcome, Err(ContractError::Exists(_))));
        assert_eq!(read(store, name), b"a");
        put(store, name, b"b", "another", true).unwrap();
        assert_eq!(read(store, name), b"b");
        assert_eq!(names(store), [name]);
    });
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    over_each(|store| {
        for name in ["../a", "a/../../b", "a//b", "", ".", "a/."] {
            let outcome = put(store, name, b"x", "", true);
            let is_directory = matches!(name, "a//b" | "a/.");
            let refused = matches!(outcome, Err(ContractError::Outside(_)));
            assert!(refused || is_directory, "{name}: {outcome:?}");
            assert!(refused || store.remove(name).is_ok());
        }
        assert!(matches!(
            put(store, "b/.restore-a1B2c3.partial", b"x", "", true),
            Err(ContractError::Staged(_))
        ));
    });
}

#[test]
fn a_staged_file_is_placed_even_if_the_same_one_goes_meanwhile() {
    over_each(|store| {
        put(store, "a.pdf", b"a", OF_A, false).unwrap();
        let mut staging = store.stage(false);
        staging.begin("a.pdf".to_owned()).unwrap();
        staging.add(b"a").unwrap();
        staging.end(OF_A).unwrap();
        store.remove("a.pdf").unwrap();
        staging.finish().unwrap();
        assert_eq!(read(store, "a.pdf"), b"a");
    });
}

#[test]
fn a_staging_that_is_dropped_leaves_nothing() {
    over_each(|store| {
        let mut staging = store.stage(false);
        staging.begin("2026/a.pdf".to_owned()).unwrap();
        staging.add(b"a").unwrap();
        staging.end(OF_A).unwrap();
        assert_eq!(names(store), [""; 0], "a backup skips it");
        drop(staging);
        assert_eq!(names(store), [""; 0]);
        assert!(!store.has("2026/a.pdf"));
    });
}

#[test]
fn a_file_is_received_scanned_stored_and_removed() {
    over_each(|store| {
        let mut upload = store.receive().unwrap();
        upload.add(b"").unwrap();
        upload.add(b"a").unwrap();
        for _ in 0..2 {
            let mut seen = String::new();
            upload.content().unwrap().read_to_string(&mut seen).unwrap();
            assert_eq!(seen, "a");
        }
        assert_eq!(names(store), [""; 0], "it has no name yet");
        let sum = upload.finish("uploads/one").unwrap();
        assert_eq!(sum, ContractSum { size: 1, sha256: OF_A.to_owned() });
        assert_eq!(names(store), ["uploads/one"]);
        assert_eq!(read(store, "uploads/one"), b"a");
        store.remove("uploads/one").unwrap();
        store.remove("uploads/one").unwrap();
        assert!(store.open("uploads/one").unwrap().is_none());
    });
}

#[test]
fn an_upload_that_is_dropped_leaves_nothing() {
    over_each(|store| {
        let mut upload = store.receive().unwrap();
        upload.add(b"a").unwrap();
        drop(upload);
        assert_eq!(names(store), [""; 0]);
        store.sweep();
    });
}

#[test]
fn large_files_pass_in_parts() {
    let bytes: Vec<u8> = (0..12_000_001_u32).map(|at| (at % 251) as u8).collect();
    over_each(|store| {
        let mut upload = store.receive().unwrap();
        bytes.chunks(65_536).for_each(|piece| upload.add(piece).unwrap());
        let sum = upload.finish("uploads/large").unwrap();
        assert_eq!(sum.size, bytes.len() as u64);
        assert!(read(store, "uploads/large") == bytes);
        put(store, "2026/large.pdf", &bytes, &sum.sha256, false).unwrap();
        assert!(read(store, "2026/large.pdf") == bytes);
        // Exactly one part.
        let part = &bytes[..5 << 20];
        let mut upload = store.receive().unwrap();
        upload.add(part).unwrap();
        upload.finish("uploads/part").unwrap();
        assert!(read(store, "uploads/part") == part);
    });
}

#[test]
fn a_bucket_keeps_to_its_prefix() {
    let store = Arc::new(InMemory::new());
    let own = bucket(&store, now);
    put(&own, "a.pdf", b"a", OF_A, false).unwrap();
    own.receive().unwrap().finish("uploads/b").unwrap();
    let list = || {
        let objects = runtime().block_on(async {
            use futures_util::TryStreamExt;
            store.list(None).try_collect::<Vec<_>>().await.unwrap()
        });
        objects.iter().map(|object| object.location.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(), ["exit3/prod/a.pdf", "exit3/prod/uploads/b"]);
    // Of another service, in the same bucket.
    let all = ContractBucket::new(
        store.clone(),
        Key::default(),
        String::new(),
        runtime().handle().clone(),
        now,
    );
    put(&all, "exit3/production/c.pdf", b"a", OF_A, false).unwrap();
    assert_eq!(names(&own), ["a.pdf", "uploads/b"]);
    assert!(all.has("exit3/prod/a.pdf"));
}

#[test]
fn old_leftovers_of_a_killed_restore_are_removed_from_a_bucket() {
    let store = Arc::new(InMemory::new());
    let (young, old) = (bucket(&store, now), bucket(&store, in_two_days));
    let mut staging = young.stage(false);
    staging.begin("2026/a.pdf".to_owned()).unwrap();
    staging.end("").unwrap();
    std::mem::forget(staging);
    put(&young, "2026/b.pdf", b"a", OF_A, false).unwrap();
    let count = || {
        runtime().block_on(async {
            use futures_util::StreamExt;
            store.list(None).count().await
        })
    };
    young.sweep();
    assert_eq!(count(), 2);
    old.sweep();
    assert_eq!(count(), 1);
    assert_eq!(names(&young), ["2026/b.pdf"]);
}
