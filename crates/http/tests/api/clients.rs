//! Clients.

use exit3_domain::clients::{Client, ClientFilter, ClientOrder, ClientSort, Money, NewClient};
use exit3_domain::leads::{LeadCategory, LeadId};
use exit3_ports::clients::{LEAD_MISSING, LEAD_TAKEN};

use crate::access::{holding, key, named};
use crate::*;

/// A client with a value in every field.
fn rich() -> Client {
    let details = NewClient {
        lead: Some(LeadId(3)),
        team_id: "T-1".to_owned(),
        monthly_charge: Money::charge(120_050),
        one_time_charge: Money::kept(-5),
        contract_file: Some("2026/a.pdf".to_owned()),
        short_description: "a\nb".to_owned(),
        category: LeadCategory::SalesAuto,
    };
    Client { details, ..client(7) }
}

fn json_of_rich() -> Value {
    json!({
        "id": 7,
        "lead": 3,
        "team_id": "T-1",
        "monthly_charge": "1200.50",
        "one_time_charge": "-0.05",
        "contract_file": "2026/a.pdf",
        "short_description": "a\nb",
        "category": "sales_auto",
    })
}

fn create(body: &Value) -> TestRequest {
    post(CLIENTS, "application/json", body.to_string())
}

#[actix_web::test]
async fn a_client_is_shown_with_its_amounts_as_texts() {
    let mut service = Service::default();
    service.repositories.clients.expect_find().returning(|_| Ok(Some(rich())));
    let answer = service.answer(get(&format!("{CLIENTS}7/"))).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json_of_rich()));
    let mut service = Service::default();
    let details = NewClient { contract_file: Some(String::new()), ..client(7).details };
    let plain = Client { details, ..client(7) };
    service.repositories.clients.expect_find().returning(move |_| Ok(Some(plain.clone())));
    let expected = json!({
        "id": 7,
        "lead": null,
        "team_id": "T-1",
        "monthly_charge": null,
        "one_time_charge": null,
        "contract_file": null,
        "short_description": "",
        "category": "web_dev",
    });
    assert_eq!(service.answer(get(&format!("{CLIENTS}7/"))).await.json(), expected);
}

#[actix_web::test]
async fn a_client_is_created_with_what_was_sent() {
    let mut service = Service::default();
    service
        .repositories
        .clients
        .expect_create()
        .times(1)
        .withf(|new, _| {
            let expected = NewClient {
                monthly_charge: Money::charge(120_000),
                one_time_charge: Money::charge(5),
                ..client(7).details
            };
            *new == expected
        })
        .returning(|_, _| Ok(client(7)));
    let body = json!({
        "id": 9,
        "team_id": " T-1 ",
        "monthly_charge": 1200,
        "one_time_charge": "0.05",
        "contract_file": "../../etc/passwd",
    });
    let answer = service.answer(create(&body)).await;
    assert_eq!((answer.status, answer.json()["id"].as_i64()), (StatusCode::CREATED, Some(7)));
}

#[actix_web::test]
async fn a_lead_becomes_a_client() {
    let mut service = Service::default();
    service.repositories.leads.expect_find().returning(|id| Ok(Some(lead(id.0))));
    service
        .repositories
        .clients
        .expect_convert()
        .times(1)
        .withf(|seen, _, new, _| seen.id == LeadId(3) && new.lead == Some(LeadId(3)))
        .returning(|_, _, _, _| Ok(rich()));
    let answer = service.answer(create(&json!({"team_id": "T-1", "lead": 3}))).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::CREATED, json_of_rich()));
}

#[actix_web::test]
async fn a_wrong_lead_is_an_error_of_its_field() {
    let taken = json!({"lead": ["Another client has this lead."]});
    let missing = json!({"lead": ["There is no such lead."]});
    let body = json!({"team_id": "T-1", "lead": "3"});
    for (exists, expected) in [(true, &taken), (false, &missing)] {
        let mut service = Service::default();
        let found = move |id: LeadId| Ok(exists.then(|| lead(id.0)));
        service.repositories.leads.expect_find().returning(found);
        let refused = || Err(StoreError::Conflict(LEAD_TAKEN));
        service.repositories.clients.expect_convert().returning(move |_, _, _, _| refused());
        let answer = service.answer(create(&body)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()), (400, expected));
    }
    for (rule, expected) in [(LEAD_TAKEN, &taken), (LEAD_MISSING, &missing)] {
        let mut service = Service::default();
        service.repositories.clients.expect_find().returning(|_| Ok(Some(client(7))));
        let refused = move || Err(StoreError::Conflict(rule));
        service.repositories.clients.expect_update().returning(move |_, _, _| refused());
        let patch = with_key(TestRequest::patch().uri(&format!("{CLIENTS}7/")))
            .insert_header(("Content-Type", "application/json"))
            .set_payload(body.to_string());
        let answer = service.answer(patch).await;
        assert_eq!((answer.status.as_u16(), &answer.json()), (400, expected));
    }
}

