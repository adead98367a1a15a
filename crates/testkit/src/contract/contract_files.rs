//! What is known of contract files, and for how long.

use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::contracts::{Contract, ContractName, DOOMED, NewContract, Received};
use exit3_domain::events::Actor;
use exit3_ports::StoreError;
use exit3_ports::contract_files::FILE_TAKEN;

use super::Harness;
use super::clients::client;
use crate::builders::{at, some_act};

/// A contract at this path, received at this time.
fn received(file: &str, microseconds: i64) -> NewContract {
    NewContract {
        file: file.to_owned(),
        client: ClientId(7),
        name: ContractName::of("Ugovor čšćžđ.pdf"),
        received: Received {
            size: 20 << 20,
            sha256: "a".repeat(64),
            at: at(microseconds),
            by: Actor::ApiKey { name: "website".into(), prefix: "Zk3v".into() },
        },
    }
}

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    harness.contract_files.receive(&received("uploads/fill", 7)).await.unwrap();
}

async fn receive(harness: &Harness, file: &str, microseconds: i64) {
    harness.contract_files.receive(&received(file, microseconds)).await.unwrap();
}

async fn found(harness: &Harness, file: &str) -> Option<Contract> {
    harness.contract_files.find(file).await.unwrap()
}

/// A client that has this contract.
async fn having(harness: &Harness, file: &str) -> Client {
    let details = NewClient { contract_file: Some(file.to_owned()), ..client("T1") };
    harness.clients.create(&details, &some_act()).await.unwrap()
}

/// Gives another contract to a client.
async fn give(harness: &Harness, seen: &Client, file: Option<&str>) -> Client {
    let details = NewClient { contract_file: file.map(str::to_owned), ..seen.details.clone() };
    harness.clients.update(seen, &details, &some_act()).await.unwrap()
}

async fn sweep(harness: &Harness, now: i64, end: i64) -> Vec<String> {
    let mut gone = harness.contract_files.sweep(at(now), at(end)).await.unwrap();
    gone.sort();
    gone
}

pub async fn returns_what_it_stored(harness: &Harness) {
    let new = received("uploads/a", 7);
    harness.contract_files.receive(&new).await.unwrap();
    let expected = Contract {
        file: "uploads/a".to_owned(),
        name: new.name,
        received: Some(new.received),
        unused_since: Some(at(7)),
    };
    assert_eq!(found(harness, "uploads/a").await, Some(expected));
    assert_eq!(found(harness, "uploads/A").await, None);
    assert_eq!(found(harness, "").await, None);
    assert_eq!(found(harness, "uploads/a\0").await, None);
}

pub async fn keeps_long_and_odd_names(harness: &Harness) {
    for (place, name) in ["a".repeat(251), "đ".repeat(125), "'; DROP TABLE--\u{1f600}".to_owned()]
        .iter()
        .map(|stem| ContractName::of(&format!("{stem}.pdf")))
        .enumerate()
    {
        let file = format!("uploads/{place}");
        let new = NewContract { name: name.clone(), ..received(&file, 7) };
        harness.contract_files.receive(&new).await.unwrap();
        assert_eq!(found(harness, &file).await.unwrap().name, name);
    }
}

pub async fn refuses_a_second_of_the_same_path(harness: &Harness) {
    receive(harness, "uploads/a", 7).await;
    let again = harness.contract_files.receive(&received("uploads/a", 8)).await;
    assert!(matches!(again, Err(StoreError::Conflict(FILE_TAKEN))), "{again:?}");
}

pub async fn forgets_a_file_unless_a_client_has_it(harness: &Harness) {
    receive(harness, "uploads/a", 7).await;
    receive(harness, "uploads/b", 7).await;
    having(harness, "uploads/a").await;
    let discard = async |file: &str| harness.contract_files.discard(file).await.unwrap();
    assert!(!discard("uploads/a").await && discard("uploads/b").await);
    assert!(!discard("uploads/b").await);
    assert!(found(harness, "uploads/a").await.is_some());
    assert!(found(harness, "uploads/b").await.is_none());
}

/// In microseconds, longer than a file may be on its way to its client.
const ARRIVED: i64 = 3_600_000_000 + 20;

pub async fn a_file_that_no_client_has_is_doomed_after_its_time(harness: &Harness) {
    for file in ["uploads/a", "uploads/b", "uploads/c"] {
        receive(harness, file, 10).await;
    }
    let unused = async |file: &str| found(harness, file).await.unwrap().unused_since;
    assert_eq!(unused("uploads/a").await, Some(at(10)));
    let (replaced, deleted) =
        (having(harness, "uploads/a").await, having(harness, "uploads/b").await);
    assert_eq!([unused("uploads/a").await, unused("uploads/c").await], [None, Some(at(10))]);
    assert_eq!(sweep(harness, ARRIVED, 10).await, [""; 0]);
    give(harness, &replaced, None).await;
    harness.clients.delete(&deleted, &some_act()).await.unwrap();
    assert_eq!(sweep(harness, ARRIVED + 1, 11).await, ["uploads/c"]);
    let left = Some(at(ARRIVED + 1));
    assert_eq!([unused("uploads/a").await, unused("uploads/b").await], [left; 2]);
    // Another sweep does not move the beginning. It names a doomed file again.
    assert_eq!(sweep(harness, ARRIVED + 2, ARRIVED + 1).await, ["uploads/c"]);
    assert_eq!(unused("uploads/a").await, left);
    assert!(harness.contract_files.discard("uploads/c").await.unwrap());
    assert_eq!(sweep(harness, ARRIVED + 3, ARRIVED + 2).await, ["uploads/a", "uploads/b"]);
    assert_eq!(unused("uploads/a").await, Some(DOOMED));
}

