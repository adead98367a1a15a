//! Who writes: the holder of the key of a request, and the request.

use std::sync::{Arc, Mutex};

use exit3_domain::events::{Act, Actor};

use crate::access::{holding, key, named};
use crate::*;

const LEAD: &str = r#"{"full_name": "Ana", "position": "CTO", "email": "ana@acme.hr"}"#;
const ADDRESS: &str = r#"{"email": "ana@acme.hr"}"#;

/// Every request that writes.
fn writes() -> Vec<TestRequest> {
    let json = |request: TestRequest, body: &'static str| {
        request.insert_header(("Content-Type", "application/json")).set_payload(body)
    };
    let mut requests = Vec::new();
    for (path, body) in [(LEADS, LEAD), (NEWSLETTER, ADDRESS)] {
        let one = format!("{path}1/");
        requests.push(json(TestRequest::post().uri(path), body));
        requests.push(json(TestRequest::put().uri(&one), body));
        requests.push(json(TestRequest::patch().uri(&one), "{}"));
        requests.push(TestRequest::delete().uri(&one));
    }
    requests
}

/// The service, and the acts of the writes that reach its repositories.
fn recording(mut service: Service) -> (Service, Arc<Mutex<Vec<Act>>>) {
    let acts = Arc::new(Mutex::new(Vec::new()));
    let note = || {
        let acts = Arc::clone(&acts);
        move |act: &Act| acts.lock().unwrap().push(act.clone())
    };
    let (leads, subscribers) =
        (&mut service.repositories.leads, &mut service.repositories.subscribers);
    leads.expect_find().returning(|_| Ok(Some(lead(1))));
    subscribers.expect_find().returning(|_| Ok(Some(subscriber(1))));
    let seen = note();
    leads.expect_create().returning(move |_, act| {
        seen(act);
        Ok(lead(1))
    });
    let seen = note();
    leads.expect_update().returning(move |_, _, _, act| {
        seen(act);
        Ok(lead(1))
    });
    let seen = note();
    leads.expect_delete().returning(move |_, act| {
        seen(act);
        Ok(())
    });
    let seen = note();
    subscribers.expect_create().returning(move |_, act| {
        seen(act);
        Ok(subscriber(1))
    });
    let seen = note();
    subscribers.expect_ensure().returning(move |_, act| {
        seen(act);
        Ok(())
    });
    let seen = note();
    subscribers.expect_update().returning(move |_, _, act| {
        seen(act);
        Ok(subscriber(1))
    });
    let seen = note();
    subscribers.expect_delete().returning(move |_, act| {
        seen(act);
        Ok(())
    });
    (service, acts)
}

async fn acts(service: Service, requests: Vec<TestRequest>) -> Vec<Act> {
    let (service, acts) = recording(service);
    for answer in service.answers(requests).await {
        assert!(answer.status.is_success(), "{}", answer.status);
    }
    let acts = acts.lock().unwrap();
    acts.clone()
}

fn with_id(request: TestRequest) -> TestRequest {
    request.insert_header(("X-Request-Id", "one-2"))
}

#[actix_web::test]
async fn every_write_names_the_key_of_the_settings_and_the_request() {
    let requests: Vec<_> = writes().into_iter().map(|one| with_id(with_key(one))).collect();
    let expected = requests.len();
    let acts = acts(Service::default(), requests).await;
    assert_eq!(acts.len(), expected);
    for act in acts {
        assert_eq!(act.author.actor, Actor::BasicKey);
        assert_eq!(act.author.request.as_deref(), Some("one-2"));
        assert_eq!((act.author.batch, act.at), (None, now()));
    }
}

#[actix_web::test]
async fn every_write_names_the_named_key_and_a_request_without_an_id() {
    let scopes = "leads:create leads:write newsletter:create newsletter:write";
    let stored = key(scopes, |_| ());
    let holder = Actor::ApiKey {
        name: stored.draft.name.as_str().into(),
        prefix: stored.prefix.0.as_str().into(),
    };
    let requests: Vec<_> = writes().into_iter().map(named).collect();
    let expected = requests.len();
    let acts = acts(holding(stored), requests).await;
    assert_eq!(acts.len(), expected);
    for act in acts {
        assert_eq!(act.author.actor, holder);
        assert_eq!(act.author.request.as_deref(), Some("made"));
    }
}
