//! The API over mocked ports, for the tests of every resource.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::sync::Arc;

use actix_web::body::to_bytes;
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, try_call_service};
use chrono::{DateTime, Utc};
use exit3_app::App;
use exit3_app::health::ModuleCheck;
use exit3_app::quotas::Limits;
use exit3_domain::clients::{Client, ClientId, ClientInput};
use exit3_domain::email::DisposableDomains;
use exit3_domain::leads::{Lead, LeadId, LeadInput};
use exit3_domain::raw::RawValue;
use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_http::{Api, ApiSettings, Served, Sunset};
use exit3_ports::{
    ContractStore, MockClock, MockContractStore, MockQuotas, MockRepositories, StoreError,
};
use exit3_web::{CorsSettings, Observer, Site, observe};
use serde_json::Value;

pub const LEADS: &str = "/backend/api/v1/leads/";
pub const CLIENTS: &str = "/backend/api/v1/clients/";
pub const NEWSLETTER: &str = "/backend/api/v1/newsletter/";

/// The resources of the API, and their paths.
pub fn resources() -> Vec<(String, String)> {
    let mut names: Vec<String> =
        exit3_http::OWN.scopes().map(|scope| scope.resource().to_owned()).collect();
    names.dedup();
    assert!(names.len() > 1, "{names:?}");
    names.into_iter().map(|name| (name.clone(), format!("/backend/api/v1/{name}/"))).collect()
}

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap()
}

#[derive(Default)]
pub struct Service {
    pub repositories: MockRepositories,
    pub quotas: MockQuotas,
    pub contracts: Option<Arc<dyn ContractStore>>,
    pub limits: Limits,
    /// Always [`now`] by default.
    pub clock: Option<MockClock>,
    /// Called with the number of each request before it is sent.
    pub before: Option<Box<dyn Fn(usize)>>,
    /// Resources beside those of the service.
    pub more: Vec<Served>,
    pub intake: Option<Arc<exit3_app::intake::Intake>>,
    pub modules: Vec<ModuleCheck>,
    pub site: Site,
    pub cors: CorsSettings,
    pub sunset: Option<DateTime<Utc>>,
    /// Whether a layer before the API panics, for paths that ask for it.
    pub trips: bool,
}

/// Panics while a request is observed, if its headers ask for it.
fn traced(headers: &actix_web::http::header::HeaderMap) -> bool {
    assert!(!headers.contains_key("x-trip"), "a trip");
    false
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: actix_web::http::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Service {
    /// Sends requests one after another.
    pub async fn answers(self, requests: Vec<TestRequest>) -> Vec<Answer> {
        let clock = self.clock.unwrap_or_else(|| {
            let mut clock = MockClock::new();
            clock.expect_now().returning(now);
            clock
        });
        let app = App {
            database: Ok(self.repositories.into()),
            entrance: Arc::new(exit3_app::sign_ins::Entrance::new(
                chrono::TimeDelta::hours(12),
                chrono::TimeDelta::days(14),
                |bytes| bytes.fill(7),
            )),
            keyring: Arc::default(),
            bell: Arc::default(),
            quotas: Arc::new(self.quotas),
            limits: self.limits,
            clock: Arc::new(clock),
            disposable: DisposableDomains::default(),
            intake: self.intake,
            modules: self.modules.into(),
            contracts: exit3_app::contracts::Contracts {
                store: self.contracts.unwrap_or_else(|| Arc::new(MockContractStore::new())),
                scanner: None,
            },
        };
        let settings = ApiSettings {
            resources: exit3_http::OWN.and(self.more),
            api_key: "peer-key".to_owned().into(),
            secret: "secret".to_owned().into(),
            site: self.site,
            cors: self.cors,
            sunset: Sunset(self.sunset),
            observer: Observer { new_id: || "made".to_owned(), traced, ..Observer::default() },
        };
        let trips = self.trips;
        let api = Api::new(app, &settings).service(|_| {});
        let api = api.wrap_fn(move |request, inner| {
            assert!(!(trips && request.path() == "/at-once"), "a trip");
            let later = trips && request.path() == "/later";
            let inner = actix_web::dev::Service::call(inner, request);
            async move {
                assert!(!later, "a trip");
                inner.await
            }
        });
        let service = init_service(api.wrap(from_fn(observe))).await;
        let mut answers = Vec::new();
        for (number, request) in requests.into_iter().enumerate() {
            if let Some(before) = &self.before {
                before(number);
            }
            let response = match try_call_service(&service, request.to_request()).await {
                Ok(response) => response.into_parts().1.map_into_boxed_body(),
                // Converts errors to responses as the server does.
                Err(error) => error.error_response(),
            };
            let (status, headers) = (response.status(), response.headers().clone());
            let body = to_bytes(response.into_body()).await.unwrap().to_vec();
            answers.push(Answer { status, headers, body });
        }
        answers
    }

    pub async fn answer(self, request: TestRequest) -> Answer {
        self.answers(vec![request]).await.remove(0)
    }
}

pub fn with_key(request: TestRequest) -> TestRequest {
    request.insert_header(("Authorization", "Basic peer-key")).insert_header(("Host", "api.test"))
}

pub fn get(path: &str) -> TestRequest {
    with_key(TestRequest::get().uri(path))
}

pub fn post(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> TestRequest {
    with_key(TestRequest::post().uri(path))
        .insert_header(("Content-Type", content_type))
        .set_payload(body.into())
}

pub fn lead(id: i64) -> Lead {
    let input = LeadInput {
        full_name: RawValue::text("Ana Horvat"),
        position: RawValue::text("CTO"),
        email: RawValue::text("ana@acme.hr"),
        ..LeadInput::default()
    };
    Lead {
        id: LeadId(id),
        details: input.into_new(&DisposableDomains::default()).unwrap(),
        work: exit3_domain::leads::LeadWork::default(),
        created_at: now(),
        updated_at: now(),
    }
}

pub fn subscriber(id: i64) -> Subscriber {
    Subscriber { id: SubscriberId(id), email: "ana@acme.hr".to_owned(), is_subscribed: true }
}

pub fn client(id: i64) -> Client {
    let input = ClientInput { team_id: RawValue::text("T-1"), ..ClientInput::default() };
    Client { id: ClientId(id), details: input.into_new().unwrap() }
}

pub fn away() -> StoreError {
    StoreError::Unavailable("connection refused, password hunter2".into())
}
