use std::sync::Mutex as StdMutex;

use chrono::TimeDelta;
use exit3_domain::api_keys::{ApiKey, Scope, Scopes, TokenPrefix};
use exit3_domain::events::{Actor, BatchId, Event, EventId, Subject, Verb};
use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_ports::events::REQUEST_SENT;
use exit3_ports::spool::RememberedKeys;
use exit3_ports::{MockRepositories, RowRefused};

use super::memory::{Memory, app_over};
use super::*;
use crate::testing::{Mocks, act, ana, api_key, author, away, now, stored};
use crate::{health, leads, subscribers};

pub(super) async fn app(mocks: Mocks, state: State) -> (App, Arc<Memory>) {
    let spool = Arc::new(Memory::default());
    (app_over(mocks, Arc::clone(&spool), state).await, spool)
}

pub(super) fn by_request(key: u128, request: u128) -> Author {
    Author { batch: Some(BatchId::of_request(key, request << 32)), ..author() }
}

pub(super) fn created(id: i64, act: &Act) -> Event {
    Event {
        id: EventId(1),
        act: act.clone(),
        verb: Verb::of("lead", Verb::CREATED),
        subject: Subject { resource: "lead".into(), id },
        changes: exit3_domain::events::Changes::None,
    }
}

#[tokio::test]
async fn the_first_try_has_the_id_that_the_spool_would_name() {
    let mut mocks = Mocks::new();
    let ids = Arc::new(StdMutex::new(Vec::new()));
    let tried = Arc::clone(&ids);
    mocks.repositories.leads.expect_create_as().times(2).returning(move |id, _, _| {
        tried.lock().unwrap().push(id.0);
        if id.0 == 5 { Ok(stored(5)) } else { Err(away()) }
    });
    let (app, spool) = app(mocks, State::There).await;
    let made = leads::create(&app, ana(), &author()).await.unwrap();
    assert_eq!(made, Made { row: stored(5), is_repeated: false, is_spooled: false });
    // The database may have stored this one before its answer was lost.
    let made = leads::create(&app, ana(), &author()).await.unwrap();
    assert_eq!(made, Made { row: stored(6), is_repeated: false, is_spooled: true });
    // Nobody asks it again until it is back.
    let made = leads::create(&app, ana(), &author()).await.unwrap();
    assert_eq!(made, Made { row: stored(7), is_repeated: false, is_spooled: true });
    assert_eq!(*ids.lock().unwrap(), [5, 6]);
    let kept: Vec<_> = spool.waiting(0, 9).await.unwrap().into_iter().map(|it| it.what).collect();
    let lead = stored(1).details;
    assert_eq!(kept, [6, 7].map(|id| Accepted::Lead(LeadId(id), lead.clone())));
}

