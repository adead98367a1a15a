//! Single leads and subscribers, and error responses.

use exit3_domain::leads::{LeadWork, WORK_FIELDS};
use exit3_domain::staff::StaffId;
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

/// A lead that somebody works on.
fn owned() -> Lead {
    let work = LeadWork {
        owner: Some(StaffId(3)),
        next_step: Some("Send the offer".to_owned()),
        next_step_at: Some("2026-09-22T08:30:00Z".parse().unwrap()),
    };
    Lead { work, ..lead(1) }
}

const ONE: &str = "/backend/api/v1/leads/1/";

/// A service with leads that somebody works on.
fn with_owned() -> Service {
    let mut service = Service::default();
    let leads = &mut service.repositories.leads;
    leads.expect_find().returning(|_| Ok(Some(owned())));
    leads
        .expect_list()
        .returning(|_, _, _| Ok(Some(Page { count: 2, number: 1, rows: vec![owned(), lead(2)] })));
    leads.expect_walk().returning(|_, _, _| {
        Ok(Slice { rows: vec![owned(), lead(2)], has_next: true, has_previous: false })
    });
    leads.expect_update().returning(|_, _, _, _| Ok(owned()));
    service
}

#[actix_web::test]
async fn nobody_sees_the_work_on_a_lead_who_does_not_ask_for_it() {
    let patch = with_key(TestRequest::patch().uri(ONE))
        .insert_header(("Content-Type", "application/json"))
        .set_payload(r#"{"owner": 9, "next_step": "x", "next_step_at": null}"#);
    let cursor = format!("{LEADS}?cursor=&include=");
    let requests = vec![get(ONE), get(LEADS), get(&cursor), patch];
    for answer in with_owned().answers(requests).await {
        assert_eq!(answer.status, StatusCode::OK);
        let text = String::from_utf8(answer.body.clone()).unwrap();
        for word in WORK_FIELDS {
            assert!(!text.contains(&format!("\"{word}\"")), "{text}");
        }
    }
}

#[rstest]
#[case("include=owner,next_step,next_step_at", &["owner", "next_step", "next_step_at"])]
#[case("include=next_step_at&include=owner", &["owner", "next_step_at"])]
#[case("include=,next_step,", &["next_step"])]
#[actix_web::test]
async fn a_client_gets_the_further_fields_that_it_asks_for(
    #[case] query: &str,
    #[case] fields: &[&str],
) {
    let lists = format!("{LEADS}?{query}");
    let (cursor, single) = (format!("{lists}&cursor="), format!("{ONE}?{query}"));
    let requests = vec![get(&single), get(ONE), get(&lists), get(&cursor)];
    let answers = with_owned().answers(requests).await;
    let all = json!({
        "owner": 3, "next_step": "Send the offer", "next_step_at": "2026-09-22T08:30:00Z"
    });
    let shows = |shown: &serde_json::Value, expected: &dyn Fn(&str) -> serde_json::Value| {
        for field in WORK_FIELDS {
            let wanted = fields.contains(field).then(|| expected(field));
            assert_eq!(shown.get(*field), wanted.as_ref(), "{field}");
        }
    };
    shows(&answers[0].json(), &|field| all[field].clone());
    for answer in &answers[2..] {
        shows(&answer.json()["results"][0], &|field| all[field].clone());
        shows(&answer.json()["results"][1], &|_| serde_json::Value::Null);
    }
    // Links of a list keep the parameter.
    let next = answers[3].json()["next"].as_str().unwrap().to_owned();
    assert!(next.contains("include="), "{next}");
    // The version is that of the stored row, no matter which fields are shown.
    assert_eq!(answers[0].header("etag"), answers[1].header("etag"));
    let mut without = answers[0].json();
    without.as_object_mut().unwrap().retain(|name, _| !WORK_FIELDS.contains(&name.as_str()));
    assert_eq!(without, answers[1].json());
}

#[rstest]
#[case("include=work", "work")]
#[case("include=owner,OWNER", "OWNER")]
#[case("include=%20owner", " owner")]
#[case("include=notes%2Cid", "notes")]
#[actix_web::test]
async fn an_unknown_field_to_include_is_400(#[case] query: &str, #[case] word: &str) {
    let (list, single) = (format!("{LEADS}?{query}"), format!("{ONE}?{query}"));
    for answer in with_owned().answers(vec![get(&list), get(&single)]).await {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let message = format!(
            "\"{word}\" is not a valid choice. The choices are: owner, next_step, next_step_at."
        );
        assert_eq!(answer.json(), json!({ "include": [message] }));
    }
}

#[actix_web::test]
async fn a_patch_changes_only_what_it_names() {
    let mut service = Service::default();
    service.repositories.leads.expect_find().returning(|_| Ok(Some(owned())));
    service
        .repositories
        .leads
        .expect_update()
        .times(1)
        .withf(|seen, details, work, act| {
            let mut expected = seen.details.clone();
            expected.status = LeadStatus::Contacted;
            *details == expected && *work == seen.work && act.at == now()
        })
        .returning(|seen, details, _, _| Ok(Lead { details: details.clone(), ..seen.clone() }));
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