#[rstest]
#[case(json!({}), "team_id", "This field is required.")]
#[case(json!({"team_id": "x".repeat(101)}), "team_id", "Ensure this field has no more than 100 characters.")]
#[case(json!({"team_id": "a\0"}), "team_id", "Null characters are not allowed.")]
#[case(json!({"monthly_charge": "-0.01"}), "monthly_charge", "Ensure this value is greater than or equal to 0.")]
#[case(json!({"monthly_charge": -1}), "monthly_charge", "Ensure this value is greater than or equal to 0.")]
#[case(json!({"one_time_charge": "1.005"}), "one_time_charge", "Ensure that there are no more than 2 decimal places.")]
#[case(json!({"one_time_charge": 100_000_000}), "one_time_charge", "Ensure that there are no more than 8 digits before the decimal point.")]
#[case(json!({"one_time_charge": "NaN"}), "one_time_charge", "A valid number is required.")]
#[case(json!({"one_time_charge": true}), "one_time_charge", "A valid number is required.")]
#[case(json!({"lead": "x"}), "lead", "Enter the id of a lead.")]
#[case(json!({"lead": [3]}), "lead", "Enter the id of a lead.")]
#[case(json!({"short_description": null}), "short_description", "This field may not be null.")]
#[case(json!({"category": "shoes"}), "category", "\"shoes\" is not a valid choice.")]
#[actix_web::test]
async fn a_broken_rule_is_told_by_field(
    #[case] body: Value,
    #[case] field: &str,
    #[case] message: &str,
) {
    let answer = Service::default().answer(create(&body)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()[field], json!([message]));
}

#[actix_web::test]
async fn a_list_asks_for_what_its_parameters_say() {
    let mut service = Service::default();
    service
        .repositories
        .clients
        .expect_list()
        .times(1)
        .withf(|filter, order, page| {
            let expected = ClientFilter {
                categories: Some(vec![LeadCategory::WebDev, LeadCategory::SalesAuto]),
                team_id: Some("T 1".to_owned()),
                lead: Some(LeadId(3)),
                has_contract: Some(false),
                words: vec!["acme".to_owned()],
            };
            let by = ClientSort::MonthlyCharge;
            *filter == expected
                && *order == ClientOrder { by, descending: true }
                && page.number == PageNumber::Number(2)
        })
        .returning(|_, _, _| Ok(Some(Page { count: 51, number: 2, rows: vec![rich()] })));
    let query = "category=web_dev,sales_auto&team_id=T+1&lead=3&has_contract=false&search=ACME\
                 &ordering=-monthly_charge&page=2";
    let answer = service.answer(get(&format!("{CLIENTS}?{query}"))).await.json();
    assert_eq!(answer["count"], 51);
    assert_eq!(answer["results"], json!([json_of_rich()]));
}

#[actix_web::test]
async fn a_text_that_is_no_id_matches_no_lead() {
    for text in ["x", "-", "99999999999999999999"] {
        let mut service = Service::default();
        service
            .repositories
            .clients
            .expect_list()
            .times(1)
            .withf(|filter, _, _| filter.lead == Some(LeadId(0)))
            .returning(|_, _, _| Ok(Some(Page { count: 0, number: 1, rows: Vec::new() })));
        let answer = service.answer(get(&format!("{CLIENTS}?lead={text}"))).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[actix_web::test]
async fn a_walk_goes_on_where_its_cursor_points() {
    let mut service = Service::default();
    service
        .repositories
        .clients
        .expect_walk()
        .times(1)
        .returning(|_, _, _| Ok(Slice { rows: vec![rich()], has_next: true, has_previous: false }));
    let path = format!("{CLIENTS}?cursor=&ordering=monthly_charge");
    let begin = service.answer(get(&path)).await.json();
    let next = begin["next"].as_str().unwrap().replace("http://api.test", "");
    let mut service = Service::default();
    service
        .repositories
        .clients
        .expect_walk()
        .times(1)
        .withf(|_, order, step| {
            step.from == Some(order.position(&rich())) && step.direction == Direction::Forward
        })
        .returning(|_, _, _| Ok(Slice { rows: vec![], has_next: false, has_previous: true }));
    assert_eq!(service.answer(get(&next)).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_publishable_key_creates_no_client() {
    let origin = "https://exit3.agency";
    for scope in ["leads:create", "clients:create", "clients:read"] {
        let service = holding(key(scope, |key| key.draft.origins = vec![origin.to_owned()]));
        let request = named(create(&json!({"team_id": "T-1"}))).insert_header(("Origin", origin));
        assert_eq!(service.answer(request).await.status, StatusCode::FORBIDDEN, "{scope}");
    }
}
