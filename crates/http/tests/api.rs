//! The API over mocked ports: what it asks of them, and how it tells what they
//! answer. How it works over real databases is tested in `exit3`.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use chrono::{DateTime, Utc};
use exit3_app::App;
use exit3_domain::email::DisposableDomains;
use exit3_domain::leads::{Lead, LeadId, LeadInput, LeadOrder, LeadSort, LeadStatus};
use exit3_domain::paging::{Direction, Page, PageNumber, Slice};
use exit3_domain::raw::RawValue;
use exit3_http::{AllowedHosts, Api, ApiSettings, Sunset};
use exit3_ports::{
    Constraint, MockClock, MockDatabaseHealth, MockLeadRepository, MockSubscriberRepository,
    StoreError,
};
use rstest::rstest;
use serde_json::{Value, json};

const LEADS: &str = "/backend/api/v1/leads/";
const NEWSLETTER: &str = "/backend/api/v1/newsletter/";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap()
}

#[derive(Default)]
struct Service {
    leads: MockLeadRepository,
    subscribers: MockSubscriberRepository,
    database: MockDatabaseHealth,
    allowed_hosts: Vec<String>,
    cors_origins: Vec<String>,
    sunset: Option<DateTime<Utc>>,
}

struct Answer {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Service {
    /// Sends requests one after another.
    async fn answers(self, requests: Vec<TestRequest>) -> Vec<Answer> {
        let mut clock = MockClock::new();
        clock.expect_now().returning(now);
        let app = App {
            leads: Arc::new(self.leads),
            subscribers: Arc::new(self.subscribers),
            database: Arc::new(self.database),
            clock: Arc::new(clock),
            disposable: DisposableDomains::default(),
        };
        let settings = ApiSettings {
            api_key: "peer-key".to_owned().into(),
            secret: "secret".to_owned().into(),
            allowed_hosts: AllowedHosts::new(self.allowed_hosts),
            cors_origins: self.cors_origins,
            sunset: Sunset(self.sunset),
        };
        let service = init_service(Api::new(app, &settings).service()).await;
        let mut answers = Vec::new();
        for request in requests {
            let response = call_service(&service, request.to_request()).await;
            let status = response.status();
            let headers = response.headers().clone();
            answers.push(Answer { status, headers, body: read_body(response).await.to_vec() });
        }
        answers
    }

