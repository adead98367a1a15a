use std::ops::RangeInclusive;
use std::sync::Arc;

use exit3_ports::leads::MockLeadRepository;
use exit3_ports::spool::Spool;

use super::*;
use crate::intake::memory::{Memory, app_over};
use crate::testing::{Mocks, api_key, away};

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
    let (app, outcome) = turned(mocks, &spool, State::Away).await;
    outcome.unwrap();
    assert_eq!(state(&app), State::Unchecked);
    assert!(spool.keys().await.unwrap().is_some());
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
    let ids = crate::intake::Ids::default();
    assert_eq!(ids.wanted(1.0), 1_000);
    let spool = Memory::default();
    spool.put_ids(&[1..=100_000]).await.unwrap();
    for _ in 0..600 {
        ids.next(&spool).await.unwrap();
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
