//! Security headers, and responses to panics.

use crate::*;

const HEADERS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
];

#[actix_web::test]
async fn every_answer_is_protected() {
    let mut service = Service::default();
    service.repositories.leads.expect_find().times(1).returning(|_| Ok(Some(lead(1))));
    service.repositories.leads.expect_find().times(1).returning(|_| Err(away()));
    let one = "/backend/api/v1/leads/1/";
    let requests = vec![
        get(one),
        get(one),
        get("/backend/api/v1/leads/x/"),
        TestRequest::get().uri(one),
        TestRequest::get().uri("/nowhere"),
        with_key(TestRequest::patch().uri(LEADS)),
        post(LEADS, "text/plain", "x"),
        post(LEADS, "application/json", "{").insert_header(("Accept", "application/problem+json")),
        get(LEADS).append_header(("Host", "other.test")),
        TestRequest::get().uri("/backend/health/live/"),
        TestRequest::with_uri(LEADS).method("OPTIONS".parse().unwrap()),
    ];
    let answers = service.answers(requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 503, 404, 403, 404, 405, 415, 400, 400, 200, 403]);
    for answer in answers {
        for (name, value) in HEADERS {
            assert_eq!(answer.header(name), Some(value), "{} {name}", answer.status);
        }
        assert!(answer.header("permissions-policy").is_some());
        assert!(answer.header("server").is_none());
    }
}

#[actix_web::test]
async fn the_pages_allow_no_inline_code_and_nothing_from_elsewhere() {
    for page in ["/backend/api/docs/", "/backend/api/redoc/"] {
        let answer = Service::default().answer(TestRequest::get().uri(page)).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        for word in ["unsafe", "*", "http:", "https:"] {
            assert!(!policy.contains(word), "{policy}");
        }
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    }
}

#[actix_web::test]
async fn a_panic_is_an_error_of_its_own_request_only() {
    // The subscriber mock has no expectations, so it panics.
    let mut service = Service::default();
    service.repositories.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    let one = || get("/backend/api/v1/leads/1/");
    let requests = vec![one(), get("/backend/api/v1/newsletter/1/"), one()];
    let answers = service.answers(requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 500, 200]);
    assert_eq!(answers[1].json(), json!({"detail": "Internal server error."}));
    assert_eq!(answers[1].header("x-content-type-options"), Some("nosniff"));
}

fn is_a_panic(answer: &Answer) {
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json(), json!({"detail": "Internal server error."}));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-request-id"), Some("made"));
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

#[actix_web::test]
async fn a_panic_before_a_handler_is_an_error_of_its_own_request_only() {
    // Neither mock has expectations: that of the key lookup, and that of the quotas.
    let token = exit3_domain::api_keys::KeyToken::secret(&[7; 40]);
    let unknown = format!("Bearer {}", token.expose());
    let unknown = || {
        let host = ("Host", "api.test");
        let request = TestRequest::get().uri(LEADS).insert_header(host);
        request.insert_header(("Authorization", unknown.clone()))
    };
    let live = || TestRequest::get().uri("/backend/health/live/");
    let answers = Service::default().answers(vec![live(), unknown(), live()]).await;
    assert_eq!((answers[0].status.as_u16(), answers[2].status.as_u16()), (200, 200));
    is_a_panic(&answers[1]);

    let rate = "1/hour".parse().unwrap();
    let limits = Limits { visitor: Some(rate), ..Limits::default() };
    let service = Service { limits, ..Service::default() };
    let problem = get(LEADS).insert_header(("Accept", "application/problem+json"));
    let answers = service.answers(vec![get(LEADS), problem, live()]).await;
    is_a_panic(&answers[0]);
    assert_eq!(answers[1].status, 500);
    assert_eq!(answers[1].header("content-type"), Some("application/problem+json"));
    assert_eq!(answers[2].status, 200);
}

#[actix_web::test]
async fn a_panic_before_everything_is_an_error_of_its_own_request_only() {
    // The panic happens before the future is created, while it runs, or while the request is
    // observed.
    for place in ["/at-once", "/later", "/watching"] {
        let mut service = Service { trips: true, ..Service::default() };
        service.repositories.leads.expect_find().returning(|_| Ok(Some(lead(1))));
        let one = || get("/backend/api/v1/leads/1/");
        let trip = |place| match place {
            "/watching" => get(place).insert_header(("X-Trip", "1")),
            _ => get(place),
        };
        let answers = service.answers(vec![one(), trip(place), one()]).await;
        assert_eq!((answers[0].status.as_u16(), answers[2].status.as_u16()), (200, 200), "{place}");
        match place {
            "/watching" => assert_eq!(answers[1].status, 500),
            _ => is_a_panic(&answers[1]),
        }
    }
}