pub async fn a_file_on_the_way_to_its_client_is_left_alone(harness: &Harness) {
    receive(harness, "uploads/a", 10).await;
    assert_eq!(sweep(harness, 20, 30).await, [""; 0]);
    assert_eq!(sweep(harness, ARRIVED, ARRIVED + 1).await, ["uploads/a"]);
    // A client has had this one, so it does not arrive any more.
    receive(harness, "uploads/b", 10).await;
    let seen = having(harness, "uploads/b").await;
    give(harness, &seen, None).await;
    assert_eq!(sweep(harness, 20, 20).await, ["uploads/a"]);
    assert_eq!(sweep(harness, 20, 21).await, ["uploads/a", "uploads/b"]);
}

pub async fn a_file_that_comes_back_is_not_doomed(harness: &Harness) {
    receive(harness, "uploads/a", 10).await;
    let seen = having(harness, "uploads/a").await;
    let seen = give(harness, &seen, None).await;
    sweep(harness, 20, 5).await;
    give(harness, &seen, Some("uploads/a")).await;
    assert_eq!(sweep(harness, 90, 80).await, [""; 0]);
    assert_eq!(found(harness, "uploads/a").await.unwrap().unused_since, None);
}

/// As after an upgrade from a schema whose sweep alone noted that a file is used.
pub async fn a_file_is_unused_from_the_moment_a_client_loses_it(harness: &Harness) {
    for (file, is_deleted) in [("uploads/a", false), ("uploads/b", true)] {
        let seen = having(harness, file).await;
        receive(harness, file, 10).await;
        match is_deleted {
            true => harness.clients.delete(&seen, &some_act()).await.unwrap(),
            false => drop(give(harness, &seen, None).await),
        }
        assert_eq!(found(harness, file).await.unwrap().unused_since, None);
    }
    assert_eq!(sweep(harness, ARRIVED, 20).await, [""; 0]);
}

pub async fn a_doomed_file_that_a_client_got_at_the_last_moment_is_needed(harness: &Harness) {
    let seen = having(harness, "contracts/a").await;
    let deleted = having(harness, "contracts/b").await;
    let seen = give(harness, &seen, None).await;
    harness.clients.delete(&deleted, &some_act()).await.unwrap();
    sweep(harness, 20, 5).await;
    let doomed = sweep(harness, 30, 21).await;
    assert_eq!(doomed, ["contracts/a", "contracts/b"]);
    let mut needless = harness.contract_files.needless(&doomed).await.unwrap();
    needless.sort();
    assert_eq!(needless, doomed);
    give(harness, &seen, Some("contracts/a")).await;
    harness.clients.restore(&deleted, &some_act()).await.unwrap();
    assert_eq!(harness.contract_files.needless(&doomed).await.unwrap(), [""; 0]);
    assert_eq!(sweep(harness, 90, 80).await, [""; 0]);
}

pub async fn files_that_clients_lose_become_known(harness: &Harness) {
    let file = "contracts/2024/Ugovor.docx";
    let (imported, other) = (having(harness, file).await, having(harness, file).await);
    having(harness, "").await;
    harness.clients.create(&client("none"), &some_act()).await.unwrap();
    assert_eq!(found(harness, file).await, None);
    give(harness, &imported, None).await;
    assert_eq!(found(harness, file).await, Some(Contract::at(file)));
    assert_eq!(sweep(harness, 40, 40).await, [""; 0]);
    assert_eq!(sweep(harness, 41, 41).await, [""; 0], "another client has it");
    harness.clients.delete(&other, &some_act()).await.unwrap();
    assert_eq!(sweep(harness, 42, 42).await, [""; 0]);
    assert_eq!(sweep(harness, 43, 43).await, [file]);
    assert_eq!(found(harness, "").await, None);
}

pub async fn tells_which_files_nobody_needs(harness: &Harness) {
    receive(harness, "uploads/a", 10).await;
    having(harness, "contracts/b").await;
    let asked = ["uploads/a", "contracts/b", "uploads/c", "d"].map(str::to_owned);
    let mut needless = harness.contract_files.needless(&asked).await.unwrap();
    needless.sort();
    assert_eq!(needless, ["d", "uploads/c"]);
    assert_eq!(harness.contract_files.needless(&[]).await.unwrap(), [""; 0]);
}

pub async fn a_download_of_a_missing_client_is_not_noted(harness: &Harness) {
    let files = &harness.contract_files;
    let noted = files.note_download(ClientId(7), &Contract::at("a.pdf"), &some_act()).await;
    assert!(matches!(noted, Err(StoreError::NotFound)), "{noted:?}");
}
