//! Single leads and subscribers, and error responses.

use exit3_ports::subscribers::EMAIL_TAKEN;

use crate::*;

#[actix_web::test]
async fn a_created_lead_comes_back_in_the_order_of_the_contract() {
    let mut service = Service::default();
    service.repositories.leads.expect_create().times(1).returning(|_, _| Ok(lead(7)));
    let body = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;
    let answer = service.answer(post(LEADS, "application/json", body)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let body = String::from_utf8(answer.body).unwrap();
    let recorded = "{\"id\":7,\"full_name\":\"Ana Horvat\",\"position\":\"CTO\",\"company_name\":null,\
         \"phone_number\":null,\"email\":\"ana@acme.hr\",\"source\":\"other\",\"status\":\"new\",\
         \"notes\":null,\"created_at\":\"2026-09-21T14:13:20.000001Z\",\
         \"updated_at\":\"2026-09-21T14:13:20.000001Z\",\"category\":\"web_dev\"";
    let later = body.strip_prefix(recorded);
    let is_at_the_end = later.is_some_and(|later| later == "}" || later.starts_with(','));
    assert!(is_at_the_end, "new fields of `LeadResponse` come after the old ones: {body}");
}

#[actix_web::test]
async fn a_database_that_is_down_is_503_and_reveals_nothing() {
    let mut service = Service::default();
    service.repositories.leads.expect_list().returning(|_, _, _| Err(away()));
    service.repositories.leads.expect_create().returning(|_, _| Err(away()));
    service.repositories.subscribers.expect_find().returning(|_| Ok(Some(subscriber(1))));
    service.repositories.subscribers.expect_delete().returning(|_, _| Err(away()));
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
async fn a_defect_is_500_and_reveals_nothing() {
    let mut service = Service::default();
    service
        .repositories
        .leads
        .expect_find()
        .returning(|_| Err(StoreError::Other("hunter2".into())));
    let answer = service.answer(get("/backend/api/v1/leads/1/")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json(), json!({"detail": "Internal server error."}));
}

#[rstest]
#[case("abc", "Not found.")]
#[case("0x1", "Not found.")]
#[case("999", "No Lead matches the given query.")]
#[case("99999999999999999999", "No Lead matches the given query.")]
#[actix_web::test]
async fn a_lead_that_is_not_there(#[case] id: &str, #[case] detail: &str) {
    let mut service = Service::default();
    service.repositories.leads.expect_find().returning(|_| Ok(None));
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
    service.repositories.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    service
        .repositories
        .leads
        .expect_update()
        .times(1)
        .withf(|seen, details, act| {
            let mut expected = seen.details.clone();
            expected.status = LeadStatus::Contacted;
            *details == expected && act.at == now()
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
        .repositories
        .subscribers
        .expect_create()
        .returning(|_, _| Err(StoreError::Conflict(EMAIL_TAKEN)));
    let answer =
        service.answer(post(NEWSLETTER, "application/json", r#"{"email": "a@acme.hr"}"#)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json(), json!({"email": ["newsletter with this email already exists."]}));
}
