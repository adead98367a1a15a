//! Undoing over mocks: what cannot be undone, and other writers. The contract suite undoes every
//! kind of event on real databases.

use exit3_domain::access::{Record, Worker};
use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::events::{Act, Author, BatchId, Changes, Subject, Verb, record};
use exit3_domain::leads::{Lead, LeadCategory, LeadId, LeadWork, RESOURCE};
use exit3_domain::staff::{Role, StaffId};
use exit3_domain::{api_keys, clients, staff, subscribers};
use exit3_ports::Constraint;
use serde_json::json;

use super::*;
use crate::access::Doer;
use crate::seen::ATTEMPTS;
use crate::testing::{Mocks, act, author, away, stored};

fn event(id: i64, resource: &str, action: &str, changes: Changes) -> Event {
    Event {
        id: EventId(id),
        act: act(),
        verb: Verb::of(resource, action),
        subject: Subject { resource: resource.into(), id: 1 },
        changes,
    }
}

/// Mocks with these events, which are listed as they are given.
fn with_events(events: Vec<Event>) -> Mocks {
    let mut mocks = Mocks::new();
    let found = events.clone();
    mocks
        .repositories
        .events
        .expect_find()
        .returning(move |id| Ok(found.iter().find(|event| event.id == id).cloned()));
    mocks.repositories.events.expect_list().returning(move |_, before, size| {
        let is_below = |event: &&Event| before.is_none_or(|before| event.position() < before);
        Ok(events.iter().filter(is_below).take(size as usize).cloned().collect())
    });
    mocks.repositories.clients.expect_find_by_lead().returning(|_| Ok(None));
    mocks
}

fn stale() -> StoreError {
    StoreError::Conflict(Constraint::Stale)
}

fn named(name: &str) -> Lead {
    let mut lead = stored(1);
    lead.details.full_name = name.to_owned();
    lead
}

/// The event of a change of the name of a lead from Ana to Eva.
fn renamed(id: i64) -> Event {
    event(id, RESOURCE, Verb::UPDATED, Changes::one("full_name", "Ana", "Eva"))
}

