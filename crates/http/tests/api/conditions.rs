//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110, 13).

use std::sync::{Arc, Mutex};

use exit3_domain::clients::Client;
use exit3_domain::subscribers::Subscriber;
use exit3_ports::Constraint;

use crate::access::{holding, key, named};
use crate::*;

const LEAD: &str = "/backend/api/v1/leads/1/";
const SUBSCRIBER: &str = "/backend/api/v1/newsletter/1/";
const CLIENT: &str = "/backend/api/v1/clients/1/";
const ROWS: [&str; 3] = [LEAD, SUBSCRIBER, CLIENT];
const DETAIL: &str = "Precondition failed: the stored version is not one that the request allows.";

/// A service with a stored row of each resource, which can be changed and deleted.
fn stored() -> Service {
    let mut service = Service::default();
    let (leads, subscribers) =
        (&mut service.repositories.leads, &mut service.repositories.subscribers);
    let (now, same) = (Arc::new(Mutex::new(lead(1))), Arc::new(Mutex::new(subscriber(1))));
    let found = Arc::clone(&now);
    leads.expect_find().returning(move |_| Ok(Some(found.lock().unwrap().clone())));
    leads.expect_update().returning(move |seen, details, work, _| {
        let updated_at = seen.updated_at + chrono::TimeDelta::microseconds(1);
        let updated =
            Lead { details: details.clone(), work: work.clone(), updated_at, ..seen.clone() };
        now.lock().unwrap().clone_from(&updated);
        Ok(updated)
    });
    leads.expect_delete().returning(|_, _| Ok(()));
    let found = Arc::clone(&same);
    subscribers.expect_find().returning(move |_| Ok(Some(found.lock().unwrap().clone())));
    subscribers.expect_update().returning(move |seen, details, _| {
        let updated = Subscriber {
            id: seen.id,
            email: details.email.clone(),
            is_subscribed: details.is_subscribed,
        };
        same.lock().unwrap().clone_from(&updated);
        Ok(updated)
    });
    subscribers.expect_delete().returning(|_, _| Ok(()));
    let clients = &mut service.repositories.clients;
    let (now, found) = same_pair(client(1));
    clients.expect_find().returning(move |_| Ok(Some(found.lock().unwrap().clone())));
    clients.expect_update().returning(move |seen, details, _| {
        let updated = Client { id: seen.id, details: details.clone() };
        now.lock().unwrap().clone_from(&updated);
        Ok(updated)
    });
    clients.expect_delete().returning(|_, _| Ok(()));
    service
}

/// The same row for a reader and a writer.
fn same_pair<T>(row: T) -> (Arc<Mutex<T>>, Arc<Mutex<T>>) {
    let row = Arc::new(Mutex::new(row));
    (Arc::clone(&row), row)
}

/// A service in which nothing must be changed.
fn unchanged() -> Service {
    let mut service = Service::default();
    service.repositories.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    service.repositories.subscribers.expect_find().returning(|_| Ok(Some(subscriber(1))));
    service.repositories.clients.expect_find().returning(|_| Ok(Some(client(1))));
    service
}

async fn etag(path: &str) -> String {
    unchanged().answer(get(path)).await.header("etag").unwrap().to_owned()
}

fn change(method: &str, path: &str) -> TestRequest {
    let body = match path {
        LEAD => r#"{"full_name": "Eva", "position": "CTO", "email": "eva@acme.hr"}"#,
        CLIENT => r#"{"team_id": "T-2"}"#,
        _ => r#"{"email": "eva@acme.hr"}"#,
    };
    let request = TestRequest::with_uri(path).method(method.parse().unwrap());
    with_key(request).insert_header(("Content-Type", "application/json")).set_payload(body)
}

fn changes() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROWS.into_iter().flat_map(|path| ["PUT", "PATCH", "DELETE"].map(|m| (m, path)))
}

