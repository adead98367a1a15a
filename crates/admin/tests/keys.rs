//! The pages of API keys.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use actix_web::http::StatusCode;
use exit3_domain::api_keys::{ApiKey, ApiKeyId, ENTROPY, KeyToken, WhichKeys};
use exit3_domain::events::Subject;
use exit3_domain::staff::Role;
use exit3_ports::events::MockEventRepository;
use office::{Office, api_key, created, get, post};

const KEYS: &str = "/backend/admin/keys/";
const NEW: &str = "/backend/admin/keys/new/";
const FORM: &str = "_token=0123456789abcdef0123456789abcdef&name=website&scopes=leads%3Acreate\
                    &scopes=leads%3Aread&origins=&rate=&expires=";

fn office() -> Office {
    Office::of(Role::Owner, None, None)
}

/// The token of a new key, whose random bytes tests know.
fn secret() -> String {
    KeyToken::secret(&[7; ENTROPY]).expose().to_owned()
}

#[actix_web::test]
async fn a_key_is_made_once_and_shown_once() {
    let mut office = office();
    let mut events = MockEventRepository::new();
    events.expect_list().times(1).returning(|_, _, _| Ok(Vec::new()));
    events.expect_list().returning(|_, _, _| {
        let mut event = created(7);
        event.subject = Subject { resource: "api_key".into(), id: 7 };
        Ok(vec![event])
    });
    office.repositories.events = events;
    office.repositories.api_keys.expect_create().times(1).returning(|new, act| {
        assert_eq!(new.draft.scopes.to_string(), "leads:create leads:read");
        assert!(act.author.batch.is_some(), "a second sending would not be recognised");
        Ok(ApiKey { draft: new.draft.clone(), ..api_key() })
    });
    let answers = office.answers(vec![post(NEW, FORM), post(NEW, FORM), get(KEYS)]).await;
    assert_eq!(answers[0].status, StatusCode::OK);
    assert!(answers[0].body.contains(&format!("data-copy=\"{}\"", secret())));
    let curl = "curl -H &#39;Authorization: Bearer ";
    assert!(answers[0].body.contains(curl), "{}", answers[0].body);
    let path = "http://office.test/backend/api/v1/leads/";
    assert!(answers[0].body.contains(path), "{}", answers[0].body);
    assert_eq!(answers[0].header("cache-control"), "no-store");
    assert_eq!(answers[1].status, StatusCode::SEE_OTHER);
    assert_eq!(answers[1].header("location"), format!("{KEYS}7/?done=key-shown-before"));
    for answer in &answers[1..] {
        assert!(!answer.body.contains(&secret()), "the key is shown again");
    }
}

#[actix_web::test]
async fn a_form_with_errors_is_shown_again_with_what_was_typed() {
    let form = "name=a+b&scopes=leads%3Aread&scopes=tags%3Aread&rate=fast&origins=a.hr&forwards=on";
    let answer = office().answer(post(NEW, form)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for text in [
        "A name has 1 to 50",
        "Choose one of the values.",
        "A limit is a number and a time",
        "value=\"a b\"",
        "value=\"leads:read\" checked",
        "name=\"forwards\" checked",
        "a.hr</textarea>",
    ] {
        assert!(answer.body.contains(text), "no {text} in {}", answer.body);
    }
    // Only scopes that the API has can be chosen.
    assert!(!answer.body.contains("tags:read"), "{}", answer.body);
}

#[actix_web::test]
async fn a_key_is_revoked_after_a_question() {
    let mut office = office();
    office.repositories.api_keys.expect_revoke().times(1).returning(|which, _| {
        assert_eq!(*which, WhichKeys::One(ApiKeyId(7)));
        Ok(Vec::new())
    });
    let path = format!("{KEYS}7/revoke/");
    let answers = office.answers(vec![get(&path), post(&path, "")]).await;
    assert!(answers[0].body.contains("stop working at once"), "{}", answers[0].body);
    assert!(answers[0].body.contains(&format!("action=\"{path}\"")), "{}", answers[0].body);
    assert_eq!(answers[1].header("location"), format!("{KEYS}7/?done=key-revoked"));
}

#[actix_web::test]
async fn a_key_that_there_is_not_is_not_found() {
    for path in ["8/", "8/revoke/", "x/"] {
        let answer = office().answer(get(&format!("{KEYS}{path}"))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}
