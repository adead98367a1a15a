//! Requests that come more than once.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use exit3_domain::events::{Act, BatchId, Changes, Event, EventId, Subject, Verb};
use exit3_ports::MockClock;
use exit3_ports::events::REQUEST_SENT;

use crate::access::{holding, key, named};
use crate::*;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const ANA: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;
const ANA_FORM: &str = "full_name=Ana+Horvat&position=CTO&email=ana@acme.hr";

/// Refuses what the unique index of events refuses. The ids of leads count from 1.
fn remembering(mut service: Service) -> Service {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let stored = Arc::clone(&events);
    let create = move |act: &Act| {
        let mut events = stored.lock().unwrap();
        let key = act.author.batch.as_ref().and_then(BatchId::request_key);
        let is_of =
            |event: &Event| event.act.author.batch.as_ref().and_then(BatchId::request_key) == key;
        if key.is_some() && events.iter().any(is_of) {
            return Err(StoreError::Conflict(REQUEST_SENT));
        }
        let id = events.len() as i64 + 1;
        events.push(Event {
            id: EventId(id),
            act: act.clone(),
            verb: Verb::of("lead", Verb::CREATED),
            subject: Subject { resource: "lead".into(), id },
            changes: Changes::None,
        });
        Ok(Lead { created_at: act.at, updated_at: act.at, ..lead(id) })
    };
    let leads = &mut service.repositories.leads;
    leads
        .expect_create()
        .returning(move |details, act| Ok(Lead { details: details.clone(), ..create(act)? }));
    service.repositories.events.expect_of_request().returning(move |key| {
        let events = events.lock().unwrap();
        let is_of = |event: &&Event| {
            event.act.author.batch.as_ref().and_then(BatchId::request_key) == Some(key)
        };
        Ok(events.iter().find(is_of).cloned())
    });
    service
}

fn keyed(key: &str, body: &str) -> TestRequest {
    post(LEADS, JSON, body).insert_header(("Idempotency-Key", key))
}

/// The status, the id and whether it was repeated.
fn told(answer: &Answer) -> (u16, Option<i64>, bool) {
    let is_repeated = answer.header("idempotency-replayed") == Some("true");
    (answer.status.as_u16(), answer.json().get("id").and_then(Value::as_i64), is_repeated)
}

#[actix_web::test]
async fn a_request_with_a_key_creates_once() {
    let bob = ANA.replace("Ana", "Bob");
    // Another order and another spelling of the same fields.
    let turned = r#"{"position":"CTO","email":"ana@acme.hr","full_name":"Ana Horvat"}"#;
    let requests = vec![
        keyed("\"a\"", ANA),
        keyed("\"a\"", ANA),
        keyed("\"a\"", turned),
        keyed("\"a\"", ANA).uri("/backend/api/leads/"),
        keyed("\"a\"", &bob),
        keyed("\"b\"", ANA),
        post(LEADS, JSON, ANA),
        post(LEADS, JSON, ANA),
    ];
    let answers = remembering(Service::default()).answers(requests).await;
    let (first, again) = ((201, Some(1), false), (201, Some(1), true));
    let others =
        [(422, None, false), (201, Some(2), false), (201, Some(3), false), (201, Some(4), false)];
    let told: Vec<_> = answers.iter().map(told).collect();
    assert_eq!(told[..4], [first, again, again, again]);
    assert_eq!(told[4..], others);
    assert_eq!(answers[0].body, answers[1].body);
    let detail = "This Idempotency-Key was used with another request.";
    assert_eq!(answers[4].json(), json!({ "detail": detail }));
}

