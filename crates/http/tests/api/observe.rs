//! Every request has an id, which every response contains.

use actix_web::test::TestRequest;
use rstest::rstest;

use crate::{LEADS, Service, away, get, post, with_key};

#[rstest]
#[case::of_a_client("order-66_a.b", "order-66_a.b")]
#[case::too_long(&"x".repeat(65), "made")]
#[case::just_short_enough(&"x".repeat(64), &"x".repeat(64))]
#[case::empty("", "made")]
#[case::not_plain("<script>", "made")]
#[case::with_a_space("a b", "made")]
#[actix_web::test]
async fn the_id_of_a_client_is_taken_if_it_is_well_formed(#[case] given: &str, #[case] told: &str) {
    let request = get("/backend/health/live/").insert_header(("X-Request-Id", given));
    let answer = Service::default().answer(request).await;
    assert_eq!(answer.header("x-request-id"), Some(told));
}

#[actix_web::test]
async fn two_ids_are_none() {
    let request = get("/backend/health/live/")
        .append_header(("X-Request-Id", "one"))
        .append_header(("X-Request-Id", "two"));
    let answer = Service::default().answer(request).await;
    assert_eq!(answer.header("x-request-id"), Some("made"));
}

#[actix_web::test]
async fn every_answer_tells_the_id() {
    let mut service = Service::default();
    service.repositories.leads.expect_list().returning(|_, _, _| Err(away()));
    service.site.allowed_hosts = exit3_web::AllowedHosts::new(["api.test".to_owned()]);
    let requests = vec![
        get(LEADS),
        get("/backend/nowhere/"),
        TestRequest::get().uri(LEADS).insert_header(("Host", "api.test")),
        post(LEADS, "application/json", "{"),
        with_key(TestRequest::delete().uri(LEADS)),
        TestRequest::get().uri(LEADS).insert_header(("Host", "evil.test")),
    ];
    let answers = service.answers(requests).await;
    let told: Vec<_> = answers.iter().map(|answer| answer.header("x-request-id")).collect();
    assert_eq!(told, [Some("made"); 6]);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [503, 404, 403, 400, 405, 400]);
}