#[tokio::test]
async fn says_what_cannot_be_undone() {
    let deletion = Changes::Row(record(&stored(1)));
    let kinds = [
        ("api_key", Verb::CREATED),
        ("api_key", Verb::REVOKED),
        ("staff", Verb::CREATED),
        ("staff", Verb::PASSWORD_SET),
        ("staff", Verb::DELETED),
        (Subject::DATABASE, Verb::IMPORTED),
        ("lead", Verb::IMPORTED),
        ("lead", Verb::EXPORTED),
        ("lead", Verb::EXPORT_ENDED),
        ("lead", "erased"),
        ("tag", Verb::UPDATED),
    ];
    for (resource, action) in kinds {
        for changes in [Changes::None, deletion.clone(), Changes::one("username", "a", "b")] {
            let event = event(7, resource, action, changes);
            let app = with_events(vec![event.clone()]).into_app();
            let outcome = undo(&app, EventId(7), &author()).await;
            let Err(UndoError::NotUndoable(verb)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(verb, event.verb);
        }
    }
    let app = with_events(vec![]).into_app();
    assert!(matches!(undo(&app, EventId(7), &author()).await, Err(UndoError::NotFound)));
    let none = undo_batch(&app, &BatchId("b".into()), &author()).await;
    assert!(matches!(none, Err(UndoError::NotFound)));
}

#[tokio::test]
async fn a_worker_takes_a_bulk_action_back_if_its_rows_may_be_deleted() {
    let worker = |role| Doer::worker(author(), Worker { id: StaffId(1), role });
    let batch = BatchId("b".into());
    for (resource, role, may) in [
        (RESOURCE, Role::Manager, true),
        (RESOURCE, Role::Sales, false),
        ("client", Role::Manager, true),
        ("subscriber", Role::Manager, true),
        ("staff", Role::Manager, false),
        ("staff", Role::Owner, true),
        ("database", Role::Manager, false),
    ] {
        // Nothing else can be undone, so no row is looked at.
        let app = with_events(vec![event(7, resource, Verb::IMPORTED, Changes::None)]).into_app();
        let outcome = undo_batch_by_staff(&app, &batch, &worker(role)).await;
        let is_forbidden = matches!(outcome, Err(UndoError::Forbidden(_)));
        assert_eq!(is_forbidden, !may, "{role} {resource}: {outcome:?}");
    }
    let many = (0..=i64::from(MOST_AT_ONCE)).rev();
    let many = many.map(|id| event(id, RESOURCE, Verb::IMPORTED, Changes::None)).collect();
    let app = with_events(many).into_app();
    let outcome = undo_batch_by_staff(&app, &batch, &worker(Role::Owner)).await;
    assert!(matches!(outcome, Err(UndoError::TooMany)), "{outcome:?}");
}

#[tokio::test]
async fn an_unreadable_event_changes_nothing() {
    let half = serde_json::json!({"id": 1, "full_name": "Ana"}).as_object().cloned().unwrap();
    let odd = Changes::one("source", "no such source", "other");
    for (action, changes) in [
        (Verb::DELETED, Changes::None),
        (Verb::DELETED, Changes::Row(half)),
        (Verb::UPDATED, Changes::None),
        (Verb::UPDATED, odd),
    ] {
        let mut mocks = with_events(vec![event(7, RESOURCE, action, changes)]);
        mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
        let outcome = undo(&mocks.into_app(), EventId(7), &author()).await;
        assert!(matches!(outcome, Err(UndoError::Unreadable)), "{action}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_update_is_undone_against_the_newest_row() {
    let mut mocks = with_events(vec![renamed(7)]);
    let leads = &mut mocks.repositories.leads;
    leads.expect_find().times(1).returning(|_| Ok(Some(named("Eva"))));
    leads.expect_update().times(1).returning(|_, _, _, _| Err(stale()));
    let mut closed = named("Eva");
    closed.details.notes = Some("called".into());
    let found = closed.clone();
    leads.expect_find().times(1).returning(move |_| Ok(Some(found.clone())));
    leads
        .expect_update()
        .times(1)
        .withf(move |seen, details, _, by| {
            let mut expected = closed.details.clone();
            expected.full_name = "Ana".to_owned();
            *seen == closed && *details == expected && *by == act()
        })
        .returning(|seen, _, _, _| Ok(seen.clone()));
    let undone = undo(&mocks.into_app(), EventId(7), &author()).await;
    assert_eq!(undone.unwrap(), Undone::default());
}

/// The mocks refuse every write.
#[tokio::test]
async fn an_undo_that_is_asked_for_again_is_done() {
    let mut mocks = with_events(vec![renamed(7)]);
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(named("Ana"))));
    let undone = undo(&mocks.into_app(), EventId(7), &author()).await;
    assert_eq!(undone.unwrap(), Undone::default());
}

#[tokio::test]
async fn gives_up_when_others_never_stop_changing_the_row() {
    let created = event(7, RESOURCE, Verb::CREATED, Changes::None);
    for event in [renamed(7), created] {
        let mut mocks = with_events(vec![event]);
        let leads = &mut mocks.repositories.leads;
        leads.expect_find().times(ATTEMPTS).returning(|_| Ok(Some(named("Eva"))));
        leads.expect_update().returning(|_, _, _, _| Err(stale()));
        leads.expect_delete().returning(|_, _| Err(stale()));
        let outcome = undo(&mocks.into_app(), EventId(7), &author()).await;
        assert!(matches!(outcome, Err(UndoError::Contended)));
    }
}

#[tokio::test]
async fn a_creation_is_not_undone_if_the_row_changes_meanwhile() {
    let created = event(7, RESOURCE, Verb::CREATED, Changes::None);
    let mut mocks = Mocks::new();
    let found = created.clone();
    mocks.repositories.events.expect_find().returning(move |_| Ok(Some(found.clone())));
    let newest = created.clone();
    let events = &mut mocks.repositories.events;
    events.expect_list().times(1).returning(move |_, _, _| Ok(vec![newest.clone()]));
    events.expect_list().times(1).returning(move |_, _, _| Ok(vec![renamed(8), created.clone()]));
    mocks.repositories.clients.expect_find_by_lead().times(1).returning(|_| Ok(None));
    mocks.repositories.leads.expect_find().times(2).returning(|_| Ok(Some(named("Eva"))));
    mocks.repositories.leads.expect_delete().times(1).returning(|_, _| Err(stale()));
    let outcome = undo(&mocks.into_app(), EventId(7), &author()).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)));
}