#[rstest]
#[case(LEAD)]
#[case(SUBSCRIBER)]
#[actix_web::test]
async fn a_row_has_one_strong_tag_at_every_path(#[case] path: &str) {
    let tag = etag(path).await;
    assert!(tag.len() > 20 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let old = path.replace("/v1/", "/");
    let head = with_key(TestRequest::with_uri(path).method("HEAD".parse().unwrap()));
    let problem = get(path).insert_header(("Accept", "application/problem+json"));
    let bodies = unchanged().answers(vec![get(path), get(&old), head, problem]).await;
    for answer in &bodies {
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    assert_eq!(bodies[0].body, bodies[1].body);
    let mut other = Service::default();
    let changed = Lead { updated_at: now() + chrono::TimeDelta::microseconds(1), ..lead(1) };
    other.repositories.leads.expect_find().returning(move |_| Ok(Some(changed.clone())));
    let changed = Subscriber { is_subscribed: false, ..subscriber(1) };
    other.repositories.subscribers.expect_find().returning(move |_| Ok(Some(changed.clone())));
    assert_ne!(other.answer(get(path)).await.header("etag"), Some(tag.as_str()));
}

/// `TAG` stands for the tag of the row.
#[rstest]
#[case(&["TAG"], true)]
#[case(&["W/TAG"], true)]
#[case(&["*"], true)]
#[case(&[" * "], true)]
#[case(&["\"other\", TAG"], true)]
#[case(&["\"other\",W/TAG ,\"more\""], true)]
#[case(&[",, TAG ,"], true)]
#[case(&["\"other\"", "TAG"], true)]
#[case(&["\"a,b\",TAG"], true)]
#[case(&["\"other\""], false)]
#[case(&["\"\""], false)]
#[case(&["W/\"other\", \"\u{e9}\""], false)]
// Malformed ones are ignored.
#[case(&[""], false)]
#[case(&[","], false)]
#[case(&["TAG, *"], false)]
#[case(&["*", "TAG"], false)]
#[case(&["w/TAG"], false)]
#[case(&["W/ TAG"], false)]
#[case(&["TAG TAG"], false)]
#[case(&["TAG\"other\""], false)]
#[case(&["TAG;"], false)]
#[case(&["other"], false)]
#[case(&["\"other"], false)]
#[case(&["\"a b\", TAG"], false)]
#[actix_web::test]
async fn a_version_that_the_client_has_is_not_sent_again(
    #[case] lines: &[&str],
    #[case] has_it: bool,
) {
    for path in ROWS {
        let tag = etag(path).await;
        let request = lines.iter().fold(get(path), |request, line| {
            request.append_header(("If-None-Match", line.replace("TAG", &tag)))
        });
        let answer = unchanged().answer(request).await;
        assert_eq!(answer.status.as_u16(), if has_it { 304 } else { 200 }, "{lines:?}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
        assert_eq!(answer.body.is_empty(), has_it);
        assert_eq!(answer.header("content-type").is_none(), has_it);
        for header in ["vary", "cache-control", "x-request-id"] {
            assert!(answer.header(header).is_some(), "{header}");
        }
    }
}

#[rstest]
#[case(&["TAG"], 200)]
#[case(&["*"], 200)]
#[case(&["\"other\" , TAG"], 200)]
#[case(&["\"other\"", "TAG"], 200)]
#[case(&["W/TAG, TAG"], 200)]
#[case(&["\"other\""], 412)]
#[case(&["\"\""], 412)]
// A weak tag matches nothing.
#[case(&["W/TAG"], 412)]
#[case(&["\"\u{e9}\""], 412)]
#[case(&[""], 400)]
#[case(&["TAG, *"], 400)]
#[case(&["*", "*"], 400)]
#[case(&["other"], 400)]
#[case(&["w/TAG"], 400)]
#[case(&["TAG TAG"], 400)]
#[case(&["'TAG'"], 400)]
#[actix_web::test]
async fn only_a_version_that_the_client_names_is_shown_or_changed(
    #[case] lines: &[&str],
    #[case] status: u16,
) {
    for (method, path) in changes().chain(ROWS.map(|path| ("GET", path))) {
        let tag = etag(path).await;
        let request = lines.iter().fold(change(method, path), |request, line| {
            request.append_header(("If-Match", line.replace("TAG", &tag)))
        });
        let service = if status == 200 { stored() } else { unchanged() };
        let answer = service.answer(request).await;
        let expected = if status == 200 && method == "DELETE" { 204 } else { status };
        assert_eq!(answer.status.as_u16(), expected, "{method} {path} {lines:?}");
        let detail = match status {
            412 => DETAIL,
            400 => "If-Match must be * or a list of entity tags in double quotes.",
            _ => continue,
        };
        assert_eq!(answer.json(), json!({ "detail": detail }));
        assert_eq!(answer.header("etag"), None);
    }
}

#[actix_web::test]
async fn a_failed_condition_is_told_as_a_problem_to_clients_that_prefer_it() {
    let request = change("PATCH", LEAD)
        .insert_header(("If-Match", "\"other\""))
        .insert_header(("Accept", "application/problem+json"));
    let answer = unchanged().answer(request).await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank",
            "title": "Precondition Failed",
            "status": 412,
            "detail": DETAIL,
            "errors": { "detail": DETAIL },
        })
    );
}

#[actix_web::test]
async fn a_change_is_answered_with_the_tag_of_the_new_version() {
    for path in ROWS {
        let first = etag(path).await;
        let requests = ["PUT", "PATCH"].map(|method| change(method, path));
        let [put, patch] = requests;
        let answers = stored().answers(vec![put, get(path), patch, get(path)]).await;
        let tags: Vec<&str> = answers.iter().map(|answer| answer.header("etag").unwrap()).collect();
        assert_ne!(tags[0], first);
        assert_eq!((tags[0], tags[2]), (tags[1], tags[3]));
    }
}

