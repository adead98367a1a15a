//! Taking over a database that Django itself created, from and to both databases. The tests need
//! Django: `scripts/e2e/django` runs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod here;
mod office;
mod replaced;
#[path = "../service/mod.rs"]
mod service;
mod under_way;

use exit3_domain::staff::PasswordHash;
use exit3_ports::{Row, Value};
use here::{Here, done, sums};
use replaced::{DjangoService, KEY, PASSWORD};
use serde_json::{Value as Json, json};
use service::Service;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// What the import must report about single rows.
const REMARKS: &[&str] = &[
    "common_lead 2 full_name: kept, but refused today: Name contains invalid characters",
    "common_lead 3 phone_number: kept, but refused today: Enter a valid international phone",
    "common_lead 4 full_name: kept, but refused today: This field may not be blank.",
    "common_lead 5: kept, but refused today: Either email or phone number is required",
    "common_lead 6 source: \"fair\" could not be kept, and became \"other\"",
    "common_lead 9 notes: kept, but refused today: Notes too long",
    "common_newsletter 2: \"ANA@ACME.HR\" became one with the subscription 1",
    "common_newsletter 5: \"šime@acme.hr\" became one with the subscription 4",
    "common_newsletter 6 email: kept, but refused today: Enter a valid email address.",
    "common_client 3 monthly_charge: kept, but refused today: a charge cannot be",
    "common_client 4 contract_file: \"contracts/gone.pdf\" was not copied: there is no such",
    "common_client 5 contract_file: \"../secret.txt\" was not copied: it leads out of",
    "common_client 6 contract_file: \"/",
    "common_client 7 contract_file: \"contracts/out.pdf\" was not copied: it leads out of",
    "common_client 7 category: \"seo\" could not be kept, and became \"web_dev\"",
    "auth_user 3 password: nobody can sign in with it: set a new one",
];

async fn takes_everything_over(from: Kind, to: Kind) {
    let django = DjangoService::new(from).await;
    let here = Here::new(to).await;
    let said = brings_everything(from, &django, &here);
    assert_clients_and_staff(&django, &here);
    office_shows_everything(to, &django).await;
    // Only once, because it does not depend on the database.
    if (from, to) == (Kind::Sqlite, Kind::Sqlite) {
        signs_in_with_the_same_password(&here);
    }
    let service = Service::start(here.path(), &here.env());
    answers_alike(&django, &here, &service);
    brings_only_what_has_changed(&said, to, &django, &here, &service).await;
    assert_changes_made_here_are_not_overwritten(&django, &here, &service).await;
    service.stop();
}

/// In a database of its own, because a person who signs in changes the account.
async fn office_shows_everything(to: Kind, django: &DjangoService) {
    let here = Here::new(to).await;
    here.must_import(django);
    let service = Service::start(here.path(), &here.env());
    office::shows_what_djangos_admin_showed(django, &service).await;
    service.stop();
}

fn brings_everything(from: Kind, django: &DjangoService, here: &Here) -> String {
    let said = here.must_import(django);
    // SQLite enforces no lengths, so it has one more lead.
    let leads = if from == Kind::Sqlite { 12 } else { 11 };
    for (table, expected) in [
        ("common_lead", format!("{leads} rows ({leads} added, 0 changed, 0 removed)")),
        (
            "common_newsletter",
            "6 rows (6 added, 0 changed, 0 removed, 3 merged into others".to_owned(),
        ),
        ("common_client", "7 rows (7 added, 0 changed, 0 removed)".to_owned()),
        ("auth_user", "3 rows (3 added, 0 changed, 0 removed)".to_owned()),
    ] {
        assert!(done(&said, table).contains(&expected), "{said}");
    }
    let report = std::fs::read_to_string(here.path().join("report.txt")).unwrap();
    assert!(said.contains(&report));
    for line in REMARKS {
        assert!(report.contains(line), "{line}\n{report}");
    }
    assert_eq!(report.contains("common_lead 12 phone_number: \"1111"), from == Kind::Sqlite);
    assert!(said.contains("contracts: 2 are here"), "{said}");
    let contracts = here.path().join("data/contracts/contracts");
    assert_eq!(std::fs::read(contracts.join("acme.pdf")).unwrap(), b"%PDF acme");
    assert!(contracts.join("Ugovor čšž (1).pdf").is_file());
    assert_eq!(std::fs::read_dir(&contracts).unwrap().count(), 2);
    said
}

