//! Who reaches which contract: all pairs of people and clients, keys, and guessed and replayed
//! addresses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use exit3_domain::events::{Actor, Author, EventFilter, Verb};
use exit3_domain::leads::{LeadId, LeadWork};
use exit3_domain::staff::StaffId;
use exit3_ports::Repositories;
use exit3_postgres::PgSettings;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::postgres;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use service::{Service, exit3};
use tokio::runtime::Handle;

const PASSWORD: &str = "plavi konj trči daleko";
const KEY: &str = "key-of-the-tests";
const CLIENTS: &str = "/backend/api/v1/clients/";
const LEAD: &str = r#"{"full_name": "Eva Novak", "position": "CEO", "email": "eva@acme.hr"}"#;
/// Those who may, and those who may only reach the contracts of their own clients.
const PEOPLE: [(&str, &str); 5] = [
    ("vlasnica", "owner"),
    ("mira", "manager"),
    ("ana", "sales"),
    ("ivo", "sales"),
    ("vid", "viewer"),
];
/// Who looks after each client; nobody for the last one.
const OWNERS: [Option<&str>; 4] = [Some("ana"), Some("ivo"), Some("vid"), None];

/// Runs a command with this standard input, and returns what it prints.
fn run(directory: &Path, env: &[(&str, &str)], arguments: &str, input: &str) -> String {
    let mut command = exit3(directory);
    command.args(arguments.split(' ')).envs(env.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that needs no input may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments}");
    String::from_utf8(output.stdout).unwrap()
}

/// A file that says whose it is.
fn file(of: &str) -> Form {
    let content = format!("%PDF-1.7\n{of}").into_bytes();
    Form::new().part("file", Part::bytes(content).file_name("Ugovor.pdf"))
}

/// A browser in which somebody is signed in.
struct Browser<'a> {
    service: &'a Service,
    client: Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn sign_in(service: &'a Service, name: &str) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let browser = Self { service, client, cookie: String::new() };
        let form = [("_username", name), ("_password", PASSWORD)];
        let request = browser.request(Method::POST, "/backend/admin/sign-in/").form(&form);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 303, "{name}");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        Self { cookie: cookie.to_owned(), ..browser }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, self.service.url(path));
        request.header("sec-fetch-site", "same-origin").header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn upload(&self, path: &str, of: &str) -> Response {
        self.request(Method::POST, path).multipart(file(of)).send().await.unwrap()
    }

    async fn post(&self, path: &str) -> Response {
        let form = [("_version", "unknown")];
        self.request(Method::POST, path).form(&form).send().await.unwrap()
    }
}

