//! Canaries, which are no leads.

use chrono::TimeDelta;
use exit3_domain::canaries::CanaryId;
use exit3_http::{CANARY_HEADER, CanaryKey};
use exit3_ports::Standing;

use crate::*;

const JSON: &str = "application/json";
/// That of the service in these tests.
const SECRET: &str = "secret";
const ID: CanaryId = CanaryId(7);
const ANA: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

fn marked(secret: &str, minutes: i64) -> String {
    let key = CanaryKey::new(&secret.to_owned().into());
    key.mark(ID, now() + TimeDelta::minutes(minutes))
}

fn body() -> String {
    ID.body().unwrap().to_string()
}

fn canary(path: &str, mark: &str, body: &str) -> TestRequest {
    post(path, JSON, body).insert_header((CANARY_HEADER, mark))
}

/// A service that takes canaries and nothing else, and asks no quota.
fn service() -> Service {
    let limit = |text: &str| Some(text.parse().unwrap());
    let limits = Limits {
        visitor: limit("1/day"),
        key: limit("1/day"),
        lead_create: limit("1/day"),
        newsletter_create: limit("1/day"),
    };
    let mut service = Service { limits, ..Service::default() };
    let create = service.repositories.canaries.expect_create();
    create.returning(|id, details, act| {
        assert_eq!((id, details), (ID, &ID.lead()));
        let details = details.clone();
        Ok(Lead { details, created_at: act.at, updated_at: act.at, ..lead(5) })
    });
    service
}

#[actix_web::test]
async fn a_canary_is_answered_as_a_lead_without_a_charge() {
    for path in [LEADS, "/backend/api/leads/"] {
        let answer = service().answer(canary(path, &marked(SECRET, 0), &body())).await;
        assert_eq!((answer.status, answer.json()["id"].clone()), (StatusCode::CREATED, json!(5)));
        assert_eq!(answer.json()["full_name"], "Canary");
        assert_eq!(answer.header("ratelimit"), None);
    }
}

/// The mocks take no lead and no subscriber.
#[actix_web::test]
async fn a_wrong_canary_is_refused_and_never_becomes_a_lead() {
    let good = marked(SECRET, 0);
    let wrong = "Exit3-Canary is wrong or too old.";
    let other = "The body is not that of the canary in Exit3-Canary.";
    let elsewhere = "Exit3-Canary is for creating leads only.";
    for (request, told) in [
        (canary(LEADS, "", ANA), wrong),
        (canary(LEADS, "a.b.c", ANA), wrong),
        (canary(LEADS, &marked("other", 0), &body()), wrong),
        (canary(LEADS, &marked(SECRET, -6), &body()), wrong),
        (canary(LEADS, &marked(SECRET, 6), &body()), wrong),
        (canary(LEADS, &good, &body()).append_header((CANARY_HEADER, good.clone())), wrong),
        (canary(LEADS, &good, ANA), other),
        (canary(LEADS, &good, &CanaryId(8).body().unwrap().to_string()), other),
        (canary(NEWSLETTER, &good, r#"{"email": "ana@acme.hr"}"#), elsewhere),
        (canary(CLIENTS, &good, "{}"), elsewhere),
        (get(LEADS).insert_header((CANARY_HEADER, good.clone())), elsewhere),
    ] {
        let mut service = service();
        service.limits = Limits::default();
        let answer = service.answer(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{told}");
        assert_eq!(answer.json()["detail"], told);
    }
    // A proxy on the way has removed the mark.
    let answer = Service::default().answer(post(LEADS, JSON, body())).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json().get("status").is_some(), "{}", answer.json());
}

#[actix_web::test]
async fn a_canary_needs_a_key_that_may_create_leads() {
    let mark = marked(SECRET, 0);
    let request = TestRequest::post().uri(LEADS).insert_header(("content-type", JSON));
    let request = request.insert_header((CANARY_HEADER, mark)).set_payload(body());
    let mut service = service();
    service.limits = Limits::default();
    assert_eq!(service.answer(request).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_wrong_canary_is_charged_as_any_request() {
    let mut service = service();
    let charge = service.quotas.expect_charge().times(1);
    charge.returning(|charges| {
        let granted = Standing { remaining: 0, refused_for: None };
        charges.iter().map(|_| granted).collect()
    });
    let answer = service.answer(canary(LEADS, &marked("other", 0), &body())).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_ne!(answer.header("ratelimit"), None);
}

#[actix_web::test]
async fn a_canary_fails_while_the_database_is_away() {
    let mut service = Service::default();
    let create = service.repositories.canaries.expect_create();
    create.returning(|_, _, _| Err(StoreError::Unavailable("away".into())));
    let answer = service.answer(canary(LEADS, &marked(SECRET, 0), &body())).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}
