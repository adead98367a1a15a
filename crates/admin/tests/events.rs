//! The record of all events.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use actix_web::http::StatusCode;
use exit3_domain::events::{Actor, Changes, Event, EventId, Subject, Verb, record};
use exit3_domain::staff::{Language, Role, StaffId};
use exit3_ports::events::MockEventRepository;
use office::{Office, created, get, lead, post};
use serde_json::Value;

const EVENTS: &str = "/backend/admin/events/";

fn event(id: i64, resource: &str, action: &str, row: i64, changes: Changes) -> Event {
    let subject = Subject { resource: resource.into(), id: row };
    let verb = Verb::of(resource, action);
    Event { id: EventId(id), verb, subject, changes, ..created(row) }
}

/// An office whose record has these events, newest first.
fn office(role: Role, all: Vec<Event>) -> Office {
    office_in(None, role, all)
}

/// The same for a person who reads this language.
fn office_in(language: Option<Language>, role: Role, all: Vec<Event>) -> Office {
    let mut office = Office::of(role, None, language);
    let mut events = MockEventRepository::new();
    events.expect_list().returning(move |filter, before, size| {
        let is_one = |event: &&Event| {
            filter.admits(event) && before.is_none_or(|before| event.position() < before)
        };
        Ok(all.iter().filter(is_one).take(size as usize).cloned().collect())
    });
    office.repositories.events = events;
    let none = || Ok(None);
    office.repositories.subscribers.expect_find().returning(move |_| none());
    office.repositories.clients.expect_find().returning(move |_| Ok(None));
    office
}

#[actix_web::test]
async fn an_event_is_a_sentence_with_links() {
    let changes = Changes::Fields(vec![
        ("status".into(), Value::from("new"), Value::from("contacted")),
        ("owner".into(), Value::Null, Value::from(1)),
        ("notes".into(), Value::Null, Value::Null),
        ("next_step_at".into(), Value::Null, Value::from("2026-12-01T09:30:00.210097Z")),
    ]);
    let mut changed = event(3, "lead", Verb::UPDATED, 7, changes);
    changed.act.author.actor = Actor::Staff("ana".into());
    changed.act.author.request = Some("request-1".into());
    let body = office(Role::Owner, vec![changed]).answer(get(EVENTS)).await.body;
    for text in [
        // The account has markup in its name.
        "<a href=\"/backend/admin/events/?who=staff%3Aana\"><b>Ana &#60;b&#62; Horvat</b></a> \
         changed the lead",
        "<a href=\"/backend/admin/leads/7/\">&#60;script&#62;alert(&#39;name&#39;)",
        "Status: <del>New</del> → <ins>Contacted</ins>",
        "Owner: <del>nothing</del> → <ins>Ana &#60;b&#62; Horvat</ins>",
        "<del>erased</del> → <ins>erased</ins>",
        "<ins>2026-12-01 09:30</ins>",
        "request=request-1",
        "action=\"/backend/admin/undo/3/\"",
        "name=\"_back\" value=\"/backend/admin/events/\"",
    ] {
        assert!(body.contains(text), "no {text} in {body}");
    }
}

#[actix_web::test]
async fn a_deleted_row_keeps_its_name_and_its_values() {
    let deleted = Changes::Row(record(&lead(None)));
    let office = office(Role::Manager, vec![event(3, "lead", Verb::DELETED, 8, deleted)]);
    let body = office.answer(get(EVENTS)).await.body;
    // The address leads to the restoration.
    let link = "deleted the lead <a href=\"/backend/admin/leads/8/\">&#60;script&#62;alert";
    assert!(body.contains(link), "{body}");
    assert!(body.contains("<dd class=\"pre\">&#60;script&#62;alert(&#39;company&#39;)"), "{body}");
}

#[actix_web::test]
async fn a_download_tells_which_file_it_was() {
    let file = "uploads/0123456789abcdef0123456789abcdef";
    let contract = exit3_domain::contracts::Contract::at(file);
    let downloaded = || {
        let (action, changes) = (Verb::CONTRACT_DOWNLOADED, contract.downloaded());
        vec![event(3, "client", action, 9, changes)]
    };
    for (language, sentence, facts) in [
        (
            Language::English,
            "downloaded the contract of the client <a href=\"/backend/admin/clients/9/\">#9</a>",
            "<dt>Contract</dt><dd class=\"pre\">file 01234567</dd>",
        ),
        (
            Language::Croatian,
            "preuzima ugovor klijenta <a href=\"/backend/admin/clients/9/\">#9</a>",
            "<dt>Naziv datoteke</dt><dd class=\"pre\">0123456789abcdef0123456789abcdef</dd>",
        ),
    ] {
        let office = office_in(Some(language), Role::Manager, downloaded());
        let body = office.answer(get(EVENTS)).await.body;
        assert!(body.contains(sentence) && body.contains(facts), "{body}");
        assert!(!body.contains("/backend/admin/undo/"), "{body}");
    }
}

#[actix_web::test]
async fn managers_see_accounts_and_keys_without_links() {
    let all = || {
        vec![
            event(4, "api_key", Verb::CREATED, 7, Changes::None),
            event(3, "staff", Verb::SIGNED_IN, 1, Changes::None),
            event(2, "person", Verb::ERASED, 0, Changes::None),
            event(1, "robot", "danced", 5, Changes::None),
        ]
    };
    let links = ["/backend/admin/keys/7/", "/backend/admin/staff/1/"];
    let body = office(Role::Owner, all()).answer(get(EVENTS)).await.body;
    assert!(links.iter().all(|link| body.contains(link)), "{body}");
    let body = office(Role::Manager, all()).answer(get(EVENTS)).await.body;
    assert!(!links.iter().any(|link| body.contains(link)), "{body}");
    assert!(body.contains("signed in to the account <b>Ana"), "{body}");
    // What this release does not know is shown as it is stored.
    assert!(body.contains("robot.danced <b>#5</b>"), "{body}");
    assert!(!body.contains("/backend/admin/undo/"), "{body}");
}