fn in_batch(mut event: Event, batch: &str) -> Event {
    event.act.author.batch = Some(BatchId(batch.into()));
    event
}

#[tokio::test]
async fn a_creation_whose_event_is_no_longer_stored_is_not_undone() {
    let created = event(7, RESOURCE, Verb::CREATED, Changes::None);
    let mut mocks = Mocks::new();
    mocks.repositories.events.expect_find().returning(move |_| Ok(Some(created.clone())));
    mocks.repositories.events.expect_list().returning(|_, _, _| Ok(vec![]));
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    let outcome = undo(&mocks.into_app(), EventId(7), &author()).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)));
}

#[tokio::test]
async fn a_database_that_fails_ends_the_undo_of_a_batch() {
    let events = (1..=3).rev().map(|id| in_batch(renamed(id), "b")).collect();
    let mut mocks = with_events(events);
    let leads = &mut mocks.repositories.leads;
    leads.expect_find().times(1).returning(|_| Ok(Some(named("Eva"))));
    leads.expect_update().times(1).returning(|seen, _, _, _| Ok(seen.clone()));
    leads.expect_find().times(1).returning(|_| Err(away()));
    let outcomes = undo_batch(&mocks.into_app(), &BatchId("b".into()), &author()).await.unwrap();
    let ids: Vec<i64> = outcomes.iter().map(|(id, _)| id.0).collect();
    assert_eq!(ids, [3, 2]);
    assert!(outcomes[0].1.is_ok());
    assert!(matches!(outcomes[1].1, Err(UndoError::Store(StoreError::Unavailable(_)))));
}

#[tokio::test]
async fn the_undo_of_a_batch_is_a_batch_of_its_own() {
    let given = Author { batch: Some(BatchId("given".into())), ..author() };
    for (author, expected) in [(author(), "undo-2-1790000000000001"), (given, "given")] {
        let mut mocks = with_events(vec![in_batch(renamed(2), "b"), in_batch(renamed(1), "b")]);
        let expected = Act {
            author: Author { batch: Some(BatchId(expected.into())), ..author.clone() },
            ..act()
        };
        assert!(expected.author.batch.as_ref().unwrap().0.len() <= 64);
        let leads = &mut mocks.repositories.leads;
        leads.expect_find().returning(|_| Ok(Some(named("Eva"))));
        leads
            .expect_update()
            .times(2)
            .withf(move |_, _, _, act| *act == expected)
            .returning(|seen, _, _, _| Ok(seen.clone()));
        let outcomes = undo_batch(&mocks.into_app(), &BatchId("b".into()), &author).await.unwrap();
        assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
    }
}

#[tokio::test]
async fn history_and_list_pass_on_what_is_asked_for() {
    let mut mocks = Mocks::new();
    let filter = EventFilter {
        resource: Some(RESOURCE.into()),
        id: Some(LeadId(7).0),
        ..EventFilter::default()
    };
    let asked = filter.clone();
    mocks
        .repositories
        .events
        .expect_list()
        .times(2)
        .withf(move |filter, before, size| {
            *filter == asked && *before == Some(renamed(9).position()) && *size == 5
        })
        .returning(|_, _, _| Ok(vec![renamed(8)]));
    let app = mocks.into_app();
    let before = Some(renamed(9).position());
    assert_eq!(history(&app, RESOURCE, 7, before, 5).await.unwrap(), [renamed(8)]);
    assert_eq!(list(&app, &filter, before, 5).await.unwrap(), [renamed(8)]);
}

/// What a person of sales may not do in a form must not be possible by taking something back.
#[tokio::test]
async fn sales_do_not_give_leads_away_by_undoing() {
    let lead_of = |owner| {
        let mut lead = stored(1);
        lead.work.owner = Some(StaffId(owner));
        lead
    };
    let worker = Worker { id: StaffId(5), role: Role::Sales };
    let doer = Doer::worker(author(), worker);
    for (before, after, is_allowed) in [(1, 5, false), (5, 5, true)] {
        let given = event(3, RESOURCE, Verb::UPDATED, Changes::one("owner", before, after));
        let mut mocks = with_events(vec![given.clone()]);
        mocks.repositories.leads.expect_find().returning(move |_| Ok(Some(lead_of(5))));
        mocks.repositories.leads.expect_update().returning(|seen, _, _, _| Ok(seen.clone()));
        let outcome = undo_by_staff(&mocks.into_app(), &given, &doer).await;
        assert_eq!(!matches!(outcome, Err(UndoError::Forbidden(_))), is_allowed, "{before}");
        let (record, before) = (Record::Lead(Some(StaffId(5))), json!(before));
        assert_eq!(may_undo_fields(&doer, record, [("owner", &before)]), is_allowed, "{before}");
    }
}

