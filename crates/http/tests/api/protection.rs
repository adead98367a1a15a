//! What protects browsers, and the service from its own defects.

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
    service.leads.expect_find().times(1).returning(|_| Ok(Some(lead(1))));
    service.leads.expect_find().times(1).returning(|_| Err(away()));
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
    // The mock of the subscribers panics, since it expects nothing.
    let mut service = Service::default();
    service.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    let one = || get("/backend/api/v1/leads/1/");
    let requests = vec![one(), get("/backend/api/v1/newsletter/1/"), one()];
    let answers = service.answers(requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 500, 200]);
    assert_eq!(answers[1].json(), json!({"detail": "Internal server error."}));
    assert_eq!(answers[1].header("x-content-type-options"), Some("nosniff"));
}