fn assert_clients_and_staff(django: &DjangoService, here: &Here) {
    let dump = django.dump();
    let mut kept = here.rows();
    let clients: Vec<Json> = dump["clients"].as_array().unwrap().iter().map(client).collect();
    let rows: Vec<Json> = kept.remove("clients").unwrap().iter().map(plain).collect();
    assert_eq!(rows, clients);
    let staff = kept.remove("staff").unwrap();
    let staff: Vec<Json> = staff.iter().map(|row| plain(&row[..9].to_vec())).collect();
    let values = |account: &Json| account.as_object().unwrap().values().cloned().collect();
    let accounts: Vec<Json> = dump["staff"].as_array().unwrap().iter().map(values).collect();
    assert_eq!(staff, accounts);
}

/// A client of Django's as a row of ours.
fn client(client: &Json) -> Json {
    let hundredths = |name: &str| {
        let sum = client[name].as_str().map(|sum| sum.replace('.', "").parse::<i64>().unwrap());
        sum.map_or(Json::Null, Json::from)
    };
    let path = client["contract_file"].as_str().filter(|path| !path.is_empty());
    let category = client["category"].as_str().filter(|word| *word != "seo");
    json!([
        client["id"],
        client["client_info_id"],
        client["team_id"],
        hundredths("monthly_charge"),
        hundredths("one_time_charge"),
        path,
        client["short_description"].as_str().unwrap_or_default(),
        category.unwrap_or("web_dev"),
    ])
}

