use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use exit3_domain::leads::LeadId;
use exit3_ports::leads::MockLeadRepository;
use exit3_ports::spool::{Accepted, Spool};

use super::*;
use crate::intake::memory::{Memory, app_over};
use crate::leads;
use crate::testing::{Mocks, ana, api_key, author, away, stored};

/// Mocks of a database that is there, whose next id is `next`.
fn there(next: i64) -> Mocks {
    let mut mocks = Mocks::new();
    mocks.repositories.health.expect_obstacle().returning(|| Ok(None));
    mocks.repositories.api_keys.expect_list().returning(|| Ok(vec![api_key(|_| ())]));
    mocks.repositories.leads = assigning(next);
    mocks
}

/// Assigns ids one after another.
fn assigning(mut next: i64) -> MockLeadRepository {
    let mut leads = MockLeadRepository::new();
    leads.expect_reserve_ids().returning(move |count| {
        let first = next;
        next += i64::from(count);
        Ok(vec![first..=next - 1])
    });
    leads
}

async fn turned(mocks: Mocks, spool: &Arc<Memory>, state: State) -> (App, Result<(), StoreError>) {
    let app = app_over(mocks, Arc::clone(spool), state).await;
    let intake = Arc::clone(app.intake.as_ref().unwrap());
    let outcome = Tending::new(&app, &intake).turn().await;
    (app, outcome)
}

fn state(app: &App) -> State {
    app.intake.as_ref().unwrap().state()
}