    async fn answer(self, request: TestRequest) -> Answer {
        self.answers(vec![request]).await.remove(0)
    }
}

fn with_key(request: TestRequest) -> TestRequest {
    request.insert_header(("Authorization", "Basic peer-key")).insert_header(("Host", "api.test"))
}

fn get(path: &str) -> TestRequest {
    with_key(TestRequest::get().uri(path))
}

fn post(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> TestRequest {
    with_key(TestRequest::post().uri(path))
        .insert_header(("Content-Type", content_type))
        .set_payload(body.into())
}

fn lead(id: i64) -> Lead {
    let input = LeadInput {
        full_name: RawValue::text("Ana Horvat"),
        position: RawValue::text("CTO"),
        email: RawValue::text("ana@acme.hr"),
        ..LeadInput::default()
    };
    Lead {
        id: LeadId(id),
        details: input.into_new(&DisposableDomains::default()).unwrap(),
        created_at: now(),
        updated_at: now(),
    }
}

fn away() -> StoreError {
    StoreError::Unavailable("connection refused, password hunter2".into())
}

#[actix_web::test]
async fn a_created_lead_comes_back_in_the_order_of_the_contract() {
    let mut service = Service::default();
    service.leads.expect_create().times(1).returning(|_, _| Ok(lead(7)));
    let body = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;
    let answer = service.answer(post(LEADS, "application/json", body)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(
        String::from_utf8(answer.body).unwrap(),
        "{\"id\":7,\"full_name\":\"Ana Horvat\",\"position\":\"CTO\",\"company_name\":null,\
         \"phone_number\":null,\"email\":\"ana@acme.hr\",\"source\":\"other\",\"status\":\"new\",\
         \"notes\":null,\"created_at\":\"2026-09-21T14:13:20.000001Z\",\
         \"updated_at\":\"2026-09-21T14:13:20.000001Z\",\"category\":\"web_dev\"}"
    );
}

#[rstest]
#[case::urlencoded(
    "application/x-www-form-urlencoded",
    "full_name=Ana+Horvat&position=CTO&email=ana%40acme.hr&status="
)]
#[case::multipart(
    "multipart/form-data; boundary=x",
    "--x\r\nContent-Disposition: form-data; name=\"full_name\"\r\n\r\nAna Horvat\r\n\
     --x\r\nContent-Disposition: form-data; name=\"position\"\r\n\r\nCTO\r\n\
     --x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nana@acme.hr\r\n--x--\r\n"
)]
#[actix_web::test]
async fn a_form_is_as_good_as_json(#[case] content_type: &str, #[case] body: &str) {
    let mut service = Service::default();
    service
        .leads
        .expect_create()
        .times(1)
        .withf(|given, at| *given == lead(1).details && *at == now())
        .returning(|_, _| Ok(lead(1)));
    let answer = service.answer(post(LEADS, content_type, body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
}

#[rstest]
#[case::none(None, "Invalid authorization header format")]
#[case::scheme_alone(Some("Basic"), "Invalid authorization header format")]
#[case::other_scheme(Some("Token peer-key"), "Invalid authorization header format")]
#[case::wrong(Some("Basic wrong"), "Invalid or missing API Key")]
#[case::prefix(Some("Basic peer"), "Invalid or missing API Key")]
#[case::longer(Some("Basic peer-key1"), "Invalid or missing API Key")]
#[case::wrong_bearer(Some("Bearer wrong"), "Invalid or missing API Key")]
#[actix_web::test]
async fn data_is_behind_the_key(#[case] header: Option<&str>, #[case] detail: &str) {
    for path in [LEADS, NEWSLETTER, "/backend/api/leads/", "/backend/api/v1/leads/1/"] {
        let mut request = TestRequest::get().uri(path);
        if let Some(header) = header {
            request = request.insert_header(("Authorization", header));
        }
        let answer = Service::default().answer(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json(), json!({ "detail": detail }));
    }
}

#[actix_web::test]
async fn two_authorization_headers_are_refused_even_if_one_is_right() {
    let request = get(LEADS).append_header(("Authorization", "Basic other"));
    assert_eq!(Service::default().answer(request).await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn a_bearer_token_opens_as_well() {
    let mut service = Service::default();
    service.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    let request = TestRequest::get()
        .uri("/backend/api/v1/leads/1/")
        .insert_header(("Authorization", "Bearer peer-key"));
    assert_eq!(service.answer(request).await.status, StatusCode::OK);
}

#[rstest]
#[case("application/json", "{bad", 400)]
#[case("application/json", "{\"full_name\": \"\\ud800\"}", 400)]
#[case("application/json", "{\"a\": 1, \"a\": 2}", 400)]
#[case("text/plain", "x", 415)]
#[case("application/json, text/plain", "{}", 415)]
#[case("", "x", 415)]
#[actix_web::test]
async fn a_body_that_cannot_be_read_is_told_as_such(
    #[case] content_type: &str,
    #[case] body: &str,
    #[case] status: u16,
) {
    let answer = Service::default().answer(post(LEADS, content_type, body)).await;
    assert_eq!(answer.status.as_u16(), status);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    match status {
        415 => {
            assert_eq!(detail, format!("Unsupported media type \"{content_type}\" in request."));
        }
        _ => assert!(detail.starts_with("JSON parse error - "), "{detail}"),
    }
}

#[actix_web::test]
async fn a_body_may_have_a_mebibyte_and_no_byte_more() {
    let filled = |length: usize| {
        let start = "{\"x\": \"";
        format!("{start}{}\"}}", "y".repeat(length - start.len() - 2))
    };
    let most = Service::default().answer(post(LEADS, "application/json", filled(1 << 20))).await;
    assert_eq!(most.status, StatusCode::BAD_REQUEST);
    assert_eq!(most.json()["full_name"], json!(["This field is required."]));
    let more =
        Service::default().answer(post(LEADS, "application/json", filled((1 << 20) + 1))).await;
    assert_eq!(more.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[actix_web::test]
async fn a_compressed_body_is_refused() {
    let request = post(LEADS, "application/json", "{}").insert_header(("Content-Encoding", "gzip"));
    let answer = Service::default().answer(request).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[actix_web::test]
async fn the_same_errors_come_as_a_problem_for_those_who_ask() {
    let request =
        post(LEADS, "application/json", "{}").insert_header(("Accept", "application/problem+json"));
    let answer = Service::default().answer(request).await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank", "title": "Bad Request", "status": 400,
            "errors": {
                "full_name": ["This field is required."],
                "position": ["This field is required."],
            }
        })
    );
}

#[actix_web::test]
async fn a_problem_keeps_the_headers_of_its_error() {
    let requests = vec![
        with_key(TestRequest::put().uri(LEADS))
            .insert_header(("Accept", "application/problem+json")),
        TestRequest::get()
            .uri("/backend/api/leads/")
            .insert_header(("Accept", "application/problem+json")),
    ];
    let answers = Service::default().answers(requests).await;
    assert_eq!(answers[0].header("allow"), Some("HEAD, GET, POST, OPTIONS"));
    assert_eq!(answers[0].json()["detail"], "Method \"PUT\" not allowed.");
    assert!(answers[1].header("deprecation").is_some());
    assert_eq!(answers[1].status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_database_that_is_away_is_503_and_tells_nothing() {
    let mut service = Service::default();
    service.leads.expect_list().returning(|_, _, _| Err(away()));
    service.leads.expect_create().returning(|_, _| Err(away()));
    service.subscribers.expect_delete().returning(|_| Err(away()));
    let body = r#"{"full_name": "Ana", "position": "CTO", "email": "ana@acme.hr"}"#;
    let requests = vec![
        get(LEADS),
        post(LEADS, "application/json", body),
        with_key(TestRequest::delete().uri("/backend/api/v1/newsletter/1/")),
    ];
    for answer in service.answers(requests).await {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.header("retry-after").is_some());
        let detail = "Service temporarily unavailable, try again later.";
        assert_eq!(answer.json(), json!({ "detail": detail }));
    }
}

#[actix_web::test]
async fn a_defect_is_500_and_tells_nothing() {
    let mut service = Service::default();
    service.leads.expect_find().returning(|_| Err(StoreError::Other("hunter2".into())));
    let answer = service.answer(get("/backend/api/v1/leads/1/")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json(), json!({"detail": "Internal server error."}));
}

#[actix_web::test]
async fn a_list_asks_for_what_its_parameters_say() {
    let mut service = Service::default();
    service
        .leads
        .expect_list()
        .times(1)
        .withf(|filter, order, page| {
            filter.statuses == Some(vec![LeadStatus::New, LeadStatus::Closed])
                && filter.sources == Some(vec![])
                && filter.categories.is_none()
                && filter.words == ["ana", "đuro"]
                && *order == LeadOrder { by: LeadSort::FullName, descending: true }
                && page.number == PageNumber::Number(2)
                && page.size == 200
        })
        .returning(|_, _, _| Ok(Some(Page { count: 450, number: 2, rows: vec![lead(1)] })));
    let query = "status=new&status=closed&source=bogus&search=Ana%20%C4%90uro\
                 &ordering=-full_name&page=2&page_size=999";
    let answer = service.answer(get(&format!("{LEADS}?{query}"))).await.json();
    assert_eq!(answer["count"], 450);
    let others = "ordering=-full_name&page=3&page_size=999&search=Ana+%C4%90uro\
                  &source=bogus&status=new&status=closed";
    assert_eq!(answer["next"], format!("http://api.test{LEADS}?{others}"));
    let previous = format!("http://api.test{LEADS}?{}", others.replace("page=3&", ""));
    assert_eq!(answer["previous"], previous);
}

#[rstest]
#[case("page=0", 404)]
#[case("page=abc", 404)]
#[case("ordering=id", 400)]
#[case("ordering=full_name,status", 400)]
#[case("created_after=yesterday", 400)]
#[case("search=%00", 400)]
#[case("cursor=forged", 400)]
#[actix_web::test]
async fn a_parameter_that_cannot_be_never_reaches_the_database(
    #[case] query: &str,
    #[case] status: u16,
) {
    let answer = Service::default().answer(get(&format!("{LEADS}?{query}"))).await;
    assert_eq!(answer.status.as_u16(), status);
}

#[actix_web::test]
async fn a_page_past_the_end_is_not_found() {
    let mut service = Service::default();
    service.leads.expect_list().returning(|_, _, _| Ok(None));
    let answer = service.answer(get(&format!("{LEADS}?page=2"))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json(), json!({"detail": "Invalid page."}));
}

#[actix_web::test]
async fn a_walk_goes_on_where_its_cursor_points() {
    let mut service = Service::default();
    service.leads.expect_walk().times(1).withf(|_, _, step| step.from.is_none()).returning(
        |_, _, _| Ok(Slice { rows: vec![lead(9), lead(8)], has_next: true, has_previous: false }),
    );
    let begin = service.answer(get(&format!("{LEADS}?cursor=&page_size=2&status=new"))).await;
    let begin = begin.json();
    assert!(begin.get("count").is_none());
    assert_eq!(begin["previous"], Value::Null);
    let next = begin["next"].as_str().unwrap().replace("http://api.test", "");
    assert!(next.contains("page_size=2") && next.contains("status=new"), "{next}");

    let mut service = Service::default();
    service
        .leads
        .expect_walk()
        .times(1)
        .withf(|filter, order, step| {
            filter.statuses == Some(vec![LeadStatus::New])
                && step.from == Some(order.position(&lead(8)))
                && step.direction == Direction::Forward
                && step.size == 2
        })
        .returning(|_, _, _| {
            Ok(Slice { rows: vec![lead(7)], has_next: false, has_previous: true })
        });
    let end = service.answer(get(&next)).await.json();
    assert_eq!(end["next"], Value::Null);
    let previous = end["previous"].as_str().unwrap().replace("http://api.test", "");

    let mut service = Service::default();
    service
        .leads
        .expect_walk()
        .times(1)
        .withf(|_, order, step| {
            step.from == Some(order.position(&lead(7))) && step.direction == Direction::Backward
        })
        .returning(|_, _, _| Ok(Slice { rows: vec![], has_next: true, has_previous: false }));
    assert_eq!(service.answer(get(&previous)).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_cursor_fits_only_the_order_that_it_was_made_for() {
    let mut service = Service::default();
    service.leads.expect_walk().returning(|_, _, _| {
        Ok(Slice { rows: vec![lead(9)], has_next: true, has_previous: false })
    });
    let begin = service.answer(get(&format!("{LEADS}?cursor="))).await.json();
    let next = begin["next"].as_str().unwrap().replace("http://api.test", "");
    let other = format!("{next}&ordering=full_name");
    assert_eq!(Service::default().answer(get(&other)).await.status, StatusCode::BAD_REQUEST);
    let elsewhere = next.replace(LEADS, NEWSLETTER);
    assert_eq!(Service::default().answer(get(&elsewhere)).await.status, StatusCode::BAD_REQUEST);
}

#[rstest]
#[case("abc", "Not found.")]
#[case("0x1", "Not found.")]
#[case("999", "No Lead matches the given query.")]
#[case("99999999999999999999", "No Lead matches the given query.")]
#[actix_web::test]
async fn a_lead_that_is_not_there(#[case] id: &str, #[case] detail: &str) {
    let mut service = Service::default();
    service.leads.expect_find().returning(|_| Ok(None));
    service.leads.expect_delete().returning(|_| Err(StoreError::NotFound));
    let path = format!("{LEADS}{id}/");
    let broken = with_key(TestRequest::patch().uri(&path))
        .insert_header(("Content-Type", "application/json"))
        .set_payload("{bad");
    let requests = vec![get(&path), with_key(TestRequest::delete().uri(&path)), broken];
    for answer in service.answers(requests).await {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.json(), json!({ "detail": detail }));
    }
}

#[actix_web::test]
async fn a_patch_changes_only_what_it_names() {
    let mut service = Service::default();
    service.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    service
        .leads
        .expect_update()
        .times(1)
        .withf(|seen, details, at| {
            let mut expected = seen.details.clone();
            expected.status = LeadStatus::Contacted;
            *details == expected && *at == now()
        })
        .returning(|seen, details, _| Ok(Lead { details: details.clone(), ..seen.clone() }));
    let request = with_key(TestRequest::patch().uri("/backend/api/v1/leads/1/"))
        .insert_header(("Content-Type", "application/json"))
        .set_payload(r#"{"status": "contacted", "id": 9, "unknown": []}"#);
    let answer = service.answer(request).await;
    assert_eq!(answer.json()["status"], "contacted");
    assert_eq!(answer.json()["id"], 1);
}

#[actix_web::test]
async fn a_second_subscription_is_told_in_the_words_of_the_contract() {
    let mut service = Service::default();
    service
        .subscribers
        .expect_create()
        .returning(|_| Err(StoreError::Conflict(Constraint::SubscriberEmail)));
    let answer =
        service.answer(post(NEWSLETTER, "application/json", r#"{"email": "a@acme.hr"}"#)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json(), json!({"email": ["newsletter with this email already exists."]}));
}

#[actix_web::test]
async fn a_path_without_its_last_slash_is_served() {
    let mut service = Service::default();
    service
        .leads
        .expect_list()
        .returning(|_, _, _| Ok(Some(Page { count: 60, number: 1, rows: vec![] })));
    let answer = service.answer(get("/backend/api/v1/leads?page=1")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["next"], format!("http://api.test{LEADS}?page=2"));
}

#[actix_web::test]
async fn old_paths_name_their_successor() {
    let mut service = Service {
        sunset: Some(DateTime::from_timestamp_micros(1_830_297_600_000_000).unwrap()),
        ..Service::default()
    };
    service.leads.expect_find().returning(|_| Ok(Some(lead(7))));
    let requests = vec![get("/backend/api/leads/7/"), get("/backend/api/v1/leads/7/")];
    let answers = service.answers(requests).await;
    assert_eq!(answers[0].header("deprecation"), Some("@1795478400"));
    assert_eq!(
        answers[0].header("link"),
        Some("</backend/api/v1/leads/7/>; rel=\"successor-version\"")
    );
    assert_eq!(answers[0].header("sunset"), Some("Sat, 01 Jan 2028 00:00:00 GMT"));
    assert!(answers[1].header("deprecation").is_none());
}

#[actix_web::test]
async fn a_wrong_method_names_the_right_ones() {
    let requests = vec![
        with_key(TestRequest::put().uri(LEADS)),
        with_key(TestRequest::post().uri("/backend/api/v1/leads/1/")),
        with_key(TestRequest::with_uri("/backend/health/").method("FOO".parse().unwrap())),
    ];
    let answers = Service::default().answers(requests).await;
    let allow: Vec<_> = answers.iter().map(|answer| answer.header("allow").unwrap()).collect();
    let one = "HEAD, GET, PUT, PATCH, DELETE, OPTIONS";
    assert_eq!(allow, ["HEAD, GET, POST, OPTIONS", one, "HEAD, GET, OPTIONS"]);
    assert!(answers.iter().all(|answer| answer.status == StatusCode::METHOD_NOT_ALLOWED));
    assert_eq!(answers[0].json(), json!({"detail": "Method \"PUT\" not allowed."}));
}

#[actix_web::test]
async fn health_tells_how_the_database_is() {
    let mut service = Service::default();
    service.database.expect_ping().times(1).returning(|| Ok(()));
    service.database.expect_ping().times(1).returning(|| Err(away()));
    service.database.expect_schema_is_current().times(1).returning(|| Ok(true));
    service.database.expect_schema_is_current().times(1).returning(|| Ok(false));
    let open = |path: &str| TestRequest::get().uri(path);
    let requests = vec![
        open("/backend/health/"),
        open("/backend/health"),
        open("/backend/health/ready/"),
        open("/backend/health/ready/"),
        open("/backend/health/live/"),
    ];
    let answers = service.answers(requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 503, 200, 503, 200]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        answers[0].json(),
        json!({"status": "ok", "database": "healthy", "version": version})
    );
    assert_eq!(answers[1].json()["status"], "degraded");
}

#[actix_web::test]
async fn the_schema_comes_as_json_or_yaml() {
    let schema = |path: &str| TestRequest::get().uri(path);
    let requests = vec![
        schema("/backend/api/schema/"),
        schema("/backend/api/schema/?format=yaml"),
        schema("/backend/api/schema/").insert_header(("Accept", "application/yaml")),
        schema("/backend/api/schema/?format=xml"),
    ];
    let answers = Service::default().answers(requests).await;
    assert!(answers[0].json()["openapi"].as_str().unwrap().starts_with("3.1"));
    for yaml in &answers[1..3] {
        assert_eq!(yaml.header("content-type"), Some("application/yaml"));
        assert!(yaml.body.starts_with(b"openapi: 3.1"));
    }
    assert_eq!(answers[3].status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_pages_find_every_file_in_the_binary() {
    for page in ["/backend/api/docs/", "/backend/api/redoc/"] {
        let html = Service::default().answer(TestRequest::get().uri(page)).await;
        let html = String::from_utf8(html.body).unwrap();
        let files: Vec<&str> =
            html.split(['"']).filter(|text| text.starts_with("/backend/")).collect();
        assert!(files.len() >= 3, "{html}");
        assert!(!html.contains("http://") && !html.contains("https://"));
        for file in files {
            let answer = Service::default().answer(TestRequest::get().uri(file)).await;
            assert_eq!(answer.status, StatusCode::OK, "{file}");
            assert!(!answer.body.is_empty());
        }
    }
    let outside = "/backend/api/docs/assets/..%2f..%2fCargo.toml";
    let answer = Service::default().answer(TestRequest::get().uri(outside)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn only_allowed_hosts_are_answered_but_health_always_is() {
    let service = || {
        let mut service = Service { allowed_hosts: vec!["api.test".into()], ..Service::default() };
        service.database.expect_ping().returning(|| Ok(()));
        service.leads.expect_find().returning(|_| Ok(Some(lead(1))));
        service
    };
    let lead = |host: &'static str| {
        TestRequest::get()
            .uri("/backend/api/v1/leads/1/")
            .insert_header(("Authorization", "Basic peer-key"))
            .insert_header(("Host", host))
            .insert_header(("X-Forwarded-Host", "api.test"))
    };
    assert_eq!(service().answer(lead("api.test:8000")).await.status, StatusCode::OK);
    assert_eq!(service().answer(lead("evil.test")).await.status, StatusCode::BAD_REQUEST);
    let health = TestRequest::get().uri("/backend/health/").insert_header(("Host", "10.0.0.1"));
    assert_eq!(service().answer(health).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn only_allowed_origins_get_a_header() {
    let service =
        || Service { cors_origins: vec!["https://exit3.agency".into()], ..Service::default() };
    let from = |origin: &'static str| {
        TestRequest::get().uri("/backend/health/live/").insert_header(("Origin", origin))
    };
    let allowed = service().answer(from("https://exit3.agency")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://exit3.agency"));
    for other in ["https://exit3.agency.evil.test", "https://notexit3.agency", "null"] {
        let answer = service().answer(from(other)).await;
        assert!(answer.header("access-control-allow-origin").is_none(), "{other}");
    }
}

#[actix_web::test]
async fn what_is_nowhere_is_not_found_without_a_key() {
    for path in ["/", "/backend/", "/backend/api/v1/nothing/", "/backend/api/v1/leads/1/notes/"] {
        let answer = Service::default().answer(TestRequest::get().uri(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json(), json!({"detail": "Not found."}));
    }
}
