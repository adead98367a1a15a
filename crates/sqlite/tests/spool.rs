//! The spool in its file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use exit3_domain::api_keys::{
    ApiKey, ApiKeyDraft, ApiKeyId, Scope, Scopes, TokenDigest, TokenPrefix,
};
use exit3_domain::events::{Act, Actor, Author, BatchId};
use exit3_domain::leads::LeadId;
use exit3_domain::subscribers::NewSubscriber;
use exit3_ports::StoreError;
use exit3_ports::leads::ID_TAKEN;
use exit3_ports::spool::{Accepted, Kept, RememberedKeys, Spool, Waiting};
use exit3_sqlite::SqliteSpool;
use exit3_testkit::builders::lead;
use tokio::task::JoinSet;

const MIB: u64 = 1 << 20;

fn open(directory: &Path) -> SqliteSpool {
    SqliteSpool::open(&directory.join("spool.sqlite3"), 64 * MIB).unwrap()
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 123_000).unwrap()
}

fn act(second: i64) -> Act {
    let actor = Actor::ApiKey { name: "website".into(), prefix: "Zk3v".into() };
    Author { actor, request: Some("request-1".into()), batch: None }.at(at(second))
}

fn keyed(key: u128, request: u128) -> Act {
    let mut act = act(1);
    act.author.batch = Some(BatchId::of_request(key, request << 32));
    act
}

fn ana(id: i64) -> Accepted {
    Accepted::Lead(
        LeadId(id),
        lead().full_name("Ana Horvat").notes(Some("Zdravo, svijete ✓")).build(),
    )
}

fn sign_up() -> Accepted {
    Accepted::SignUp(NewSubscriber { email: "ana@acme.hr".to_owned(), is_subscribed: true })
}

async fn all(spool: &SqliteSpool) -> Vec<Waiting> {
    spool.waiting(0, 1000).await.unwrap()
}

#[tokio::test]
async fn what_is_kept_comes_back_as_it_was_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    {
        let spool = open(directory.path());
        assert_eq!(spool.keep(&ana(7), &act(1)).await.unwrap(), Kept::New);
        assert_eq!(spool.keep(&sign_up(), &keyed(1, 2)).await.unwrap(), Kept::New);
    }
    let spool = open(directory.path());
    let kept = all(&spool).await;
    let problem = None;
    let entry = |number, what, act| Waiting { number, what, act, problem: problem.clone() };
    assert_eq!(kept, [entry(1, ana(7), act(1)), entry(2, sign_up(), keyed(1, 2))]);
    assert_eq!(spool.waiting(1, 1).await.unwrap(), kept[1..]);
    let status = spool.status().await.unwrap();
    assert_eq!((status.waiting, status.oldest), (2, Some(at(1))));

    spool.note_problem(1, "no room").await.unwrap();
    assert_eq!(all(&spool).await[0].problem.as_deref(), Some("no room"));
    assert_eq!(spool.status().await.unwrap().problems, 1);
    spool.remove(&[1, 99]).await.unwrap();
    assert_eq!(all(&spool).await, kept[1..]);
    spool.remove(&[2]).await.unwrap();
    // A number is never used again, so that a walk misses nothing.
    spool.keep(&sign_up(), &act(3)).await.unwrap();
    assert_eq!(all(&spool).await[0].number, 3);
}

#[tokio::test]
async fn of_requests_with_one_key_the_first_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Arc::new(open(directory.path()));
    let mut tasks = JoinSet::new();
    for id in 1..=20 {
        let spool = Arc::clone(&spool);
        tasks.spawn(async move { spool.keep(&ana(id), &keyed(5, 1)).await.unwrap() });
    }
    let outcomes = tasks.join_all().await;
    let new = outcomes.iter().filter(|it| **it == Kept::New).count();
    assert_eq!(new, 1);
    let [first] = all(&spool).await.try_into().unwrap();
    for outcome in outcomes {
        assert!(outcome == Kept::New || outcome == Kept::Earlier(Box::new(first.clone())));
    }
    // Another body with the same key shows the one that was kept.
    let other = spool.keep(&ana(99), &keyed(5, 2)).await.unwrap();
    assert_eq!(other, Kept::Earlier(Box::new(first.clone())));
    let key = keyed(5, 2).author.batch.unwrap();
    assert_eq!(spool.of_request(key.request_key().unwrap()).await.unwrap(), Some(first));
    assert_eq!(spool.of_request("once-none").await.unwrap(), None);
}

#[tokio::test]
async fn two_leads_with_one_id_do_not_wait() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    spool.keep(&ana(7), &act(1)).await.unwrap();
    let again = spool.keep(&ana(7), &act(2)).await;
    assert!(matches!(again, Err(StoreError::Conflict(ID_TAKEN))), "{again:?}");
    assert_eq!(all(&spool).await.len(), 1);
}

