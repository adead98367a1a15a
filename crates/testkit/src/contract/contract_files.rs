//! What is known of contract files, and for how long.

use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::contracts::{Contract, ContractName, NewContract, Received};
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
    // Makes the contracts of clients known.
    harness.contract_files.sweep(at(9), at(0)).await.unwrap();
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

pub async fn a_file_that_no_client_has_is_forgotten_after_its_time(harness: &Harness) {
    for file in ["uploads/a", "uploads/b", "uploads/c"] {
        receive(harness, file, 10).await;
    }
    let (replaced, deleted) =
        (having(harness, "uploads/a").await, having(harness, "uploads/b").await);
    // From now on both are known to be used, and the third is not.
    assert_eq!(sweep(harness, 20, 5).await, [""; 0]);
    let unused = async |file: &str| found(harness, file).await.unwrap().unused_since;
    assert_eq!(unused("uploads/a").await, None);
    assert_eq!(unused("uploads/c").await, Some(at(10)));
    give(harness, &replaced, None).await;
    harness.clients.delete(&deleted, &some_act()).await.unwrap();
    assert_eq!(sweep(harness, 30, 11).await, ["uploads/c"]);
    assert_eq!(unused("uploads/a").await, Some(at(30)));
    assert_eq!(unused("uploads/b").await, Some(at(30)));
    // Another sweep does not move the beginning.
    assert_eq!(sweep(harness, 40, 30).await, [""; 0]);
    assert_eq!(unused("uploads/a").await, Some(at(30)));
    assert_eq!(sweep(harness, 50, 31).await, ["uploads/a", "uploads/b"]);
    assert_eq!(found(harness, "uploads/a").await, None);
    assert_eq!(sweep(harness, 60, 60).await, [""; 0]);
}

pub async fn a_file_that_comes_back_is_not_forgotten(harness: &Harness) {
    receive(harness, "uploads/a", 10).await;
    let seen = having(harness, "uploads/a").await;
    let seen = give(harness, &seen, None).await;
    sweep(harness, 20, 5).await;
    give(harness, &seen, Some("uploads/a")).await;
    // It has come back, although that was not noticed yet.
    assert_eq!(sweep(harness, 90, 80).await, [""; 0]);
    assert_eq!(found(harness, "uploads/a").await.unwrap().unused_since, None);
}

pub async fn files_of_clients_become_known(harness: &Harness) {
    let imported = having(harness, "contracts/2024/Ugovor.docx").await;
    having(harness, "contracts/2024/Ugovor.docx").await;
    having(harness, "").await;
    harness.clients.create(&client("none"), &some_act()).await.unwrap();
    let file = "contracts/2024/Ugovor.docx";
    assert_eq!(found(harness, file).await, None);
    for now in [20, 30] {
        assert_eq!(sweep(harness, now, 5).await, [""; 0]);
        assert_eq!(found(harness, file).await, Some(Contract::at(file)));
    }
    give(harness, &imported, None).await;
    assert_eq!(sweep(harness, 40, 40).await, [""; 0], "another client has it");
    assert_eq!(found(harness, "").await, None);
}

pub async fn tells_which_files_nobody_knows(harness: &Harness) {
    receive(harness, "uploads/a", 10).await;
    having(harness, "contracts/b").await;
    let asked = ["uploads/a", "contracts/b", "uploads/c", "d"].map(str::to_owned);
    let mut unknown = harness.contract_files.unknown(&asked).await.unwrap();
    unknown.sort();
    assert_eq!(unknown, ["d", "uploads/c"]);
    assert_eq!(harness.contract_files.unknown(&[]).await.unwrap(), [""; 0]);
}

pub async fn a_download_of_a_missing_client_is_not_noted(harness: &Harness) {
    let files = &harness.contract_files;
    let noted = files.note_download(ClientId(7), &Contract::at("a.pdf"), &some_act()).await;
    assert!(matches!(noted, Err(StoreError::NotFound)), "{noted:?}");
}