fn plain(row: &Row) -> Json {
    let value = |value: &Value| match value {
        Value::Null => Json::Null,
        Value::Integer(number) | Value::Time(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!(bytes),
    };
    row.iter().map(value).collect()
}

fn signs_in_with_the_same_password(here: &Here) {
    let staff = here.rows().remove("staff").unwrap();
    let password = |username: &str| {
        let row = staff.iter().find(|row| row[1] == Value::Text(username.to_owned())).unwrap();
        let Value::Text(hash) = &row[8] else { panic!("a hash") };
        PasswordHash::kept(hash.clone())
    };
    assert!(password("ana").verify(PASSWORD).expect("the same password").needs_rehash);
    assert!(password("ana").verify("another").is_none());
    let anew = PasswordHash::of(PASSWORD, &[7; 16]).unwrap();
    assert!(anew.as_str().starts_with("$argon2id$"));
    assert!(!anew.verify(PASSWORD).unwrap().needs_rehash);
    assert!(password("ivo").verify("ivo's passšword").is_some());
    assert!(password("šime").verify("").is_none());
}

fn answers_alike(django: &DjangoService, here: &Here, service: &Service) {
    let (told, succeeded) = here.diff(django, service);
    assert!(succeeded, "{told}");
    for name in ["choice", "lower case", "merged", "slash", "whole second"] {
        assert!(told.contains(&format!("\nintended ({name}): ")), "{name}: {told}");
    }
}

async fn brings_only_what_has_changed(
    said: &str,
    to: Kind,
    django: &DjangoService,
    here: &Here,
    service: &Service,
) {
    let again = here.must_import(django);
    assert_eq!(again.matches("(0 added, 0 changed, 0 removed").count(), 4, "{again}");
    assert_eq!(sums(&again), sums(said));
    django.script(&["change"]);
    let later = here.must_import(django);
    for (table, expected) in [
        ("common_lead", "(1 added, 2 changed, 1 removed)"),
        ("common_newsletter", "(1 added, 2 changed, 1 removed,"),
        ("common_client", "(0 added, 3 changed, 1 removed)"),
        ("auth_user", "(0 added, 1 changed, 0 removed)"),
    ] {
        assert!(done(&later, table).contains(expected), "{later}");
    }
    assert_clients_and_staff(django, here);
    let fresh = Here::new(to).await;
    assert_eq!(sums(&fresh.must_import(django)), sums(&later));
    let (told, succeeded) = here.diff(django, service);
    assert!(succeeded, "{told}");
}

async fn assert_changes_made_here_are_not_overwritten(
    django: &DjangoService,
    here: &Here,
    service: &Service,
) {
    let body = json!({"full_name": "Made Here", "position": "CEO", "email": "here@acme.hr"});
    let made = service.post("/backend/api/v1/leads/", KEY, &body.to_string()).await;
    let made: Json = made.json().await.unwrap();
    let path = "/backend/api/v1/leads/1/";
    let changed = service.patch(path, KEY, "{\"notes\": \"written here\"}").await;
    assert_eq!(changed.status(), 200);
    let (told, succeeded) = here.diff(django, service);
    assert!(!succeeded);
    assert!(told.contains("DIFFERENT: /backend/api/v1/leads/: row 1 notes: "), "{told}");
    let made = made["id"].as_i64().unwrap();
    django.script(&["lead", &made.to_string()]);
    let refused = here.import(django, &["--report", "refused.txt"]);
    assert!(!refused.status.success());
    let told = String::from_utf8(refused.stdout).unwrap();
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("leads 1: changed here\n"), "{told}");
    assert!(told.contains(&format!("leads {made}: created here, with an id")), "{told}");
    assert_eq!(std::fs::read_to_string(here.path().join("refused.txt")).unwrap(), told);
    assert!(why.starts_with("exit3: 2 rows cannot be imported"), "{why}");
    assert_eq!(why.lines().count(), 1, "{why}");
    let kept: Json = service.get(path, KEY).await.json().await.unwrap();
    assert_eq!(kept["notes"], "written here");
    let output = here.import(django, &["--overwrite"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let gone: Json = service.get(path, KEY).await.json().await.unwrap();
    assert_eq!(gone["notes"], "Call back.");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn from_sqlite_to_sqlite() {
    takes_everything_over(Kind::Sqlite, Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn from_sqlite_to_postgres() {
    takes_everything_over(Kind::Sqlite, Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn from_postgres_to_sqlite() {
    takes_everything_over(Kind::Postgres, Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn from_postgres_to_postgres() {
    takes_everything_over(Kind::Postgres, Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_source_is_reported_in_one_sentence() {
    let here = Here::new(Kind::Sqlite).await;
    let file = |name: &str| here.path().join(name);
    std::fs::write(file("other"), "no database, and longer than nothing").unwrap();
    std::fs::write(file("empty"), "").unwrap();
    let sqlite = |name: &str| format!("sqlite:///{}", file(name).display());
    for (from, why) in [
        ("mysql://django:secret@localhost/django".to_owned(), "exit3: --from begins with neither"),
        (sqlite("gone"), "No such file"),
        (sqlite("other"), "not a database"),
        (sqlite("empty"), "it lacks common_lead, common_newsletter, common_client, auth_user"),
    ] {
        let output = here.run(&["import-django", "--from", &from]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.lines().count() == 1, "{told}");
        assert!(told.contains(why) && !told.contains("secret"), "{told}");
    }
    assert!(!file("gone").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_long_rows_are_compared() {
    let here = Here::new(Kind::Sqlite).await;
    let service = Service::start(here.path(), &here.env());
    let notes = "𝒩".repeat(5_000);
    for number in 0..20 {
        let email = format!("long-{number}@acme.hr");
        let lead = json!({"full_name": "Ana", "position": "CEO", "email": email, "notes": notes});
        let made = service.post("/backend/api/v1/leads/", KEY, &lead.to_string()).await;
        assert_eq!(made.status(), 201);
    }
    let url = service.url("");
    let output = here.run(&["diff-django", "--old", &url, "--new", &url, "--old-key", KEY]);
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{told}");
    let nowhere = ["diff-django", "--old", "http://127.0.0.1:1", "--new", &url, "--old-key", KEY];
    let why = String::from_utf8(here.run(&nowhere).stderr).unwrap();
    assert!(why.starts_with("exit3: --old: /backend/api/v1/leads/?"), "{why}");
}
