//! The consistency token, by which callers read their own writes.

use crate::*;
use exit3_ports::{Consistency, LogPosition};

fn current() -> Consistency {
    Consistency::current().unwrap()
}

/// A service in which creating a lead reaches position 7. A list expects that the request must see
/// `seen`.
fn seven_far(seen: LogPosition) -> Service {
    let mut service = Service::default();
    service.repositories.leads.expect_create().returning(|_, _| {
        current().reaches(LogPosition(7));
        Ok(lead(1))
    });
    service.repositories.leads.expect_list().times(1).returning(move |_, _, _| {
        assert_eq!((current().caller(), current().seen()), (0, seen));
        Ok(Some(Page { count: 0, number: 1, rows: vec![] }))
    });
    service
}

#[actix_web::test]
async fn a_write_is_answered_with_a_token_and_the_token_asks_for_it() {
    let body = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;
    let service = seven_far(LogPosition(7));
    let token = "0000000000000007";
    let answers = service.answers(vec![
        post(LEADS, "application/json", body),
        get(LEADS).insert_header(("Consistency-Token", token)),
    ]);
    let answers = answers.await;
    assert_eq!(answers[0].header("consistency-token"), Some(token));
    assert_eq!(answers[1].header("consistency-token"), None);
}

#[rstest]
#[case::none(&[], LogPosition(0))]
#[case::several(&["0000000000000007", "000000000000000a"], LogPosition(10))]
#[case::another_make(&["v2.abc"], LogPosition::NEVER)]
#[case::joined(&["0000000000000007, 000000000000000a"], LogPosition::NEVER)]
#[case::empty(&[""], LogPosition::NEVER)]
#[actix_web::test]
async fn a_token_that_is_not_understood_asks_for_the_primary(
    #[case] tokens: &[&str],
    #[case] seen: LogPosition,
) {
    let asked = tokens
        .iter()
        .fold(get(LEADS), |request, token| request.append_header(("Consistency-Token", *token)));
    assert_eq!(seven_far(seen).answer(asked).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_walk_never_goes_back_to_before_it_began() {
    let mut service = Service::default();
    service.repositories.leads.expect_walk().times(1).returning(|_, _, _| {
        current().reaches(LogPosition(7));
        Ok(Slice { rows: vec![lead(9)], has_next: true, has_previous: false })
    });
    let begin = service.answer(get(&format!("{LEADS}?cursor="))).await.json();
    let next = begin["next"].as_str().unwrap().replace("http://api.test", "");
    let mut service = Service::default();
    service.repositories.leads.expect_walk().times(1).returning(|_, _, _| {
        assert_eq!(current().seen(), LogPosition(7));
        Ok(Slice { rows: vec![], has_next: false, has_previous: true })
    });
    assert_eq!(service.answer(get(&next)).await.status, StatusCode::OK);
}