#[tokio::test]
async fn a_database_that_is_back_gives_ids_and_keys() {
    let spool = Arc::new(Memory::default());
    let (app, outcome) = turned(there(10), &spool, State::Away).await;
    outcome.unwrap();
    assert_eq!(state(&app), State::There);
    // The first id shows that the others are still free.
    assert_eq!(spool.status().await.unwrap().ids, 1_000);
    assert_eq!(spool.keys().await.unwrap().unwrap().keys.len(), 1);
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_away() {
    let mut mocks = Mocks::new();
    let fails = || Ok(Some(Obstacle::WritesFail("read-only".to_owned())));
    mocks.repositories.health.expect_obstacle().returning(fails);
    let (app, outcome) = turned(mocks, &Arc::default(), State::Away).await;
    assert!(outcome.is_err());
    assert_eq!(state(&app), State::Away);
}

#[tokio::test]
async fn keys_are_learnt_and_leads_are_taken_although_no_ids_can_be_reserved() {
    let mut mocks = there(10);
    mocks.repositories.leads = MockLeadRepository::new();
    mocks.repositories.leads.expect_reserve_ids().returning(|_| Err(away()));
    let spool = Arc::new(Memory::default());
    let app = app_over(mocks, Arc::clone(&spool), State::Away).await;
    let intake = Arc::clone(app.intake.as_ref().unwrap());
    let mut tending = Tending::new(&app, &intake);
    // The node has ids, and the database may only be slow for a moment.
    for _ in 1..CHECKS {
        assert!(tending.turn().await.is_err());
        assert_eq!(state(&app), State::Away);
    }
    tending.turn().await.unwrap();
    assert_eq!(state(&app), State::Unchecked);
    assert!(spool.keys().await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_that_is_slow_at_first_does_not_open_the_node_without_ids() {
    let mut mocks = there(10);
    mocks.repositories.leads = MockLeadRepository::new();
    mocks.repositories.leads.expect_reserve_ids().times(1).returning(|_| Err(away()));
    mocks.repositories.leads.expect_reserve_ids().returning(|_| Ok(vec![10..=1_009]));
    let app = app_over(mocks, Arc::default(), State::Away).await;
    let intake = Arc::clone(app.intake.as_ref().unwrap());
    let mut tending = Tending::new(&app, &intake);
    assert!(tending.turn().await.is_err());
    assert!(leads::create(&app, ana(), &author()).await.unwrap().is_spooled);
    // Not this test's matter.
    intake.spool().remove(&[1]).await.unwrap();
    tending.turn().await.unwrap();
    assert_eq!(state(&app), State::There);
}

#[tokio::test]
async fn a_restore_that_no_request_has_noticed_is_noticed_by_the_reserve() {
    let spool = Arc::new(Memory::default());
    // The spool of `app_over` has the ids 5 to 9.
    let (app, outcome) = turned(there(3), &spool, State::There).await;
    outcome.unwrap();
    assert_eq!(state(&app), State::There);
    let ids: Vec<i64> = spool.take_ids(2_000).await.unwrap().into_iter().flatten().collect();
    assert_eq!((ids[0], ids.len()), (3, 995));
}

#[tokio::test]
async fn a_spool_that_fails_does_not_make_the_database_away() {
    let spool = Arc::new(Memory::default());
    let app = app_over(there(10), Arc::clone(&spool), State::Unchecked).await;
    let intake = Arc::clone(app.intake.as_ref().unwrap());
    *spool.is_read_only.lock().unwrap() = true;
    Tending::new(&app, &intake).turn().await.unwrap();
    assert_eq!(state(&app), State::Unchecked);
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_takes_long_lets_the_node_look_after_the_rest() {
    let spool = Arc::new(Memory::default());
    let mut mocks = there(10);
    mocks.repositories.events.expect_of_creations().returning(|_, _| Ok(Vec::new()));
    let (again, times) = (Arc::clone(&spool), Arc::new(AtomicU32::new(0)));
    let stored_so_far = Arc::clone(&times);
    mocks.repositories.leads.expect_create_as().returning(move |id, lead, _| {
        // A visitor sends another lead while this one is being stored.
        stored_so_far.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(20));
        again.add(Accepted::Lead(id, lead.clone()));
        Ok(stored(id.0))
    });
    spool.add(Accepted::Lead(LeadId(1), stored(1).details));
    let app = app_over(mocks, Arc::clone(&spool), State::There).await;
    let intake = Arc::clone(app.intake.as_ref().unwrap());
    let mut tending = Tending::new(&app, &intake);
    for _ in 0..2 {
        tending.turn().await.unwrap();
        assert!(tending.rest.is_some());
    }
    assert!(times.load(Ordering::Relaxed) > 2);
}

#[tokio::test]
async fn entries_that_the_database_has_refused_are_not_read_again_and_again() {
    let mocks = there(10);
    let spool = Arc::new(Memory::default());
    spool.add(Accepted::Unknown("of a later version".to_owned()));
    let app = app_over(mocks, Arc::clone(&spool), State::There).await;
    let intake = Arc::clone(app.intake.as_ref().unwrap());
    let mut tending = Tending::new(&app, &intake);
    tending.turn().await.unwrap();
    let reads = spool.reads();
    tending.turn().await.unwrap();
    assert_eq!(spool.reads(), reads);
}

#[tokio::test(start_paused = true)]
async fn ids_that_come_late_are_not_lost() {
    let memory = Arc::new(Memory::default());
    *memory.delay.lock().unwrap() = Duration::from_millis(700);
    let spool: Arc<dyn Spool> = memory;
    spool.put_ids(&[1..=100]).await.unwrap();
    let ids = Arc::new(crate::intake::Ids::default());
    let half = Duration::from_millis(500);
    assert_eq!(ids.next(&spool, half).await, None);
    assert_eq!(ids.next(&spool, half).await, Some(LeadId(1)));
    assert_eq!(ids.left() + spool.status().await.unwrap().ids, 99);
    // Nobody waits for the next ones, but they come.
    for _ in 0..15 {
        assert!(ids.next(&spool, half).await.is_some());
    }
    assert_eq!(ids.next(&spool, half).await, None);
    tokio::time::sleep(Duration::from_secs(10)).await;
    for id in 17..=32 {
        assert_eq!(ids.next(&spool, half).await, Some(LeadId(id)));
    }
    // A lead that has no other place waits longer.
    let others = Arc::new(crate::intake::Ids::default());
    assert_eq!(others.next(&spool, 2 * half).await, Some(LeadId(33)));
}

#[tokio::test]
async fn ids_that_the_database_assigns_again_are_given_up() {
    let spool = Arc::new(Memory::default());
    // The spool of `app_over` has the ids 5 to 9.
    let (_, outcome) = turned(there(3), &spool, State::Away).await;
    outcome.unwrap();
    let ids: Vec<RangeInclusive<i64>> = spool.take_ids(2_000).await.unwrap();
    let ids: Vec<i64> = ids.into_iter().flatten().collect();
    assert_eq!((ids[0], ids.len()), (3, 1_000));
}

#[tokio::test]
async fn the_reserve_follows_the_load() {
    let ids = Arc::new(crate::intake::Ids::default());
    assert_eq!(ids.wanted(1.0), 1_000);
    let spool: Arc<dyn Spool> = Arc::new(Memory::default());
    spool.put_ids(&[1..=100_000]).await.unwrap();
    for _ in 0..600 {
        ids.next(&spool, Duration::from_secs(1)).await.unwrap();
    }
    let busy = ids.wanted(1.0);
    assert_eq!(busy, 600 / 60 * 1_800);
    assert!(ids.wanted(1.0) < busy);
    assert_eq!(ids.wanted(600.0), 1_000);
    // What this process has taken and not used goes back.
    let left = ids.left();
    assert!(left > 0);
    let given_back: i64 = ids.take_all().into_iter().map(|it| it.end() - it.start() + 1).sum();
    assert_eq!((given_back.unsigned_abs(), ids.left()), (left, 0));
}
