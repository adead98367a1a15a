//! A resource follows from its registration alone: these tests register one that the API does not
//! have, and nothing else knows it.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use chrono::DateTime;
use exit3_app::App;
use exit3_app::quotas::Limits;
use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, ApiKeyId, KeyToken, Scopes};
use exit3_domain::email::DisposableDomains;
use exit3_domain::fields::{Field, FieldKind};
use exit3_domain::quotas::Quota;
use exit3_ports::{MockClock, MockQuotas, MockRepositories, Obstacle, Standing};
use exit3_web::{CorsSettings, Endpoint, Observer, Site};
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::requests::Body;
use crate::resource::{ROW, Resource, Resources, Served};
use crate::{Api, ApiSettings, OWN, Sunset, leads, openapi, routes};

/// A resource with the usual routes.
const TAGS: Resource = Resource {
    name: "tags",
    fields: &[
        Field { name: "title", kind: FieldKind::Boolean, is_required: true, is_nullable: false },
        Field { name: "hidden", kind: FieldKind::Boolean, is_required: false, is_nullable: false },
    ],
    has_create_scope: true,
    creates: None,
    is_unversioned: false,
    endpoints: || {
        vec![
            Endpoint::new("").route(Method::GET, tags).route(Method::POST, create_tag),
            Endpoint::new(ROW)
                .route(Method::GET, tags)
                .route(Method::PUT, tags)
                .route(Method::PATCH, tags)
                .route(Method::DELETE, tags),
        ]
    },
    bodies: || {
        let properties = json!({"title": {"type": "boolean"}, "hidden": {"type": "boolean"}});
        let description = "A tag.";
        vec![Body { name: "TagCreate", description, properties, is_whole: true }]
    },
    document: Annotations::openapi,
};

const RESOURCES: Resources = Resources(&[Served::own(leads::RESOURCE), Served::own(TAGS)]);

crate::written_out! {
    /// A tag.
    TagCreate,
}

#[derive(OpenApi)]
#[openapi(paths(tags, create_tag), tags((name = "tags", description = "Tags.")))]
struct Annotations;

#[utoipa::path(
    get,
    path = "/backend/api/v1/tags/",
    tag = "tags",
    operation_id = "list_tags",
    responses((status = 200, description = "Tags."))
)]
async fn tags() -> HttpResponse {
    HttpResponse::Ok().json("the handler")
}

#[utoipa::path(
    post,
    path = "/backend/api/v1/tags/",
    tag = "tags",
    operation_id = "create_tag",
    request_body = TagCreate,
    responses((status = 200, description = "A tag."))
)]
async fn create_tag() -> HttpResponse {
    tags().await
}

fn token() -> KeyToken {
    KeyToken::secret(&[7; 40])
}

/// A service whose named key has these scopes.
fn api(scopes: &str) -> Api {
    let now = DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap();
    let key = ApiKey {
        id: ApiKeyId(1),
        draft: ApiKeyDraft {
            name: "website".to_owned(),
            scopes: Scopes::from_words(scopes),
            origins: Vec::new(),
            rate: None,
            forwards_visitors: false,
            expires_at: None,
        },
        prefix: token().prefix().clone(),
        digest: token().digest(),
        created_at: now,
        revoked_at: None,
        last_used_at: None,
    };
    let mut repositories = MockRepositories::default();
    repositories.api_keys.expect_find_by_prefix().returning(move |_| Ok(Some(key.clone())));
    repositories.health.expect_schema_is_current().returning(|| Ok(true));
    repositories
        .health
        .expect_obstacle()
        .returning(|| Ok(Some(Obstacle::Lacks("no INSERT on tags".to_owned()))));
    let mut clock = MockClock::new();
    clock.expect_now().returning(move || now);
    let mut quotas = MockQuotas::new();
    quotas.expect_charge().returning(|charges| {
        charges.iter().map(|_| Standing { remaining: 9, refused_for: None }).collect()
    });
    let hourly = Some("100/hour".parse().unwrap());
    let app = App {
        database: Ok(repositories.into()),
        entrance: Arc::new(exit3_app::sign_ins::Entrance::new(
            chrono::TimeDelta::hours(12),
            chrono::TimeDelta::days(14),
            |bytes| bytes.fill(7),
        )),
        keyring: Arc::default(),
        bell: Arc::default(),
        quotas: Arc::new(quotas),
        limits: Limits {
            visitor: hourly,
            key: hourly,
            lead_create: hourly,
            newsletter_create: hourly,
        },
        clock: Arc::new(clock),
        disposable: DisposableDomains::default(),
        intake: None,
        modules: Arc::default(),
        contracts: exit3_app::contracts::Contracts {
            store: Arc::new(exit3_ports::MockContractStore::new()),
            scanner: None,
        },
    };
    let settings = ApiSettings {
        resources: RESOURCES,
        api_key: "peer-key".to_owned().into(),
        secret: "secret".to_owned().into(),
        site: Site::default(),
        cors: CorsSettings::default(),
        sunset: Sunset::default(),
        observer: Observer::default(),
    };
    Api::new(app, &settings)
}

/// The status, the quotas, and the body of an answer.
async fn answer(
    scopes: &str,
    method: Method,
    path: &str,
    key: &str,
) -> (StatusCode, String, Value) {
    let service = init_service(api(scopes).service(|_| {})).await;
    let request = TestRequest::with_uri(path)
        .method(method)
        .insert_header(("Authorization", format!("Bearer {key}")))
        .peer_addr("192.0.2.1:4711".parse().unwrap());
    let response = call_service(&service, request.to_request()).await;
    let quotas = response.headers().get("ratelimit").map(|told| told.to_str().unwrap().to_owned());
    (response.status(), quotas.unwrap_or_default(), read_body_json(response).await)
}

