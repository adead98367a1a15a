//! Keys, scopes and quotas.

use std::time::Duration;

use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, ApiKeyId, KeyToken, Scopes};
use exit3_domain::quotas::{Quota, Rate};
use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_ports::{Charge, Standing};
use exit3_web::subject;

use crate::*;

const NO_PERMISSION: &str = "You do not have permission to perform this action.";

fn token() -> KeyToken {
    KeyToken::secret(&[7; 40])
}

pub(super) fn key(scopes: &str, change: impl FnOnce(&mut ApiKey)) -> ApiKey {
    let mut key = ApiKey {
        id: ApiKeyId(1),
        draft: ApiKeyDraft {
            name: "website".to_owned(),
            scopes: Scopes::from_words(scopes),
            origins: Vec::new(),
            rate: None,
            forwards_visitors: false,
            expires_at: None,
        },
        prefix: token().prefix().clone(),
        digest: token().digest(),
        created_at: now(),
        revoked_at: None,
        last_used_at: None,
    };
    change(&mut key);
    key
}

pub(super) fn named(request: TestRequest) -> TestRequest {
    request.insert_header(("Authorization", format!("Basic {}", token().expose())))
}

pub(super) fn holding(key: ApiKey) -> Service {
    let mut service = Service::default();
    service.repositories.api_keys.expect_find_by_prefix().returning(move |_| Ok(Some(key.clone())));
    service
}

