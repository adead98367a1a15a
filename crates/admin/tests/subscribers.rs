//! The pages of subscribers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use actix_web::http::StatusCode;
use exit3_domain::events::{Changes, Event, EventId, Subject, Verb};
use exit3_domain::order::SortValue;
use exit3_domain::paging::{Direction, Glance, Page, Slice};
use exit3_domain::staff::{Language, Role};
use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_domain::versions::Version;
use exit3_ports::events::MockEventRepository;
use exit3_ports::subscribers::{EMAIL_TAKEN, MockSubscriberRepository};
use exit3_ports::{Constraint, StoreError};
use office::{Office, get, post};

const LIST: &str = "/backend/admin/subscribers/";
const ONE: &str = "/backend/admin/subscribers/7/";

fn stored() -> Subscriber {
    Subscriber { id: SubscriberId(7), email: "ana@acme.hr".to_owned(), is_subscribed: true }
}

fn version() -> String {
    Version::of(&stored()).as_str().to_owned()
}

/// An office with these subscribers.
fn with(subscribers: MockSubscriberRepository) -> Office {
    let mut office = Office::of(Role::Manager, None, None);
    office.repositories.subscribers = subscribers;
    office
}

/// Mocks in which the subscriber is found.
fn found() -> MockSubscriberRepository {
    let mut subscribers = MockSubscriberRepository::new();
    subscribers.expect_find().returning(|_| Ok(Some(stored())));
    subscribers
}

#[actix_web::test]
async fn a_list_says_how_many_there_are_of_each_state() {
    let mut subscribers = MockSubscriberRepository::new();
    subscribers.expect_glance().returning(|filter, order, step| {
        assert_eq!((filter.is_subscribed, order.to_string().as_str()), (Some(false), "email"));
        let from = step.from.as_ref().map(|from| from.values.clone());
        assert_eq!(from, Some(vec![SortValue::Text("a.b@acme.hr".to_owned())]));
        assert_eq!((step.direction, step.size), (Direction::Forward, 25));
        let slice = Slice { rows: vec![stored()], has_next: true, has_previous: true };
        Ok(Glance { slice, is_cut_short: false })
    });
    subscribers.expect_list().returning(|filter, _, request| {
        assert_eq!(request.size, 1, "counts read no rows");
        let count = if filter.is_subscribed == Some(true) { 900_000 } else { 100_000 };
        Ok(Some(Page { count, number: 1, rows: Vec::new() }))
    });
    let path = format!("{LIST}?subscribed=false&sort=email&size=25&after=3&at=a.b%40acme.hr");
    let answer = with(subscribers).answer(get(&path)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    for number in ["1,000,000", "900,000", "100,000"] {
        assert!(answer.body.contains(&format!("<span class=\"number\">{number}</span>")));
    }
    assert!(answer.body.contains("name=\"subscribed\" value=\"false\""), "{}", answer.body);
    let row = "subscribers/7/?subscribed=false&#38;sort=email&#38;size=25";
    assert!(answer.body.contains(row), "{}", answer.body);
    let next = "sort=email&#38;size=25&#38;after=7&#38;at=ana%40acme.hr";
    assert!(answer.body.contains(next), "{}", answer.body);
}

#[actix_web::test]
async fn a_search_says_if_it_was_cut_short() {
    let office = || Office::of(Role::Viewer, None, None);
    let answer = office().answer(get(&format!("{LIST}?q=an"))).await;
    assert!(answer.body.contains("Only the next subscribers"), "{}", answer.body);
    let all = "/backend/admin/subscribers/?q=an&#38;count=exact";
    assert!(answer.body.contains(all), "{}", answer.body);
    assert!(answer.body.contains("<span class=\"number\">1+</span>"), "{}", answer.body);
    let answer = office().answer(get(&format!("{LIST}?q=an&count=exact"))).await;
    assert!(!answer.body.contains("Only the next subscribers"), "{}", answer.body);
    assert!(answer.body.contains("<span class=\"number\">1,234</span>"), "{}", answer.body);
}

#[actix_web::test]
async fn a_list_without_rows_says_why() {
    for (query, text) in [
        ("", "No subscribers yet"),
        ("?q=nobody", "Drop the search"),
        ("?subscribed=true", "Any status"),
        ("?after=3&sort=email&at=z", "Nothing further in this list"),
    ] {
        let mut subscribers = MockSubscriberRepository::new();
        subscribers.expect_glance().returning(|_, _, _| {
            let slice = Slice { rows: Vec::new(), has_next: false, has_previous: false };
            Ok(Glance { slice, is_cut_short: false })
        });
        let empty = || Page { count: 0, number: 1, rows: Vec::new() };
        subscribers.expect_list().returning(move |_, _, _| Ok(Some(empty())));
        let answer = with(subscribers).answer(get(&format!("{LIST}{query}"))).await;
        assert!(answer.body.contains(text), "{query}: {}", answer.body);
    }
}

#[actix_web::test]
async fn a_page_has_the_history_and_what_a_person_may_do() {
    for (role, may_edit) in [(Role::Manager, true), (Role::Sales, false)] {
        let answer = Office::of(role, None, Some(Language::Croatian)).answer(get(ONE)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.contains("upisuje pretplatnika"), "{}", answer.body);
        for mark in ["Završi pretplatu", "/7/edit/", "/7/delete/", "/undo/2/"] {
            assert_eq!(answer.body.contains(mark), may_edit, "{role} {mark}");
        }
    }
}

#[actix_web::test]
async fn a_button_ends_a_subscription() {
    let mut subscribers = found();
    subscribers.expect_update().times(1).returning(|seen, details, _| {
        assert_eq!((details.email.as_str(), details.is_subscribed), ("ana@acme.hr", false));
        Ok(Subscriber { is_subscribed: false, ..seen.clone() })
    });
    let back = "%2Fbackend%2Fadmin%2Fsubscribers%2F7%2F%3Fq%3Da";
    let form =
        format!("_version={}&_base_is_subscribed=true&is_subscribed=false&_back={back}", version());
    let answer = with(subscribers).answer(post(&format!("{ONE}row/"), &form)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), format!("{ONE}?q=a&done=unsubscribed"));
}