async fn status(scopes: &str, method: Method, path: &str) -> StatusCode {
    answer(scopes, method, path, token().expose()).await.0
}

const ALL: &str = "leads:create leads:read leads:write tags:create tags:read tags:write";

#[actix_web::test]
async fn each_method_needs_its_scope_of_that_resource() {
    let (list, one) = ("/backend/api/v1/tags/", "/backend/api/v1/tags/1/");
    for (method, path, needed) in [
        (Method::GET, list, "tags:read"),
        (Method::POST, list, "tags:create"),
        (Method::GET, one, "tags:read"),
        (Method::PUT, one, "tags:write"),
        (Method::PATCH, one, "tags:write"),
        (Method::DELETE, one, "tags:write"),
    ] {
        for held in ALL.split(' ').chain(["newsletter:read", "tag:read", "tags_:read", "tags:all"])
        {
            let opens = status(held, method.clone(), path).await == StatusCode::OK;
            assert_eq!(opens, held == needed, "{held}: {method} {path}");
        }
        let (basic, ..) = answer("", method.clone(), path, "peer-key").await;
        assert_eq!(basic, StatusCode::OK, "{method} {path}");
    }
}

#[test]
fn without_a_scope_of_its_own_creating_needs_the_scope_for_writing() {
    let closed = Resource { has_create_scope: false, ..TAGS };
    let scope = |resource: &Resource| resource.scope(&Method::POST).map(|scope| scope.to_string());
    assert_eq!(scope(&TAGS).as_deref(), Some("tags:create"));
    assert_eq!(scope(&closed).as_deref(), Some("tags:write"));
    assert!(OWN.scopes().all(|scope| scope.to_string() != "clients:create"));
}

#[actix_web::test]
async fn it_is_served_at_its_versioned_path_only() {
    for path in ["/backend/api/tags/", "/backend/api/v1/tagss/", "/backend/api/v1/tags/1/leads/"] {
        assert_eq!(status(ALL, Method::GET, path).await, StatusCode::NOT_FOUND, "{path}");
    }
    // `leads` is registered with the deprecated path.
    let old = status("tags:read", Method::GET, "/backend/api/leads/").await;
    assert_eq!(old, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn creating_has_no_quota_of_its_own_unless_it_says_so() {
    let told = async |path| answer(ALL, Method::POST, path, token().expose()).await.1;
    let quotas = told("/backend/api/v1/tags/").await;
    assert!(quotas.contains("visitor") && quotas.contains("key"), "{quotas}");
    assert!(!quotas.contains("create"), "{quotas}");
    assert!(told("/backend/api/v1/leads/").await.contains(Quota::LeadCreate.as_str()));
}

#[actix_web::test]
async fn a_key_has_full_access_only_with_the_scopes_of_all_resources() {
    let ready = "/backend/health/ready/";
    for (scopes, told) in [(ALL, true), ("leads:create leads:read leads:write", false)] {
        let (_, _, body) = answer(scopes, Method::GET, ready, token().expose()).await;
        assert_eq!(body.get("detail").is_some(), told, "{scopes}: {body}");
    }
    let (_, _, body) = answer("", Method::GET, ready, "peer-key").await;
    assert_eq!(body["detail"], "no INSERT on tags");
}

#[test]
fn a_path_belongs_to_the_resource_of_its_first_segment() {
    let name = |path| RESOURCES.of(path).map(|resource| resource.name);
    for path in ["tags/", "tags/1/", "tags/leads/", "tags"] {
        assert_eq!(name(path), Some("tags"), "{path}");
    }
    for path in ["", "/", "/tags/", "tag/", "tagss/", "tags_/", "Tags/", "newsletter/", "x/tags/"] {
        assert_eq!(name(path), None, "{path}");
    }
}

#[test]
fn every_resource_has_a_name_of_its_own_that_scopes_can_have() {
    let names: BTreeSet<&str> = OWN.iter().map(|resource| resource.name).collect();
    assert_eq!(names.len(), OWN.iter().count());
    for scope in OWN.scopes() {
        assert_eq!(scope.to_string().parse().as_ref(), Ok(&scope));
    }
}

#[test]
fn its_scopes_are_known() {
    let known: Vec<String> = RESOURCES.scopes().map(|scope| scope.to_string()).collect();
    assert_eq!(known.join(" "), ALL);
}

#[actix_web::test]
async fn the_document_describes_it() {
    let (_, _, document) = answer(ALL, Method::GET, "/backend/api/schema/", "").await;
    assert_eq!(document, openapi::document(RESOURCES));
    let list = &document["paths"]["/backend/api/v1/tags/"];
    assert_eq!(list["get"]["security"][0]["bearer"], json!(["tags:read"]));
    assert_eq!(list["post"]["security"][1]["basic"], json!(["tags:create"]));
    assert!(list["post"]["responses"]["415"].is_object());
    assert_eq!(document["components"]["schemas"]["TagCreate"]["required"], json!(["title"]));
    let names = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str());
    assert_eq!(names.flatten().collect::<Vec<_>>(), ["leads", "tags", "service"]);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/backend/api/leads/"));
    assert!(!paths.contains_key("/backend/api/tags/"));
    assert!(!paths.keys().any(|path| path.contains("newsletter")));
}

#[test]
fn an_operation_that_the_document_omits_is_noticed() {
    let described = openapi::described(&openapi::document(RESOURCES));
    let omitted: Vec<String> = routes::served(RESOURCES).difference(&described).cloned().collect();
    let one = ["delete", "get", "patch", "put"];
    assert_eq!(omitted, one.map(|method| format!("/backend/api/v1/tags/{{id}}/ {method}")));
}