/// The usual requests to a resource, and the scopes that they need.
fn requests(path: &str) -> [(TestRequest, &'static str); 6] {
    let one = format!("{path}1/");
    [
        (TestRequest::get().uri(path), "read"),
        (TestRequest::get().uri(&one), "read"),
        (TestRequest::post().uri(path), "create"),
        (TestRequest::put().uri(&one), "write"),
        (TestRequest::patch().uri(&one), "write"),
        (TestRequest::delete().uri(&one), "write"),
    ]
}

#[actix_web::test]
async fn a_key_opens_its_scopes_and_nothing_else() {
    for (resource, path) in resources() {
        for held in exit3_http::OWN.scopes().map(|scope| scope.to_string()) {
            for (request, action) in requests(&path) {
                let needed = format!("{resource}:{action}");
                let is_scope = exit3_http::OWN.scopes().any(|scope| scope.to_string() == needed);
                let needed = if is_scope { needed } else { format!("{resource}:write") };
                // The mocks have no expectations and panic. So a 500 shows that the request reached
                // the handler.
                let answer = holding(key(&held, |_| ())).answer(named(request)).await;
                if held == needed {
                    assert_ne!(answer.status, StatusCode::FORBIDDEN, "{held} {path}");
                } else {
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{held} {path}");
                    assert_eq!(answer.json(), json!({ "detail": NO_PERMISSION }));
                }
            }
        }
    }
}

#[actix_web::test]
async fn scopes_of_a_newer_version_open_nothing() {
    for held in ["tags:read", "leads:list", "lead:read", "newsletter:all", "clients:create"] {
        let answer = holding(key(held, |_| ())).answer(named(TestRequest::get().uri(LEADS))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{held}");
        assert_eq!(answer.json(), json!({ "detail": NO_PERMISSION }));
    }
}

#[actix_web::test]
async fn an_unknown_or_dead_key_is_a_wrong_key() {
    let mut unknown = Service::default();
    unknown.repositories.api_keys.expect_find_by_prefix().returning(|_| Ok(None));
    let revoked = holding(key("leads:read", |key| key.revoked_at = Some(now())));
    let expired = holding(key("leads:read", |key| key.draft.expires_at = Some(now())));
    for service in [unknown, revoked, expired] {
        let answer = service.answer(named(TestRequest::get().uri(LEADS))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json(), json!({"detail": "Invalid or missing API Key"}));
    }
}

#[actix_web::test]
async fn a_key_that_cannot_be_looked_up_is_not_a_wrong_one() {
    let mut service = Service::default();
    service.repositories.api_keys.expect_find_by_prefix().returning(|_| Err(away()));
    let answer = service.answer(named(TestRequest::get().uri(LEADS))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[actix_web::test]
async fn a_publishable_key_is_refused_without_its_origin() {
    let service = || {
        let mut service = holding(key("newsletter:create", |key| {
            key.draft.origins = vec!["https://exit3.agency".to_owned()];
        }));
        service.repositories.subscribers.expect_ensure().returning(|_, _| Ok(()));
        service
    };
    let sign_up = || named(post(NEWSLETTER, "application/json", r#"{"email": "a@acme.hr"}"#));
    for origin in [None, Some("https://exit3.agency.evil.org"), Some("null")] {
        let mut request = sign_up();
        if let Some(origin) = origin {
            request = request.insert_header(("Origin", origin));
        }
        let answer = service().answer(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json(), json!({ "detail": NO_PERMISSION }));
    }
    let (own, other) = (("Origin", "https://exit3.agency"), ("Origin", "https://evil.org"));
    for (first, second) in [(own, other), (other, own), (own, own)] {
        let request = sign_up().append_header(first).append_header(second);
        assert_eq!(service().answer(request).await.status, StatusCode::FORBIDDEN);
    }
    let right = sign_up().insert_header(("Origin", "https://exit3.agency"));
    assert_eq!(service().answer(right).await.status, StatusCode::CREATED);
}

#[actix_web::test]
async fn a_sign_up_reveals_nothing_about_other_subscribers() {
    let mut service = holding(key("newsletter:create", |_| ()));
    service.repositories.subscribers.expect_create().never();
    service.repositories.subscribers.expect_find_by_email().never();
    service.repositories.subscribers.expect_ensure().times(1).returning(|_, _| Ok(()));
    let sign_up = |json: &'static str| named(post(NEWSLETTER, "application/json", json));
    let requests = vec![
        sign_up(r#"{"email": "Known@acme.hr"}"#),
        sign_up(r#"{"email": "known@acme.hr", "is_subscribed": "maybe"}"#),
    ];
    let answers = service.answers(requests).await;
    assert_eq!(answers[0].status, StatusCode::CREATED);
    assert_eq!(answers[0].json(), json!({"email": "known@acme.hr", "is_subscribed": true}));
    assert_eq!(answers[1].json(), json!({"is_subscribed": ["Must be a valid boolean."]}));
}

#[actix_web::test]
async fn a_key_that_may_read_is_told_as_before() {
    let mut service = holding(key("newsletter:create newsletter:read", |_| ()));
    service.repositories.subscribers.expect_create().times(1).returning(|new, _| {
        Ok(Subscriber { id: SubscriberId(5), email: new.email.clone(), is_subscribed: true })
    });
    let request = named(post(NEWSLETTER, "application/json", r#"{"email": "a@acme.hr"}"#));
    let answer = service.answer(request).await;
    assert_eq!(answer.json(), json!({"id": 5, "email": "a@acme.hr", "is_subscribed": true}));
}

fn rate(text: &str) -> Option<Rate> {
    Some(text.parse().unwrap())
}

fn limits() -> Limits {
    Limits {
        visitor: rate("100/hour"),
        key: rate("1000/hour"),
        lead_create: rate("10/hour"),
        newsletter_create: rate("10/hour"),
    }
}

fn granted(charges: &[Charge]) -> Vec<Standing> {
    charges.iter().map(|_| Standing { remaining: 9, refused_for: None }).collect()
}

#[actix_web::test]
async fn every_response_contains_the_remaining_quota() {
    let mut service = Service { limits: limits(), ..Service::default() };
    service.quotas.expect_charge().returning(granted);
    let requests = vec![
        get("/backend/api/v1/leads/x/"),
        post(LEADS, "application/json", "{}"),
        TestRequest::get().uri("/backend/api/leads/"),
        post(LEADS, "text/plain", "x").insert_header(("Accept", "application/problem+json")),
    ];
    let answers = service.answers(requests).await;
    let told = |answer: &Answer| answer.header("ratelimit").unwrap().to_owned();
    assert_eq!(told(&answers[0]), "\"visitor\";r=9;t=3276, \"key\";r=9;t=3568");
    assert_eq!(
        answers[1].header("ratelimit-policy"),
        Some("\"visitor\";q=100;w=3600, \"key\";q=1000;w=3600, \"lead-create\";q=10;w=3600")
    );
    assert_eq!(answers[2].status, StatusCode::FORBIDDEN);
    assert_eq!(told(&answers[2]), "\"visitor\";r=9;t=3276");
    assert_eq!(answers[3].status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(told(&answers[3]).contains("lead-create"));
}

#[actix_web::test]
async fn too_many_requests_get_a_retry_after() {
    let mut service = Service { limits: limits(), ..Service::default() };
    service.quotas.expect_charge().returning(|charges| {
        let mut standings = granted(charges);
        standings.last_mut().unwrap().refused_for = Some(Duration::from_millis(359_100));
        standings
    });
    let lead = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;
    let answer = service.answer(post(LEADS, "application/json", lead)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let detail = "Request was throttled. Expected available in 360 seconds.";
    assert_eq!(answer.json(), json!({ "detail": detail }));
    assert_eq!(answer.header("retry-after"), Some("360"));
    assert!(answer.header("ratelimit-policy").is_some());
}

/// The subjects that a request is charged to, by quota.
async fn counted(service: Service, request: TestRequest) -> Vec<(Quota, u64)> {
    let charged = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&charged);
    let mut service = Service { limits: limits(), ..service };
    service.quotas.expect_charge().times(..=1).returning(move |charges| {
        let subjects = charges.iter().map(|charge| (charge.quota, charge.subject));
        noted.lock().unwrap().extend(subjects);
        granted(charges)
    });
    service.answer(request).await;
    let charged = charged.lock().unwrap();
    charged.clone()
}

fn of(address: &str) -> u64 {
    subject(address.parse().unwrap())
}

fn from(request: TestRequest, peer: &str) -> TestRequest {
    request.peer_addr(format!("{peer}:4711").parse().unwrap())
}

#[actix_web::test]
async fn reading_does_not_count_as_creating() {
    let read = counted(Service::default(), get("/backend/api/v1/leads/x/")).await;
    assert!(read.iter().all(|(quota, _)| *quota != Quota::LeadCreate));
    for (path, quota) in [(LEADS, Quota::LeadCreate), (NEWSLETTER, Quota::NewsletterCreate)] {
        let created = counted(Service::default(), post(path, "application/json", "{}")).await;
        assert_eq!(created.last().unwrap().0, quota);
    }
}

#[actix_web::test]
async fn wrong_keys_are_charged_and_missing_ones_are_not() {
    let wrong = TestRequest::get().uri(LEADS).insert_header(("Authorization", "Basic guess"));
    let wrong = counted(Service::default(), from(wrong, "192.0.2.1")).await;
    assert_eq!(wrong, [(Quota::WrongKey, of("192.0.2.1")), (Quota::Visitor, of("192.0.2.1"))]);
    let missing = counted(Service::default(), TestRequest::get().uri(LEADS)).await;
    assert_eq!(missing, [(Quota::Visitor, of("0.0.0.0"))]);
}

#[actix_web::test]
async fn wrong_keys_are_charged_on_public_routes_too() {
    let ready = |credentials: &str| {
        let mut service = Service::default();
        service.repositories.health.expect_schema_is_current().returning(|| Ok(true));
        service.repositories.health.expect_obstacle().returning(|| Ok(None));
        service.repositories.backups.expect_status().returning(|| Err(away()));
        let request = TestRequest::get().uri("/backend/health/ready/");
        let request = request.insert_header(("Authorization", credentials));
        counted(service, from(request, "192.0.2.1"))
    };
    let wrong = ready("Basic guess").await;
    assert_eq!(wrong, [(Quota::WrongKey, of("192.0.2.1")), (Quota::Visitor, of("192.0.2.1"))]);
    assert_eq!(ready("Basic peer-key").await, []);
}

#[actix_web::test]
async fn a_website_that_is_believed_names_its_visitors() {
    let visit = |request: TestRequest| {
        from(named(request), "192.0.2.1").insert_header(("X-Forwarded-For", "203.0.113.5"))
    };
    let website = |forwards| {
        holding(key("leads:read", |key| {
            key.draft.forwards_visitors = forwards;
        }))
    };
    let get = || TestRequest::get().uri("/backend/api/v1/leads/x/");
    let believed = counted(website(true), visit(get())).await;
    assert_eq!(believed, [(Quota::Visitor, of("203.0.113.5")), (Quota::Key, 1)]);
    let not_believed = counted(website(false), visit(get())).await;
    assert_eq!(not_believed[0], (Quota::Visitor, of("192.0.2.1")));
}

#[rstest]
#[case("basic", " ")]
#[case("BEARER", " ")]
#[case("Basic", "   ")]
#[case("Bearer", " \t ")]
#[actix_web::test]
async fn a_right_key_is_right_however_its_scheme_is_written(
    #[case] scheme: &str,
    #[case] blanks: &str,
) {
    let own = TestRequest::get()
        .uri("/backend/api/v1/leads/1/")
        .insert_header(("Authorization", format!("{scheme}{blanks}peer-key")));
    let mut service = Service::default();
    service.repositories.leads.expect_find().times(1).returning(|_| Ok(Some(lead(1))));
    assert_eq!(service.answer(own).await.status, StatusCode::OK);
    let mut service = holding(key("leads:read", |_| ()));
    service.repositories.leads.expect_find().times(1).returning(|_| Ok(Some(lead(1))));
    let named = TestRequest::get()
        .uri("/backend/api/v1/leads/1/")
        .insert_header(("Authorization", format!("{scheme}{blanks}{}", token().expose())));
    assert_eq!(service.answer(named).await.status, StatusCode::OK);
}