#[actix_web::test]
async fn a_refused_form_comes_back_with_what_was_typed() {
    let mut subscribers = found();
    let taken = || Err(StoreError::Conflict(EMAIL_TAKEN));
    subscribers.expect_update().returning(move |_, _, _| taken());
    let form = format!("_version={}&email=eva%40acme.hr&is_subscribed=false", version());
    let answer = with(subscribers).answer(post(&format!("{ONE}edit/"), &form)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("value=\"eva@acme.hr\""), "{}", answer.body);
    assert!(answer.body.contains("This address is subscribed already."), "{}", answer.body);
    assert!(answer.body.contains("value=\"false\" selected"), "{}", answer.body);
}

#[actix_web::test]
async fn a_conflict_shows_both_addresses() {
    let form = "_version=older&_base_email=old%40acme.hr&email=eva%40acme.hr&is_subscribed=true\
        &_base_is_subscribed=true";
    let answer = with(found()).answer(post(&format!("{ONE}edit/"), form)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    for address in ["eva@acme.hr", "ana@acme.hr", "old@acme.hr"] {
        assert!(answer.body.contains(&format!("<span class=\"pre\">{address}</span>")));
    }
    let version = format!("name=\"_version\" value=\"{}\"", version());
    assert!(answer.body.contains(&version), "{}", answer.body);
}

/// The deletion of the subscriber.
fn deleted() -> Event {
    let row = exit3_domain::events::record(&stored());
    Event {
        id: EventId(5),
        verb: Verb::of("subscriber", Verb::DELETED),
        subject: Subject { resource: "subscriber".into(), id: 7 },
        changes: Changes::Row(row),
        ..office::created(7)
    }
}

fn with_deletion(office: &mut Office) {
    let mut events = MockEventRepository::new();
    events.expect_list().returning(|filter, _, _| {
        assert_eq!((filter.resource.as_deref(), filter.id), (Some("subscriber"), Some(7)));
        Ok(vec![deleted()])
    });
    events.expect_find().returning(|_| Ok(Some(deleted())));
    office.repositories.events = events;
}

#[actix_web::test]
async fn a_deletion_can_be_taken_back() {
    let mut subscribers = found();
    subscribers.expect_delete().times(1).returning(|_, _| Ok(()));
    let mut office = with(subscribers);
    with_deletion(&mut office);
    let form = format!("_version={}", version());
    let answer = office.answer(post(&format!("{ONE}delete/"), &form)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let place = format!("{LIST}?done=subscriber-deleted&event=5");
    assert_eq!(answer.header("location"), place);
    let answer = Office::of(Role::Manager, None, None).answer(get(&place)).await;
    assert!(answer.body.contains("/backend/admin/undo/5/"), "{}", answer.body);
    let gone = || {
        let mut subscribers = MockSubscriberRepository::new();
        subscribers.expect_find().returning(|_| Ok(None));
        subscribers
    };
    let mut office = with(gone());
    with_deletion(&mut office);
    let answer = office.answer(get(ONE)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.body.contains("/backend/admin/undo/5/"), "{}", answer.body);
    let mut subscribers = gone();
    subscribers.expect_restore().times(1).returning(|back, _| {
        assert_eq!(*back, stored());
        Ok(())
    });
    let mut office = with(subscribers);
    with_deletion(&mut office);
    let answer = office.answer(post("/backend/admin/undo/5/", "")).await;
    assert_eq!(answer.header("location"), format!("{ONE}?done=undone"), "{}", answer.body);
}

#[actix_web::test]
async fn nobody_deletes_what_has_changed_meanwhile() {
    let answer = with(found()).answer(post(&format!("{ONE}delete/"), "_version=older")).await;
    assert_eq!(answer.header("location"), format!("{ONE}?done=subscriber-changed"));
    let mut subscribers = found();
    let stale = || Err(StoreError::Conflict(Constraint::Stale));
    subscribers.expect_delete().returning(move |_, _| stale());
    let form = format!("_version={}", version());
    let answer = with(subscribers).answer(post(&format!("{ONE}delete/"), &form)).await;
    assert!(!answer.header("location").contains("deleted"), "{}", answer.body);
}

#[actix_web::test]
async fn the_search_over_everything_finds_subscribers() {
    let mut subscribers = MockSubscriberRepository::new();
    subscribers.expect_glance().returning(|filter, _, step| {
        assert_eq!((filter.words.as_slice(), step.size), (["ana".to_owned()].as_slice(), 8));
        let slice = Slice { rows: vec![stored()], has_next: false, has_previous: false };
        Ok(Glance { slice, is_cut_short: false })
    });
    let answer = with(subscribers).answer(get("/backend/admin/search/?q=ana")).await;
    assert!(answer.body.contains(&format!("href=\"{ONE}\"")), "{}", answer.body);
    assert!(answer.body.contains(&format!("href=\"{LIST}?q=ana\"")), "{}", answer.body);
    assert!(answer.body.contains("/backend/admin/leads/?q=ana"), "{}", answer.body);
}