/// A client with a contract, whose lead has this owner.
async fn client(service: &Service, all: &Repositories, owner: Option<&str>) -> i64 {
    let made: Value = service.post("/backend/api/v1/leads/", KEY, LEAD).await.json().await.unwrap();
    let lead = all.leads.find(LeadId(made["id"].as_i64().unwrap())).await.unwrap().unwrap();
    let owner: Option<StaffId> = match owner {
        Some(name) => all.staff.find_by_username(name).await.unwrap().map(|staff| staff.id),
        None => None,
    };
    let act = Author::from(Actor::BasicKey).at(lead.updated_at);
    let work = LeadWork { owner, ..lead.work.clone() };
    all.leads.update(&lead, &lead.details, &work, &act).await.unwrap();
    let client = format!(r#"{{"lead": {}, "team_id": "T", "category": "web_dev"}}"#, lead.id.0);
    let made: Value = service.post(CLIENTS, KEY, &client).await.json().await.unwrap();
    made["id"].as_i64().unwrap()
}

async fn put(service: &Service, id: i64, key: &str) -> u16 {
    let request = Client::new().put(service.url(&format!("{CLIENTS}{id}/contract/")));
    let request = request.header("authorization", format!("Bearer {key}"));
    request.multipart(file(&format!("client {id}"))).send().await.unwrap().status().as_u16()
}

/// Walks through all pairs of people and clients.
async fn walk(directory: &Path, env: &[(&str, &str)], repositories: impl FnOnce() -> Repositories) {
    let env = [env, &[("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")]].concat();
    let service = Service::start(directory, &env);
    for (name, role) in PEOPLE {
        let arguments = format!("staff create --username {name} --role {role}");
        run(directory, &env, &arguments, &format!("{PASSWORD}\n"));
    }
    let all = repositories();
    let mut clients = Vec::new();
    for owner in OWNERS {
        let id = client(&service, &all, owner).await;
        assert_eq!(put(&service, id, KEY).await, 200);
        clients.push((id, owner));
    }
    let mut downloads = 0;
    for (name, role) in PEOPLE {
        let browser = Browser::sign_in(&service, name).await;
        for (id, owner) in &clients {
            let may =
                matches!(role, "owner" | "manager") || role == "sales" && *owner == Some(name);
            let path = format!("/backend/admin/clients/{id}/contract/");
            let answers = [
                browser.get(&path).await,
                browser.get(&format!("{path}file/")).await,
                browser.upload(&path, &format!("client {id}")).await,
                // Of a version that nobody has seen, so that it stays.
                browser.post(&format!("{path}remove/")).await,
            ];
            let statuses = answers.each_ref().map(|answer| answer.status().as_u16());
            let expected = if may { [200, 200, 303, 303] } else { [403; 4] };
            assert_eq!(statuses, expected, "{name} and the client of {owner:?}");
            let [_, sent, ..] = answers;
            let is_attachment = sent.headers().get("content-disposition").is_some();
            let text = sent.text().await.unwrap();
            assert_eq!(is_attachment, may, "{name} {owner:?}");
            assert_eq!(text.ends_with(&format!("\nclient {id}")), may, "{name} {owner:?}: {text}");
            downloads += usize::from(may);
        }
    }
    assert_eq!(downloads, 2 * clients.len() + 2);
    let filter = EventFilter {
        verb: Some(Verb::from_word("client.contract_downloaded")),
        ..EventFilter::default()
    };
    let events = all.events.list(&filter, None, 100).await.unwrap();
    assert_eq!(events.len(), downloads, "each download is an event, and nothing else is one");
    assert_eq!(
        events.iter().filter(|event| event.act.author.actor.to_string() == "staff:ana").count(),
        1
    );

    let (id, _) = clients[0];
    guessed_and_replayed(&service, id).await;
    keys(directory, &env, &service, id).await;
    service.stop();
}

/// Addresses that somebody makes up, or has kept.
async fn guessed_and_replayed(service: &Service, id: i64) {
    let found: Value = service.get(&format!("{CLIENTS}{id}/"), KEY).await.json().await.unwrap();
    let stored = found["contract_file"].as_str().unwrap().to_owned();
    let name = stored.strip_prefix("uploads/").unwrap();
    let manager = Browser::sign_in(service, "mira").await;
    let contract = format!("/backend/admin/clients/{id}/contract/");
    for path in [
        "/backend/admin/clients/999999/contract/file/".to_owned(),
        "/backend/admin/clients/0/contract/file/".to_owned(),
        format!("/backend/admin/clients/{stored}/contract/file/"),
        format!("{contract}file/{name}/"),
        format!("{contract}{stored}"),
        format!("/backend/admin/{stored}"),
        format!("/backend/{stored}"),
        format!("/{stored}"),
        format!("/contracts/{stored}"),
        format!("/media/{stored}"),
    ] {
        let answer = manager.get(&path).await;
        // A missing slash is added first.
        let answer = match answer.headers().get("location") {
            Some(place) => manager.get(place.to_str().unwrap()).await,
            None => answer,
        };
        assert!(matches!(answer.status().as_u16(), 403 | 404), "{path}: {}", answer.status());
        assert!(!answer.text().await.unwrap().contains("%PDF"), "{path}");
    }
    // A cookie of a sign-in that has ended opens nothing.
    let kept = Browser { cookie: manager.cookie.clone(), client: manager.client.clone(), service };
    assert_eq!(manager.post("/backend/admin/sign-out/").await.status(), 303);
    let answer = kept.get(&format!("{contract}file/")).await;
    assert_eq!(answer.status(), 303);
    assert!(answer.headers()["location"].to_str().unwrap().contains("/sign-in/"));
    // Nor does the address of a contract that was removed.
    let manager = Browser::sign_in(service, "mira").await;
    let gone = service.delete(&format!("{CLIENTS}{id}/contract/"), KEY).await;
    assert_eq!(gone.status(), 204);
    assert_eq!(manager.get(&format!("{contract}file/")).await.status(), 404);
    assert_eq!(service.get(&format!("{CLIENTS}{id}/contract/"), KEY).await.status(), 404);
}

/// Keys reach contracts with the scopes of clients.
async fn keys(directory: &Path, env: &[(&str, &str)], service: &Service, id: i64) {
    let path = format!("{CLIENTS}{id}/contract/");
    for (scope, write, read) in
        [("leads:write", 403, 403), ("clients:read", 403, 404), ("clients:write", 200, 403)]
    {
        let name = scope.replace(':', "-");
        let said =
            run(directory, env, &format!("api-key create --name {name} --scope {scope}"), "");
        let key = said.lines().next().unwrap().rsplit(": ").next().unwrap();
        assert_eq!(service.get(&path, key).await.status(), read, "{scope}");
        assert_eq!(put(service, id, key).await, write, "{scope}");
        let deleted = service.delete(&path, key).await.status();
        assert_eq!(deleted, if write == 200 { 204 } else { 403 }, "{scope}");
    }
    let answer = Client::new().get(service.url(&path)).send().await.unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_person_reaches_the_contracts_that_the_rules_allow_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/exit3.sqlite3");
    let repositories = || {
        let settings = SqliteSettings::default();
        SqliteDatabase::open(&path, &settings).unwrap().repositories()
    };
    walk(directory.path(), &[], repositories).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_person_reaches_the_contracts_that_the_rules_allow_in_postgres() {
    let database = postgres::shared().create_database().await;
    let directory = tempfile::tempdir().unwrap();
    let repositories = || {
        let settings = PgSettings::parse(database.url()).unwrap();
        exit3_postgres::connect(&settings, Handle::current()).repositories()
    };
    walk(directory.path(), &[("DATABASE_URL", database.url())], repositories).await;
}