#[actix_web::test]
async fn an_alarm_is_told_with_the_last_lead() {
    let since = exit3_testkit::builders::time("2026-11-30T14:05:00Z");
    let (new, _) = exit3_domain::silence::Silence { since, expected: 9.3 }.event();
    let noticed = event(1, &new.subject.resource, Verb::SILENT, 0, new.changes);
    let body = office(Role::Manager, vec![noticed]).answer(get(EVENTS)).await.body;
    assert!(body.contains("noticed that no lead has come for too long"), "{body}");
    assert!(body.contains("<dt>Last lead</dt><dd class=\"pre\">2026-11-30 14:05"), "{body}");
    assert!(body.contains("since then</dt><dd class=\"pre\">9.3</dd>"), "{body}");
}

#[actix_web::test]
async fn the_record_is_paged_and_filtered_by_its_address() {
    let all = || (1..=60).rev().map(|id| event(id, "lead", Verb::CREATED, id, Changes::None));
    let answer = office(Role::Owner, all().collect()).answer(get(EVENTS)).await;
    assert_eq!(answer.body.matches("<li id=\"event-").count(), 50);
    let position = created(1).act.at.timestamp_micros();
    let older = format!("{EVENTS}?before={position}.11");
    assert!(answer.body.contains(&format!("href=\"{older}\" rel=\"next\"")), "{}", answer.body);
    let answer = office(Role::Owner, all().collect()).answer(get(&older)).await;
    assert_eq!(answer.body.matches("<li id=\"event-").count(), 10);
    assert!(!answer.body.contains("rel=\"next\""), "{}", answer.body);
    let one = format!("{EVENTS}?what=lead.created&row=7");
    let answer = office(Role::Owner, all().collect()).answer(get(&one)).await;
    assert_eq!(answer.body.matches("<li id=\"event-").count(), 1);
    assert!(answer.body.contains("<option value=\"lead.created\" selected>"), "{}", answer.body);
    let other = format!("{EVENTS}?who=command:restore&what=robot");
    let answer = office(Role::Owner, all().collect()).answer(get(&other)).await;
    assert!(answer.body.contains("Nothing found"), "{}", answer.body);
    for chosen in
        ["<option value=\"command:restore\" selected>", "<option value=\"robot\" selected>"]
    {
        assert!(answer.body.contains(chosen), "no {chosen} in {}", answer.body);
    }
}

#[actix_web::test]
async fn a_bulk_action_is_taken_back_as_a_whole() {
    let noted = || {
        let mut noted = event(3, "lead", Verb::UPDATED, 7, Changes::one("full_name", "a", "b"));
        noted.act.author.batch = Some(exit3_domain::events::BatchId("bulk 1".into()));
        vec![noted]
    };
    let page = format!("{EVENTS}?batch=bulk+1");
    let body = office(Role::Manager, noted()).answer(get(&page)).await.body;
    assert!(body.contains("action=\"/backend/admin/events/undo/\""), "{body}");
    assert!(body.contains("name=\"batch\" value=\"bulk 1\""), "{body}");
    let body = office(Role::Manager, noted()).answer(get(EVENTS)).await.body;
    assert!(body.contains("batch=bulk+1") && !body.contains("events/undo/"), "{body}");
    let path = format!("{EVENTS}undo/");
    // The lead has another name than the event left.
    let answer = office(Role::Manager, noted()).answer(post(&path, "batch=bulk+1")).await;
    assert_eq!(answer.header("location"), format!("{page}&done=undone-not"));
    for gone in ["batch=other", "batch=", "batch=a%00b", ""] {
        let answer = office(Role::Manager, noted()).answer(post(&path, gone)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{gone}");
    }
}

#[actix_web::test]
async fn managers_take_no_bulk_action_about_accounts_back() {
    let mut changed = event(3, "staff", Verb::UPDATED, 1, Changes::None);
    changed.act.author.batch = Some(exit3_domain::events::BatchId("b".into()));
    let answer = office(Role::Manager, vec![changed]);
    let answer = answer.answer(post(&format!("{EVENTS}undo/"), "batch=b")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn an_undo_leads_back_to_the_record() {
    for (back, place) in [
        ("%2Fbackend%2Fadmin%2Fevents%2F%3Fwho%3Dservice", "events/?who=service&done=undone-not"),
        ("%2Fbackend%2Fadmin%2Fevents%2F", "events/?done=undone-not"),
        ("https%3A%2F%2Fevil.hr%2F", "leads/7/?done=undone-not"),
    ] {
        let mut office = Office::of(Role::Manager, Some(StaffId(2)), None);
        let mut events = MockEventRepository::new();
        let changed = event(3, "lead", Verb::UPDATED, 7, Changes::one("full_name", "a", "b"));
        events.expect_find().returning(move |_| Ok(Some(changed.clone())));
        office.repositories.events = events;
        let form = format!("_back={back}");
        let answer = office.answer(post("/backend/admin/undo/3/", &form)).await;
        assert_eq!(answer.header("location"), format!("/backend/admin/{place}"));
    }
}
