//! A resource that a module outside of this repository adds: it is written with public items only.

mod tags;

use exit3_app::health::ModuleCheck;
use exit3_app::modules::{Switch, conflict};
use exit3_domain::api_keys::Scope;
use exit3_http::{OWN, Served};

use crate::*;
use tags::{Tag, Tags};

const TAGS: &str = "/backend/api/v1/tags/";

fn served() -> Served {
    static SWITCH: Switch = Switch::of("tags");
    Served { resource: tags::RESOURCE, switch: Some(&SWITCH) }
}

/// A service with three tags.
fn service(kept: &Arc<Tags>) -> Service {
    for (id, title) in [(1, "old"), (2, "urgent"), (3, "new")] {
        kept.rows.lock().unwrap().insert(id, Tag { id, title: title.to_owned() });
    }
    let mut service = Service { more: vec![served()], ..Service::default() };
    service.repositories.kept.keep(Arc::clone(kept) as _);
    service
}

#[actix_web::test]
async fn its_list_has_pages_and_cursors() {
    let tags = Arc::default();
    let page = service(&tags).answer(get(TAGS)).await.json();
    assert_eq!((&page["count"], &page["results"][0]["title"]), (&json!(3), &json!("new")));
    let first = service(&tags).answer(get(&format!("{TAGS}?cursor=&page_size=2"))).await.json();
    let rest = service(&tags).answer(get(first["next"].as_str().unwrap())).await.json();
    assert_eq!(rest["results"], json!([{"id": 1, "title": "old"}]));
}

#[actix_web::test]
async fn its_rows_have_versions_and_conditions() {
    let tags = Arc::default();
    let one = format!("{TAGS}2/");
    let put = |tag: &str| {
        let body = json!({"title": "later"}).to_string();
        with_key(TestRequest::put().uri(&one))
            .insert_header(("Content-Type", "application/json"))
            .insert_header(("If-Match", tag))
            .set_payload(body)
    };
    let found = service(&tags).answer(get(&one)).await;
    let version = found.header("etag").unwrap();
    let same = get(&one).insert_header(("If-None-Match", version));
    let answers = service(&tags).answers(vec![same, put("\"other\""), put(version), put(version)]);
    let statuses = answers.await.into_iter().map(|answer| answer.status.as_u16());
    assert_eq!(statuses.collect::<Vec<_>>(), [304, 412, 200, 412]);
    let missing = service(&tags).answer(get(&format!("{TAGS}9/"))).await;
    assert_eq!(missing.json(), json!({"detail": "No Tag matches the given query."}));
}

#[actix_web::test]
async fn it_is_behind_the_gate_and_knows_its_author() {
    let tags = Arc::<Tags>::default();
    let keyless = service(&tags).answer(TestRequest::get().uri(TAGS)).await;
    assert_eq!(keyless.status, StatusCode::FORBIDDEN);
    let refused = service(&tags).answer(post(TAGS, "application/json", "{}")).await;
    assert_eq!(refused.json(), json!({"title": ["This field is required."]}));
    let body = json!({"title": "warm"}).to_string();
    let created = service(&tags).answer(post(TAGS, "application/json", body)).await;
    assert_eq!((created.status, created.json()["id"].clone()), (StatusCode::CREATED, json!(4)));
    assert_eq!(tags.author.lock().unwrap().as_deref(), Some("basic_key"));
}

#[test]
fn it_has_no_faults_and_claims_nothing_of_others() {
    let resources = OWN.and([served()]);
    assert_eq!(resources.faults(), [""; 0]);
    assert_eq!(conflict(resources.claims()), None);
    let twice = conflict(resources.and([served()]).claims()).unwrap();
    assert!(twice.starts_with("the module tags claims the schema Tag"), "{twice}");
    let scopes: Vec<Scope> = resources.scopes().skip(OWN.scopes().count()).collect();
    assert_eq!(scopes, [Scope::read("tags"), Scope::write("tags")]);
}

#[actix_web::test]
async fn it_answers_503_while_its_module_is_off_to_those_who_may_use_it() {
    static OFF: Switch = Switch::of("tags");
    let off = || Service {
        more: vec![Served { switch: Some(&OFF), ..served() }],
        ..service(&Arc::default())
    };
    assert_eq!(off().answer(get(TAGS)).await.status, StatusCode::OK);
    OFF.turn_off("hunter2");
    let answer = off().answer(get(TAGS)).await;
    let (status, wait) = (answer.status, answer.header("retry-after"));
    assert_eq!((status, wait), (StatusCode::SERVICE_UNAVAILABLE, Some("30")));
    let detail = "The module tags does not work at the moment.";
    assert_eq!(answer.json(), json!({ "detail": detail }));
    let keyless = off().answer(TestRequest::get().uri(TAGS)).await;
    assert_eq!(keyless.status, StatusCode::FORBIDDEN);
    let mut others = off();
    others.repositories.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    assert_eq!(others.answer(get(&format!("{LEADS}1/"))).await.status, StatusCode::OK);
    OFF.turn_on();
    assert_eq!(off().answer(get(TAGS)).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn the_health_of_its_module_is_shown_to_keys_with_all_scopes() {
    static OFF: Switch = Switch::of("agenda");
    OFF.turn_off("its migration failed");
    let service = || {
        let mut service = service(&Arc::default());
        let on = ModuleCheck {
            switch: served().switch.unwrap(),
            ask: Some(|app| {
                let count = app.kept::<Tags>().map(|tags| tags.rows.lock().unwrap().len());
                Box::pin(async { Ok(json!({ "rows": count.map_err(|error| error.to_string())? })) })
            }),
        };
        service.modules = vec![on, ModuleCheck { switch: &OFF, ask: None }];
        let repositories = &mut service.repositories;
        repositories.health.expect_schema_is_current().returning(|| Ok(true));
        repositories.health.expect_obstacle().returning(|| Ok(None));
        repositories.backups.expect_status().returning(|| Err(away()));
        service
    };
    let ready = "/backend/health/ready/";
    let all = service().answer(get(ready)).await;
    let modules = json!({
        "agenda": {"status": "off", "detail": "its migration failed"},
        "tags": {"status": "ok", "detail": {"rows": 3}},
    });
    assert_eq!(all.json(), json!({"status": "ok", "modules": modules}));
    let keyless = service().answer(TestRequest::get().uri(ready)).await;
    assert_eq!((keyless.status, keyless.json()), (StatusCode::OK, json!({"status": "ok"})));
}