#[tokio::test]
async fn nothing_of_an_entry_that_was_moved_and_removed_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let long = |id: i64| {
        let notes = "Zdravo".repeat(700);
        Accepted::Lead(LeadId(id), lead().full_name("Ana Horvat").notes(Some(&notes)).build())
    };
    let spool = open(directory.path());
    for id in 1..=9 {
        spool.keep(&long(id), &act(id)).await.unwrap();
    }
    drop(spool);
    // Another process, which has removed nothing yet.
    let spool = open(directory.path());
    for number in 1..=9 {
        spool.note_problem(number, &"no room ".repeat(90)).await.unwrap();
        spool.renumber(number, LeadId(number), LeadId(number + 100)).await.unwrap();
    }
    spool.remove(&(1..=9).collect::<Vec<_>>()).await.unwrap();
    drop(spool);
    let left = std::fs::read(directory.path().join("spool.sqlite3")).unwrap();
    for trace in ["Zdravo", "Horvat", "no room"] {
        assert!(!left.windows(trace.len()).any(|it| it == trace.as_bytes()), "{trace}");
    }
}

#[tokio::test]
async fn no_id_is_taken_twice_even_by_two_processes() {
    let directory = tempfile::tempdir().unwrap();
    let [one, two] = [open(directory.path()), open(directory.path())];
    one.put_ids(&[10..=12, 20..=20, 30..=99]).await.unwrap();
    assert_eq!(one.status().await.unwrap().ids, 74);
    assert_eq!(two.last_id().await.unwrap(), 99);
    assert_eq!(one.take_ids(2).await.unwrap(), [10..=11]);
    assert_eq!(two.take_ids(4).await.unwrap(), [12..=12, 20..=20, 30..=31]);
    assert_eq!(one.take_ids(1000).await.unwrap(), [32..=99]);
    assert_eq!(two.take_ids(1).await.unwrap(), []);
    two.put_ids(&[50..=60]).await.unwrap();
    two.put_ids(&[50..=60]).await.unwrap();
    one.keep(&ana(77), &act(1)).await.unwrap();
    assert_eq!(two.last_id().await.unwrap(), 77);
    one.forget_ids().await.unwrap();
    assert_eq!(two.take_ids(1).await.unwrap(), []);
    assert_eq!(two.last_id().await.unwrap(), 77);
}

#[tokio::test]
async fn the_keys_are_those_of_the_last_time() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    assert_eq!(spool.keys().await.unwrap(), None);
    let key = |id| ApiKey {
        id: ApiKeyId(id),
        draft: ApiKeyDraft {
            name: "website".to_owned(),
            scopes: Scopes::of([Scope::create("leads"), Scope::create("newsletter")]),
            origins: vec!["https://exit3.agency".to_owned(), "https://exit3.hr".to_owned()],
            rate: Some("5/minute".parse().unwrap()),
            forwards_visitors: id == 2,
            expires_at: (id == 1).then(|| at(9)),
        },
        prefix: TokenPrefix("Zk3v".to_owned()),
        digest: TokenDigest([7; 32]),
        created_at: at(1),
        revoked_at: None,
        last_used_at: None,
    };
    let known = |ids: &[i64], second| RememberedKeys {
        keys: ids.iter().map(|id| key(*id)).collect(),
        at: at(second),
    };
    spool.remember_keys(&known(&[1, 2], 5)).await.unwrap();
    assert_eq!(spool.keys().await.unwrap(), Some(known(&[1, 2], 5)));
    spool.remember_keys(&known(&[2], 6)).await.unwrap();
    assert_eq!(open(directory.path()).keys().await.unwrap(), Some(known(&[2], 6)));
}

#[tokio::test]
async fn a_full_spool_keeps_what_it_has_and_has_room_again_later() {
    let directory = tempfile::tempdir().unwrap();
    let spool = SqliteSpool::open(&directory.path().join("spool"), MIB / 4).unwrap();
    let long = Accepted::Lead(LeadId(1), lead().notes(Some(&"x".repeat(4000))).build());
    let mut kept = 0;
    loop {
        let Accepted::Lead(_, lead) = &long else { unreachable!() };
        match spool.keep(&Accepted::Lead(LeadId(kept + 1), lead.clone()), &act(1)).await {
            Ok(_) => kept += 1,
            Err(StoreError::Unavailable(why)) => {
                assert!(why.to_string().contains("SPOOL_MAX_MB"), "{why}");
                break;
            }
            Err(other) => panic!("{other}"),
        }
        assert!(kept < 100);
    }
    assert!(kept > 20, "{kept}");
    assert!(!spool.status().await.unwrap().has_room);
    assert_eq!(all(&spool).await.len(), kept as usize);
    spool.remove(&(1..=kept / 2).collect::<Vec<_>>()).await.unwrap();
    assert!(spool.status().await.unwrap().has_room);
    spool.keep(&sign_up(), &act(2)).await.unwrap();
}

#[tokio::test]
async fn what_another_version_has_kept_is_shown_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let unknown = Accepted::Unknown("offer: {\"sum\": 7}".to_owned());
    spool.keep(&unknown, &act(1)).await.unwrap();
    spool.keep(&ana(1), &act(2)).await.unwrap();
    let kept: Vec<_> = all(&spool).await.into_iter().map(|it| it.what).collect();
    assert_eq!(kept, [unknown, ana(1)]);
}