#[actix_web::test]
async fn a_malformed_key_is_400_and_creates_nothing() {
    let long = format!("\"{}\"", "a".repeat(256));
    for key in [
        "a",
        "",
        "\"",
        "\"\"",
        "\"a",
        "a\"",
        "'a'",
        "\"a\", \"b\"",
        "1",
        "?1",
        ":YQ==:",
        &long,
        "\"č\"",
    ] {
        let mut service = Service::default();
        service.repositories.leads.expect_create().never();
        let answer = service.answer(keyed(key, ANA)).await;
        assert_eq!(answer.status, 400, "{key}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("Idempotency-Key"), "{key}");
    }
    let mut service = Service::default();
    service.repositories.leads.expect_create().never();
    let twice = keyed("\"a\"", ANA).append_header(("Idempotency-Key", "\"b\""));
    assert_eq!(service.answer(twice).await.status, 400);
    for key in ["\"a\"; version=1", " \"a\" ", "\"\\\"a\\\\\"", &format!("\"{}\"", "a".repeat(255))]
    {
        let answer = remembering(Service::default()).answer(keyed(key, ANA)).await;
        assert_eq!(answer.status, 201, "{key}");
    }
}

/// A key that forwards visitors, or one in a page.
fn shared(is_publishable: bool) -> Service {
    let mut service = remembering(holding(key("leads:create", |key| match is_publishable {
        true => key.draft.origins = vec!["https://exit3.agency".to_owned()],
        false => key.draft.forwards_visitors = true,
    })));
    service.site.trusted_proxies =
        exit3_web::TrustedProxies::new(["192.0.2.1/32".parse().unwrap()]);
    service
}

fn of_visitor(request: TestRequest, address: &str) -> TestRequest {
    let request = named(request).peer_addr("192.0.2.1:9".parse().unwrap());
    request
        .insert_header(("Origin", "https://exit3.agency"))
        .insert_header(("X-Forwarded-For", address.to_owned()))
}

#[actix_web::test]
async fn visitors_who_share_an_api_key_do_not_share_their_keys() {
    for is_publishable in [true, false] {
        let by = |address| of_visitor(keyed("\"a\"", ANA), address);
        let requests = vec![by("203.0.113.1"), by("203.0.113.2"), by("203.0.113.1")];
        let answers = shared(is_publishable).answers(requests).await;
        let told: Vec<_> = answers.iter().map(told).collect();
        assert_eq!(told, [(201, Some(1), false), (201, Some(2), false), (201, Some(1), true)]);
    }
}

#[actix_web::test]
async fn a_form_that_a_visitor_sends_twice_at_once_creates_once() {
    for is_publishable in [true, false] {
        let by = |address, body: &str| of_visitor(post(LEADS, FORM, body), address);
        let requests = vec![
            by("203.0.113.1", ANA_FORM),
            by("203.0.113.1", ANA_FORM),
            by("203.0.113.2", ANA_FORM),
            by("203.0.113.1", &ANA_FORM.replace("CTO", "CEO")),
            of_visitor(post(LEADS, JSON, ANA), "203.0.113.1"),
            of_visitor(post(LEADS, JSON, ANA), "203.0.113.1"),
        ];
        let answers = shared(is_publishable).answers(requests).await;
        let ids: Vec<_> = answers.iter().map(|answer| told(answer).1).collect();
        assert_eq!(ids, [1, 1, 2, 3, 4, 5].map(Some));
        assert!(answers.iter().all(|answer| answer.status == 201));
    }
    // The sender of this form may stand for many visitors.
    let twice = vec![post(LEADS, FORM, ANA_FORM), post(LEADS, FORM, ANA_FORM)];
    let answers = remembering(Service::default()).answers(twice).await;
    assert_eq!(told(&answers[1]), (201, Some(2), false));
}

#[actix_web::test]
async fn a_form_counts_as_the_same_for_ten_seconds() {
    // Windows of time are compared, so the first form comes at each second of one.
    for begun in 0..10 {
        let mut service = shared(true);
        let after = Arc::new(AtomicI64::new(0));
        let mut clock = MockClock::new();
        let seconds = Arc::clone(&after);
        let passed = move || TimeDelta::seconds(begun + seconds.load(Ordering::Relaxed));
        clock.expect_now().returning(move || now() + passed());
        service.clock = Some(clock);
        let times = [0, 1, 9, 11, 30];
        service.before =
            Some(Box::new(move |number| after.store(times[number], Ordering::Relaxed)));
        let form = || of_visitor(post(LEADS, FORM, ANA_FORM), "203.0.113.1");
        let answers = service.answers(times.iter().map(|_| form()).collect()).await;
        let ids: Vec<_> = answers.iter().map(|answer| told(answer).1).collect();
        assert_eq!(ids, [1, 1, 1, 2, 3].map(Some), "begun at {begun}");
    }
}