#[actix_web::test]
async fn a_client_that_has_seen_an_older_version_overwrites_nothing() {
    for (method, path) in changes() {
        let tag = etag(path).await;
        let conditional = |method| change(method, path).insert_header(("If-Match", tag.clone()));
        let mut answers =
            stored().answers(vec![conditional("PUT"), conditional(method), get(path)]).await;
        let [first, second, now] = &mut answers[..] else { panic!("three answers") };
        assert_eq!(first.status, StatusCode::OK);
        assert_eq!(second.status, StatusCode::PRECONDITION_FAILED, "{method} {path}");
        assert_eq!(now.body, first.body);
    }
}

/// Somebody else changes the row between the check of the condition and the write.
#[actix_web::test]
async fn a_condition_holds_until_the_write() {
    for method in ["PUT", "PATCH", "DELETE"] {
        let mut service = Service::default();
        let leads = &mut service.repositories.leads;
        leads.expect_find().times(1).returning(|_| Ok(Some(lead(1))));
        let mut theirs = lead(1);
        theirs.details.notes = Some("theirs".into());
        leads.expect_find().times(1).returning(move |_| Ok(Some(theirs.clone())));
        let stale = || StoreError::Conflict(Constraint::Stale);
        leads.expect_update().times(..=1).returning(move |_, _, _, _| Err(stale()));
        leads.expect_delete().times(..=1).returning(move |_, _| Err(stale()));
        let request = change(method, LEAD).insert_header(("If-Match", etag(LEAD).await));
        let answer = service.answer(request).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED, "{method}");
    }
}

#[rstest]
#[case("*", 412)]
#[case("TAG", 412)]
#[case("W/TAG", 412)]
#[case("\"other\"", 200)]
#[case("other", 400)]
#[actix_web::test]
async fn a_change_may_exclude_versions(#[case] value: &str, #[case] status: u16) {
    for (method, path) in changes() {
        let value = value.replace("TAG", &etag(path).await);
        let request = change(method, path).insert_header(("If-None-Match", value));
        let service = if status == 200 { stored() } else { unchanged() };
        let answer = service.answer(request).await;
        let expected = if status == 200 && method == "DELETE" { 204 } else { status };
        assert_eq!(answer.status.as_u16(), expected, "{method} {path}");
    }
}

#[actix_web::test]
async fn a_row_that_is_not_there_is_not_found_under_any_condition() {
    for (method, path) in changes().chain(ROWS.map(|path| ("GET", path))) {
        for (name, value) in [("If-Match", "*"), ("If-Match", "\"x\""), ("If-None-Match", "*")] {
            let mut service = Service::default();
            service.repositories.leads.expect_find().returning(|_| Ok(None));
            service.repositories.subscribers.expect_find().returning(|_| Ok(None));
            service.repositories.clients.expect_find().returning(|_| Ok(None));
            let answer = service.answer(change(method, path).insert_header((name, value))).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path} {name}: {value}");
        }
    }
}

#[actix_web::test]
async fn lists_and_creations_have_no_tag_and_no_conditions() {
    let scopes = "leads:create leads:read newsletter:create";
    let mut service = holding(key(scopes, |_| ()));
    service.repositories.leads.expect_create().returning(|_, _| Ok(lead(1)));
    service.repositories.subscribers.expect_ensure().returning(|_, _| Ok(()));
    service
        .repositories
        .leads
        .expect_list()
        .returning(|_, _, _| Ok(Some(Page { count: 0, number: 1, rows: vec![] })));
    let lead = r#"{"full_name": "Ana", "position": "CTO", "email": "ana@acme.hr"}"#;
    // The tag of a sign-up would tell whether the address was subscribed already.
    let requests = [
        post(LEADS, "application/json", lead),
        post(NEWSLETTER, "application/json", r#"{"email": "ana@acme.hr"}"#),
        get(LEADS),
    ];
    let conditional = requests.map(|request| {
        named(request)
            .insert_header(("If-Match", "\"other\""))
            .insert_header(("If-None-Match", "*"))
    });
    for answer in service.answers(conditional.into()).await {
        assert!(answer.status.is_success(), "{}", answer.status);
        assert_eq!(answer.header("etag"), None);
    }
}

#[actix_web::test]
async fn pages_of_other_origins_may_use_tags_and_conditions() {
    let cors = CorsSettings { origins: vec!["https://exit3.agency".into()], credentials: false };
    let mut service = Service { cors, ..unchanged() };
    service.site = Site::default();
    let preflight = TestRequest::with_uri(LEAD)
        .method("OPTIONS".parse().unwrap())
        .insert_header(("Host", "api.test"))
        .insert_header(("Origin", "https://exit3.agency"))
        .insert_header(("Access-Control-Request-Method", "PATCH"))
        .insert_header(("Access-Control-Request-Headers", "if-match,if-none-match"));
    let shown = get(LEAD).insert_header(("Origin", "https://exit3.agency"));
    let answers = service.answers(vec![preflight, shown]).await;
    let list = |answer: &Answer, name: &str| answer.header(name).unwrap().to_lowercase();
    let allowed = list(&answers[0], "access-control-allow-headers");
    assert!(allowed.contains("if-match") && allowed.contains("if-none-match"), "{allowed}");
    assert!(list(&answers[1], "access-control-expose-headers").contains("etag"));
}
