//! Lists and their parameters.

use crate::*;

#[actix_web::test]
async fn a_list_asks_for_what_its_parameters_say() {
    let mut service = Service::default();
    service
        .repositories
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
    service.repositories.leads.expect_list().returning(|_, _, _| Ok(None));
    let answer = service.answer(get(&format!("{LEADS}?page=2"))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json(), json!({"detail": "Invalid page."}));
}

#[actix_web::test]
async fn a_walk_goes_on_where_its_cursor_points() {
    let mut service = Service::default();
    service
        .repositories
        .leads
        .expect_walk()
        .times(1)
        .withf(|_, _, step| step.from.is_none())
        .returning(|_, _, _| {
            Ok(Slice { rows: vec![lead(9), lead(8)], has_next: true, has_previous: false })
        });
    let begin = service.answer(get(&format!("{LEADS}?cursor=&page_size=2&status=new"))).await;
    let begin = begin.json();
    assert!(begin.get("count").is_none());
    assert_eq!(begin["previous"], Value::Null);
    let next = begin["next"].as_str().unwrap().replace("http://api.test", "");
    assert!(next.contains("page_size=2") && next.contains("status=new"), "{next}");

    let mut service = Service::default();
    service
        .repositories
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
        .repositories
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
    service.repositories.leads.expect_walk().returning(|_, _, _| {
        Ok(Slice { rows: vec![lead(9)], has_next: true, has_previous: false })
    });
    let begin = service.answer(get(&format!("{LEADS}?cursor="))).await.json();
    let next = begin["next"].as_str().unwrap().replace("http://api.test", "");
    let other = format!("{next}&ordering=full_name");
    assert_eq!(Service::default().answer(get(&other)).await.status, StatusCode::BAD_REQUEST);
    let elsewhere = next.replace(LEADS, NEWSLETTER);
    assert_eq!(Service::default().answer(get(&elsewhere)).await.status, StatusCode::BAD_REQUEST);
}