/// The lead of a client decides who owns the client.
#[tokio::test]
async fn sales_do_not_give_clients_away_by_undoing() {
    let lead = Changes::one("lead", Some(8), Some(7));
    let charge = Changes::one("monthly_charge", "5.00", "7.00");
    for (changes, role, is_allowed) in [
        (&lead, Role::Sales, false),
        (&lead, Role::Manager, true),
        (&charge, Role::Sales, true),
        (&charge, Role::Viewer, false),
    ] {
        let given = event(1, clients::RESOURCE, Verb::UPDATED, changes.clone());
        let mut mocks = with_events(vec![given.clone()]);
        mocks.repositories.leads.expect_find().returning(|_| {
            let work = LeadWork { owner: Some(StaffId(5)), ..LeadWork::default() };
            Ok(Some(Lead { work, ..stored(7) }))
        });
        mocks.repositories.clients.expect_find().returning(|_| Ok(Some(client())));
        mocks.repositories.clients.expect_update().returning(|seen, _, _| Ok(seen.clone()));
        let doer = Doer::worker(author(), Worker { id: StaffId(5), role });
        let outcome = undo_by_staff(&mocks.into_app(), &given, &doer).await;
        let is_refused = matches!(outcome, Err(UndoError::Forbidden(_)));
        assert_eq!(!is_refused, is_allowed, "{role}: {outcome:?}");
    }
}

/// The writes are not reached: the events say nothing that can be taken back.
#[tokio::test]
async fn each_role_takes_back_what_it_may_change() {
    let managers: &[Role] = &[Role::Owner, Role::Manager];
    let sales: &[Role] = &[Role::Owner, Role::Manager, Role::Sales];
    for (resource, action, lead_owner, allowed) in [
        (subscribers::RESOURCE, Verb::UPDATED, 1, managers),
        (subscribers::RESOURCE, Verb::DELETED, 1, managers),
        (subscribers::RESOURCE, Verb::CREATED, 1, &[]),
        (clients::RESOURCE, Verb::UPDATED, 1, sales),
        (clients::RESOURCE, Verb::UPDATED, 2, managers),
        (clients::RESOURCE, Verb::DELETED, 1, managers),
        (clients::RESOURCE, Verb::CREATED, 1, &[]),
        (staff::RESOURCE, Verb::UPDATED, 1, &[]),
        (api_keys::RESOURCE, Verb::REVOKED, 1, &[]),
    ] {
        for role in Role::ALL {
            let given = event(1, resource, action, Changes::None);
            let mut mocks = with_events(vec![given.clone()]);
            mocks.repositories.leads.expect_find().returning(move |_| {
                let work = LeadWork { owner: Some(StaffId(lead_owner)), ..LeadWork::default() };
                Ok(Some(Lead { work, ..stored(1) }))
            });
            mocks.repositories.clients.expect_find().returning(|_| Ok(Some(client())));
            mocks.repositories.subscribers.expect_find().returning(|_| Ok(None));
            let doer = Doer::worker(author(), Worker { id: StaffId(1), role: *role });
            let outcome = undo_by_staff(&mocks.into_app(), &given, &doer).await;
            let is_allowed = !matches!(outcome, Err(UndoError::Forbidden(_)));
            let expected = allowed.contains(role);
            assert_eq!(is_allowed, expected, "{role} {resource}.{action}: {outcome:?}");
        }
    }
}

fn client() -> Client {
    let details = NewClient {
        lead: Some(LeadId(7)),
        team_id: String::new(),
        monthly_charge: None,
        one_time_charge: None,
        contract_file: None,
        short_description: String::new(),
        category: LeadCategory::WebDev,
    };
    Client { id: ClientId(1), details }
}