#[tokio::test]
async fn without_ids_or_before_they_are_checked_nothing_could_double() {
    for state in [State::Unchecked, State::There] {
        let mut mocks = Mocks::new();
        mocks.repositories.leads.expect_create().times(1).returning(|_, _| Err(away()));
        let (app, spool) = app(mocks, state).await;
        if state == State::There {
            spool.forget_ids().await.unwrap();
        }
        let refused = leads::create(&app, ana(), &author()).await;
        assert!(matches!(refused, Err(SaveError::Store(StoreError::Unavailable(_)))), "{state:?}");
        assert!(spool.waiting(0, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_full_spool_and_one_without_ids_refuse() {
    for is_full in [true, false] {
        let mut mocks = Mocks::new();
        mocks.repositories.health.expect_schema_is_current().returning(|| Err(away()));
        mocks.repositories.health.expect_obstacle().returning(|| Err(away()));
        let (app, spool) = app(mocks, State::Away).await;
        *spool.is_full.lock().unwrap() = is_full;
        if !is_full {
            spool.forget_ids().await.unwrap();
        }
        let refused = leads::create(&app, ana(), &author()).await;
        assert!(matches!(refused, Err(SaveError::Store(StoreError::Unavailable(_)))));
        let readiness = health::readiness(&app, std::time::Duration::from_secs(1)).await;
        assert_eq!(readiness, health::Readiness::DatabaseAway);
    }
    let (app, _) = app(Mocks::new(), State::Away).await;
    let readiness = health::readiness(&app, std::time::Duration::from_secs(1)).await;
    assert_eq!(readiness, health::Readiness::IntakeOnly(String::new()));
}

#[tokio::test]
async fn an_id_that_is_taken_makes_the_node_give_up_its_ids() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .leads
        .expect_create_as()
        .times(1)
        .returning(|_, _, _| Err(StoreError::Conflict(ID_TAKEN)));
    mocks.repositories.leads.expect_create().times(1).returning(|_, _| Ok(stored(1)));
    let (app, spool) = app(mocks, State::There).await;
    let made = leads::create(&app, ana(), &author()).await.unwrap();
    assert_eq!((made.row.id, made.is_spooled), (LeadId(1), false));
    assert_eq!(spool.last_id().await.unwrap(), 0);
}

#[tokio::test]
async fn a_sign_up_waits_too() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_ensure().times(1).returning(|_, _| Err(away()));
    let (app, spool) = app(mocks, State::There).await;
    let input = || exit3_domain::subscribers::SubscriberInput {
        email: exit3_domain::raw::RawValue::text("ana@acme.hr"),
        ..Default::default()
    };
    for _ in 0..2 {
        let made = subscribers::sign_up(&app, input(), &author()).await.unwrap();
        assert!(made.is_spooled);
    }
    assert_eq!(spool.waiting(0, 9).await.unwrap().len(), 2);
}

/// What a replay of one lead with the id 5 does.
async fn replayed(
    prepare: impl FnOnce(&mut MockRepositories),
) -> (Result<Replayed, ReplayError>, Arc<Memory>) {
    let mut mocks = Mocks::new();
    prepare(&mut mocks.repositories);
    let (app, spool) = app(mocks, State::There).await;
    let lead = stored(5).details;
    let act = Author { ..by_request(1, 1) }.at(now());
    spool.keep(&Accepted::Lead(LeadId(5), lead), &act).await.unwrap();
    (replay(&app, &*spool, true).await, spool)
}

#[tokio::test]
async fn a_replay_stores_what_the_database_does_not_have() {
    let done = Replayed { stored: 1, ..Replayed::default() };
    let (outcome, spool) = replayed(|all| {
        all.events.expect_of_creations().returning(|_, _| Ok(vec![]));
        all.leads.expect_create_as().times(1).returning(|id, _, _| Ok(stored(id.0)));
    })
    .await;
    assert_eq!(outcome.unwrap(), done);
    assert!(spool.waiting(0, 9).await.unwrap().is_empty());

    // The first try had stored it, and its answer was lost.
    let (outcome, spool) = replayed(|all| {
        all.events.expect_of_creations().returning(|_, _| Ok(vec![created(5, &act())]));
        all.leads.expect_create_as().never();
    })
    .await;
    assert_eq!(outcome.unwrap(), done);
    assert!(spool.waiting(0, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_replay_gives_a_lead_another_id_only_if_another_lead_has_it() {
    let another = Author::from(Actor::BasicKey).at(now() - TimeDelta::days(1));
    let (outcome, _) = replayed(|all| {
        all.events.expect_of_creations().returning(move |_, _| Ok(vec![created(5, &another)]));
        all.leads.expect_create_as().returning(|id, _, _| match id.0 {
            5 => Err(StoreError::Conflict(ID_TAKEN)),
            id => Ok(stored(id)),
        });
        all.leads.expect_reserve_ids().times(1).returning(|_| Ok(vec![8..=8]));
    })
    .await;
    assert_eq!(outcome.unwrap(), Replayed { stored: 1, renumbered: 1, refused: 0 });

    // Another node has carried the same request out.
    let earlier = by_request(1, 1).at(now() - TimeDelta::minutes(1));
    let (outcome, _) = replayed(|all| {
        all.events.expect_of_creations().returning(|_, _| Ok(vec![]));
        all.leads.expect_create_as().returning(|_, _, _| Err(StoreError::Conflict(REQUEST_SENT)));
        all.events.expect_of_request().returning(move |_| Ok(Some(created(3, &earlier))));
    })
    .await;
    assert_eq!(outcome.unwrap(), Replayed { stored: 1, renumbered: 1, refused: 0 });
}

#[tokio::test]
async fn a_lead_that_is_given_another_id_has_it_in_the_spool_before_it_is_stored() {
    let (outcome, spool) = replayed(|all| {
        all.events.expect_of_creations().returning(|_, _| Ok(vec![]));
        all.leads.expect_create_as().returning(|id, _, _| match id.0 {
            5 => Err(StoreError::Conflict(ID_TAKEN)),
            _ => Err(away()),
        });
        all.leads.expect_reserve_ids().returning(|_| Ok(vec![8..=8]));
    })
    .await;
    assert!(matches!(outcome, Err(ReplayError::Database(_))));
    // Another attempt stores it with the same id, so it cannot double.
    let waiting = spool.waiting(0, 9).await.unwrap();
    assert!(matches!(waiting[0].what, Accepted::Lead(LeadId(8), _)));
}

#[tokio::test]
async fn a_lead_is_not_taken_for_another_one_with_the_same_key() {
    // The database has a lead of another request with the same key, id and time.
    let other = by_request(1, 2).at(now());
    let stored_by_other = other.clone();
    let acts = Arc::new(StdMutex::new(Vec::new()));
    let tried = Arc::clone(&acts);
    let (outcome, _) = replayed(|all| {
        all.events.expect_of_creations().returning(move |_, _| Ok(vec![created(5, &other)]));
        all.events.expect_of_request().returning(move |_| Ok(Some(created(5, &stored_by_other))));
        all.leads.expect_create_as().returning(move |id, _, act| {
            tried.lock().unwrap().push((id.0, act.author.batch.is_some()));
            match (id.0, &act.author.batch) {
                (_, Some(_)) => Err(StoreError::Conflict(REQUEST_SENT)),
                (5, None) => Err(StoreError::Conflict(ID_TAKEN)),
                (id, None) => Ok(stored(id)),
            }
        });
        all.leads.expect_reserve_ids().returning(|_| Ok(vec![8..=8]));
    })
    .await;
    assert_eq!(outcome.unwrap(), Replayed { stored: 1, renumbered: 1, refused: 0 });
    assert_eq!(*acts.lock().unwrap(), [(5, true), (5, false), (8, true), (8, false)]);
}

#[tokio::test]
async fn a_row_that_the_database_refuses_waits_alone() {
    let refused = || StoreError::Unavailable(Box::new(RowRefused("a trigger".into())));
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_as().returning(move |id, _, _| match id.0 {
        5 => Err(refused()),
        id => Ok(stored(id)),
    });
    mocks.repositories.events.expect_of_creations().returning(|_, _| Ok(vec![]));
    let (app, spool) = app(mocks, State::There).await;
    assert!(leads::create(&app, ana(), &author()).await.unwrap().is_spooled);
    assert!(!leads::create(&app, ana(), &author()).await.unwrap().is_spooled);
    let replayed = replay(&app, &*spool, true).await.unwrap();
    assert_eq!(replayed, Replayed { refused: 1, ..Replayed::default() });
    let problem = spool.waiting(0, 9).await.unwrap()[0].problem.clone();
    assert!(problem.is_some_and(|problem| problem.contains("a trigger")));
}

#[tokio::test]
async fn a_node_knows_the_requests_of_its_spool_after_a_restart() {
    let spool = Arc::new(Memory::default());
    let lead = stored(3).details;
    spool.keep(&Accepted::Lead(LeadId(3), lead), &by_request(1, 1).at(now())).await.unwrap();
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_as().returning(|id, _, _| Ok(stored(id.0)));
    let app = app_over(mocks, spool, State::There).await;
    let made = leads::create(&app, ana(), &by_request(1, 1)).await.unwrap();
    assert_eq!(made.row.id, LeadId(3));
    // The database decides about another request with the key.
    let made = leads::create(&app, ana(), &by_request(1, 2)).await.unwrap();
    assert_eq!(made.row.id, LeadId(5));
}

#[tokio::test]
async fn what_cannot_be_stored_stays_in_the_spool() {
    let (outcome, spool) = replayed(|all| {
        all.events.expect_of_creations().returning(|_, _| Err(away()));
    })
    .await;
    assert!(matches!(outcome, Err(ReplayError::Database(StoreError::Unavailable(_)))));
    assert_eq!(spool.waiting(0, 9).await.unwrap()[0].problem, None);

    let (outcome, spool) = replayed(|all| {
        all.events.expect_of_creations().returning(|_, _| Ok(vec![]));
        all.leads
            .expect_create_as()
            .returning(|_, _, _| Err(StoreError::Other("no such column".into())));
    })
    .await;
    assert_eq!(outcome.unwrap(), Replayed { refused: 1, ..Replayed::default() });
    let problem = spool.waiting(0, 9).await.unwrap()[0].problem.clone();
    assert_eq!(problem.as_deref(), Some("the database refused: no such column"));
}

#[tokio::test]
async fn a_replay_does_not_subscribe_somebody_who_has_left_since() {
    for (left_at, wanted) in [(TimeDelta::seconds(1), 0), (TimeDelta::seconds(-1), 1)] {
        let mut mocks = Mocks::new();
        let all = &mut mocks.repositories;
        all.subscribers.expect_find_by_email().returning(|email| {
            Ok(Some(Subscriber {
                id: SubscriberId(3),
                email: email.to_owned(),
                is_subscribed: false,
            }))
        });
        let left = author().at(now() + left_at);
        all.events.expect_list().returning(move |_, _, _| Ok(vec![created(3, &left)]));
        all.subscribers.expect_ensure().times(wanted).returning(|_, _| Ok(()));
        let (app, spool) = app(mocks, State::There).await;
        let new = NewSubscriber { email: "ana@acme.hr".to_owned(), is_subscribed: true };
        spool.keep(&Accepted::SignUp(new), &act()).await.unwrap();
        let replayed = replay(&app, &*spool, true).await.unwrap();
        assert_eq!(replayed.stored, 1);
    }
}

#[tokio::test]
async fn a_known_key_is_trusted_for_a_day_and_only_for_creates() {
    let create = Scope::create("leads");
    for (age, scope, is_known) in [
        (TimeDelta::hours(23), Some(&create), true),
        (TimeDelta::hours(25), Some(&create), false),
        (TimeDelta::hours(1), None, false),
        (TimeDelta::hours(1), Some(&Scope::read("leads")), false),
    ] {
        let key = api_key(|key| key.draft.scopes = Scopes::of([Scope::create("leads")]));
        let spool = Arc::new(Memory::default());
        spool.remember_keys(&RememberedKeys { keys: vec![key], at: now() - age }).await.unwrap();
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_find_by_prefix().returning(|_| Err(away()));
        let app = app_over(mocks, spool, State::There).await;
        let token = crate::testing::token();
        let found =
            crate::api_keys::authenticate(&app, None, token.expose().as_bytes(), None, 1, scope);
        assert_eq!(found.await.is_ok(), is_known, "{age} {scope:?}");
    }
}

#[tokio::test]
async fn a_node_learns_the_keys_that_may_create_and_forgets_revoked_ones() {
    let mut mocks = Mocks::new();
    mocks.repositories.api_keys.expect_list().returning(|| {
        let named = |prefix: &str, change: fn(&mut ApiKey)| {
            let mut key = api_key(|key| key.draft.scopes = Scopes::of([Scope::create("leads")]));
            key.prefix = TokenPrefix(prefix.to_owned());
            change(&mut key);
            key
        };
        Ok(vec![
            named("good", |_| ()),
            named("gone", |key| key.revoked_at = Some(now())),
            named("reads", |key| key.draft.scopes = Scopes::of([Scope::read("leads")])),
        ])
    });
    let spool = Arc::new(Memory::default());
    spool
        .remember_keys(&RememberedKeys {
            keys: vec![api_key(|_| ())],
            at: now() - TimeDelta::minutes(1),
        })
        .await
        .unwrap();
    let app = app_over(mocks, Arc::clone(&spool), State::There).await;
    app.intake.as_ref().unwrap().learn_keys(&app).await.unwrap();
    let RememberedKeys { keys: kept, at } = spool.keys().await.unwrap().unwrap();
    assert_eq!(kept.iter().map(|key| key.prefix.0.as_str()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(at, now());
    let known = |prefix: &str| {
        let prefix = TokenPrefix(prefix.to_owned());
        app.intake.as_ref().unwrap().known_key(&prefix, now()).is_some()
    };
    assert!(known("good") && !known("gone") && !known("reads"));
}

#[tokio::test(start_paused = true)]
async fn a_spool_that_does_not_answer_does_not_hold_up_health() {
    let mut mocks = Mocks::new();
    mocks.repositories.health.expect_schema_is_current().returning(|| Err(away()));
    mocks.repositories.health.expect_obstacle().returning(|| Err(away()));
    let (app, spool) = app(mocks, State::Away).await;
    *spool.delay.lock().unwrap() = Duration::from_secs(3600);
    let (began, patience) = (tokio::time::Instant::now(), Duration::from_secs(1));
    let readiness = health::readiness(&app, patience).await;
    assert_eq!(readiness, health::Readiness::DatabaseAway);
    assert!(began.elapsed() <= 2 * patience);
}
