//! The service with meetings, from end to end: the real binary, over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use exit3_testkit::postgres;
use exit3_testkit::service::{Method, Program, Service, StatusCode, until};
use serde_json::json;

/// The service with the module, in this directory.
fn with<'a>(directory: &'a Path, database: Option<&'a str>) -> Program<'a> {
    Program { binary: env!("CARGO_BIN_EXE_meetings"), directory, database }
}

/// The service without it.
fn without<'a>(directory: &'a Path, database: Option<&'a str>) -> Program<'a> {
    Program { binary: env!("CARGO_BIN_EXE_without"), directory, database }
}

/// The time in this many hours, as the API takes it.
#[allow(clippy::disallowed_methods, reason = "the service has the real time")]
fn in_hours(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:%M:00Z").to_string()
}

async fn assert_meetings_are_kept(database: Option<&str>, empty: Option<&str>) {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let service = with(here, database).serve();
    is_migrated(&service).await;
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    let (status, lead) = service.ask(Method::POST, "leads/", Some(lead)).await;
    assert_eq!(status, 201);
    let meeting = json!({"lead": lead["id"], "starts_at": in_hours(3), "place": "Čakovec"});
    let (status, made) = service.ask(Method::POST, "meetings/", Some(meeting.clone())).await;
    assert_eq!(
        (status, &made["place"], &made["notes"]),
        (StatusCode::CREATED, &json!("Čakovec"), &json!(""))
    );
    let mut wrong = meeting.clone();
    wrong["lead"] = json!(lead["id"].as_i64().unwrap() + 1);
    let (status, told) = service.ask(Method::POST, "meetings/", Some(wrong)).await;
    assert_eq!((status.as_u16(), told), (400, json!({"lead": ["There is no such lead."]})));
    let one = format!("meetings/{}/", made["id"]);
    let (status, held) =
        service.ask(Method::PATCH, &one, Some(json!({"notes": "bring a pen"}))).await;
    assert_eq!((status, &held["notes"]), (StatusCode::OK, &json!("bring a pen")));
    let (_, listed) = service.ask(Method::GET, "meetings/?lead=1", None).await;
    assert_eq!((&listed["count"], &listed["results"][0]), (&json!(1), &held));
    let listed = || with(here, database).says(&["meetings", "list", "--lead", "1"]);
    assert!(listed().contains("Čakovec"), "{}", listed());
    until("the job notes no reminder", async || listed().contains("reminded")).await;
    drop(service);

    // Without the module the service is as it was. The table stays, and a backup keeps it.
    let service = without(here, database).serve();
    assert_eq!(service.ask(Method::GET, "meetings/", None).await.0, 404);
    assert_eq!(service.ask(Method::GET, "leads/1/", None).await.0, 200);
    drop(service);
    without(here, database).says(&["backup"]);
    let archive = std::fs::read_dir(here.join("backups")).unwrap().next().unwrap().unwrap().path();
    let archive = archive.to_str().unwrap();

    // A database that never had the module says what it leaves out.
    let other = tempfile::tempdir().unwrap();
    let said = without(other.path(), empty).says(&["restore", archive]);
    let left_out = "Left out: 1 rows of the table meetings of the module meetings";
    assert!(said.contains(left_out), "{said}");

    // With the module, a database without its tables gets them first.
    with(other.path(), empty).says(&["restore", archive, "--replace"]);
    let listed = with(other.path(), empty).says(&["meetings", "list"]);
    assert!(listed.contains("Čakovec"), "{listed}");

    let service = with(here, database).serve();
    let (status, found) = service.ask(Method::GET, &one, None).await;
    assert_eq!((status, &found["notes"]), (StatusCode::OK, &json!("bring a pen")));
}

#[tokio::test(flavor = "multi_thread")]
async fn meetings_are_kept_in_the_embedded_database() {
    assert_meetings_are_kept(None, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn meetings_are_kept_in_postgres() {
    let (database, empty) =
        (postgres::shared().create_database().await, postgres::shared().create_database().await);
    assert_meetings_are_kept(Some(database.url()), Some(empty.url())).await;
}

/// Another table of that name is in the way of the module's first migration.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_turns_off_the_module_alone_until_it_is_mended() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    without(here, None).says(&["migrate"]);
    let file = here.join("data/exit3.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    database.batch_execute("CREATE TABLE meetings (id INTEGER PRIMARY KEY)").unwrap();
    let told = with(here, None).refuses(&["migrate"]);
    assert!(told.contains("module meetings is not migrated"), "{told}");

    let service = with(here, None).serve();
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);
    let (status, told) = service.ask(Method::GET, "meetings/", None).await;
    assert_eq!(status, 503, "{told}");
    let (status, health) = service.ask(Method::GET, "../../health/ready/", None).await;
    let module = &health["modules"]["meetings"];
    assert_eq!((status.as_u16(), &module["status"]), (200, &json!("off")), "{health}");
    let told = with(here, None).refuses(&["meetings", "list"]);
    let sentence = "the tables of the module meetings cannot be used: the migration";
    assert!(told.starts_with("exit3: ") && told.contains(sentence), "{told}");

    database.batch_execute("DROP TABLE meetings").unwrap();
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module is not tried again", is_on).await;
}

/// Waits for the migrations of the module, for which the start does not wait long.
async fn is_migrated(service: &Service) {
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module is not migrated", is_on).await;
}

/// Whether leads are served but meetings are not.
async fn serves_without_meetings(service: &Service) {
    assert_eq!(service.ask(Method::GET, "leads/", None).await.0, 200);
    let (status, told) = service.ask(Method::GET, "meetings/", None).await;
    assert_eq!(status, 503, "{told}");
    let (_, health) = service.ask(Method::GET, "../../health/ready/", None).await;
    let reason = "its tables are being migrated";
    assert_eq!(&health["modules"]["meetings"]["detail"], reason, "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_for_another_session_holds_up_no_lead() {
    let database = postgres::shared().create_database().await;
    let directory = tempfile::tempdir().unwrap();
    let (here, url) = (directory.path(), Some(database.url()));
    without(here, url).says(&["migrate"]);
    let busy = postgres::client(database.url()).await;
    busy.batch_execute("BEGIN; CREATE TABLE meetings (id bigint)").await.unwrap();
    let service = with(here, url).serve();
    serves_without_meetings(&service).await;
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);
    busy.batch_execute("ROLLBACK").await.unwrap();
    is_migrated(&service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_for_the_embedded_database_does_not_delay_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    without(here, None).says(&["migrate"]);
    let file = here.join("data/exit3.sqlite3");
    let mut busy = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    busy.batch_execute("BEGIN IMMEDIATE").unwrap();
    let service = with(here, None).serve();
    serves_without_meetings(&service).await;
    busy.batch_execute("COMMIT").unwrap();
    is_migrated(&service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_must_not_migrate_waits_for_somebody_who_does() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    without(here, None).says(&["migrate"]);
    let service = Service::launch(with(here, None).command().env("AUTO_MIGRATE", "false"));
    assert_eq!(service.ask(Method::GET, "meetings/", None).await.0, 503);
    let (_, health) = service.ask(Method::GET, "../../health/ready/", None).await;
    assert_eq!(&health["modules"]["meetings"]["status"], "off", "{health}");
    with(here, None).says(&["migrate"]);
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module does not notice its tables", is_on).await;
    let empty = tempfile::tempdir().unwrap();
    let one = ["migrate", "--module", "meetings"];
    let mut refused = with(empty.path(), None).command();
    let refused = refused.env("AUTO_MIGRATE", "false").args(one).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("there is no schema yet: run `exit3 migrate`"), "{told}");
    with(empty.path(), None).says(&one);
    let told = with(here, None).refuses(&["migrate", "--module", "tags"]);
    assert!(told.contains("no module tags with tables in this program; it has meetings"), "{told}");
}

/// Programs without the module erase people by the definition of its tables.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_records_definitions_of_tables_that_have_changed() {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        tables: String,
    }
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    with(here, None).says(&["migrate"]);
    let file = here.join("data/exit3.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let mut recorded = || {
        let rows = diesel::sql_query("SELECT tables FROM __exit3_modules ORDER BY version DESC");
        rows.load::<Row>(&mut database).unwrap().remove(0).tables
    };
    let before = recorded();
    assert!(before.contains("part_of"), "{before}");
    let mut other = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let older = "UPDATE __exit3_modules SET tables = replace(tables, 'lead_id', 'leads_id')";
    other.batch_execute(older).unwrap();
    assert_ne!(recorded(), before);
    let service = with(here, None).serve();
    assert_eq!(service.ask(Method::GET, "meetings/", None).await.0, 200);
    assert_eq!(recorded(), before);
}

#[test]
fn no_events_are_kept_for_a_module_that_is_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    with(here, None).says(&["migrate"]);
    let file = here.join("data/exit3.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let consumers = "INSERT INTO event_consumers VALUES ('meetings.mail', 0, 0), ('meeting', 0, 0)";
    database.batch_execute(consumers).unwrap();
    let said = with(here, None).says(&["migrate", "--module", "meetings", "--to", "0"]);
    let told = "No events are kept for the consumer meetings.mail any more.\n";
    assert!(said.starts_with(told) && said.lines().count() == 2, "{said}");
    let left = "UPDATE event_consumers SET event_id = 1";
    assert_eq!(diesel::sql_query(left).execute(&mut database).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_and_add_meetings_in_the_back_office() {
    let directory = tempfile::tempdir().unwrap();
    let program = with(directory.path(), None);
    program.create_staff("ana", "manager");
    let service = program.serve();
    is_migrated(&service).await;
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);

    let ana = service.sign_in("ana").await;
    assert!(ana.see("leads/1/").await.contains("Nema sastanaka."));
    let day = in_hours(30);
    let form = [("lead", "1"), ("starts_at", &day[..16]), ("place", "<b>Rijeka</b>")];
    let (status, leads_to) = ana.send("meetings/new/", &form).await;
    assert_eq!(status, 303, "{}", ana.see("meetings/new/?lead=1").await);
    assert_eq!(leads_to.unwrap(), "/backend/admin/leads/1/?done=meeting-created");
    for path in ["leads/1/", "meetings/"] {
        let page = ana.see(path).await;
        assert!(page.contains("Rijeka&#60;/b&#62;") && page.contains("Sastanci"), "{page}");
    }
    assert_eq!(ana.send("meetings/new/", &[("lead", "1")]).await.0, 400);
}

#[test]
fn a_schedule_of_the_service_stops_the_start_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_clash");
    let clash = || Program { binary, directory: directory.path(), database: None };
    let output = clash().run(&[]);
    let told = String::from_utf8(output.stderr).unwrap();
    let sentence = "exit3: the module agenda claims the schedule backups.check, which is the \
                    service's own";
    assert!(!output.status.success() && told.lines().any(|line| line == sentence), "{told}");
    // Nothing was said or done before.
    assert!(output.stdout.is_empty() && !directory.path().join("data/api_key").exists());
    let told = clash().refuses(&["check"]);
    assert!(told.lines().any(|line| line == sentence), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_panics_harms_only_itself_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let hostile =
        || Program { binary: env!("CARGO_BIN_EXE_hostile"), directory: here, database: None };
    let service = Service::launch(hostile().command().env("LOG_DIR", "logs"));
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);
    assert_eq!(service.ask(Method::GET, "loud/", None).await.0, 500);
    assert_eq!(service.ask(Method::GET, "keeping/", None).await.0, 503);
    // Longer than the pause before a module that is off is tried again.
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(service.ask(Method::GET, "keeping/", None).await.0, 503);
    let (status, health) = service.ask(Method::GET, "../../health/ready/", None).await;
    let off = |doing| {
        let detail = format!("it panicked while it {doing}: see the log");
        json!({"status": "off", "detail": detail})
    };
    let modules = json!({
        "adding": off("added its jobs"),
        "keeping": off("made what it keeps"),
        "loud": {"status": "ok"},
    });
    assert_eq!((status.as_u16(), &health["modules"]), (200, &modules));
    drop(service);
    let logs = std::fs::read_dir(here.join("logs")).unwrap();
    let logs: String =
        logs.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    for module in ["adding", "keeping", "loud"] {
        let mut panics = logs.lines().filter(|line| line.contains("which is a bug"));
        assert!(panics.any(|line| line.contains(module)), "{module}: {logs}");
    }
    assert!(!logs.contains("is on again"), "{logs}");

    let told = hostile().refuses(&["check"]);
    assert!(told.contains("exit3: the module adding would be off: it panicked while"), "{told}");
    let file = here.join("data/exit3.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let consumer = "INSERT INTO event_consumers VALUES ('adding.mail', 0, 0)";
    database.batch_execute(consumer).unwrap();
    // What a broken module has cannot be known, so nothing of it counts as left behind.
    let told = hostile().refuses(&["jobs", "forget", "adding.mail"]);
    assert!(
        told.contains("no consumer that this program lacks; those are: there is none"),
        "{told}"
    );

    for (module, sentence) in [
        ("loud", "exit3: the command of the module loud panicked"),
        (
            "keeping",
            "exit3: the module keeping is off: it panicked while it made what it keeps: see the log",
        ),
    ] {
        let output = hostile().run(&[module, "shout"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.lines().any(|line| line == sentence), "{told}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn help_names_the_settings_and_the_command_of_the_module() {
    let directory = tempfile::tempdir().unwrap();
    let help = with(directory.path(), None).says(&["--help"]);
    for word in ["MEETINGS_REMIND_HOURS", "Settings of the module meetings", "Lists meetings"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(!without(directory.path(), None).says(&["--help"]).contains("meetings"));
    let help = with(directory.path(), None).says(&["api-key", "create", "--help"]);
    assert!(help.contains("clients:write, meetings:read, meetings:write;"), "{help}");
    let wrong = with(directory.path(), None).command().env("MEETINGS_REMIND_HOURS", "0").output();
    let told = String::from_utf8(wrong.unwrap().stderr).unwrap();
    assert!(told.starts_with("exit3: ") && told.lines().count() == 1, "{told}");
}

#[test]
fn the_binary_of_a_module_is_short() {
    let main = include_str!("../src/main.rs");
    assert!(main.lines().count() <= 30);
}

/// The code on the page about modules is code of this crate.
#[test]
fn the_code_in_the_document_is_the_code_here() {
    let page = include_str!("../../../docs/EXTENDING.md");
    let files = [
        include_str!("../build.rs"),
        include_str!("../src/adapter_tests.rs"),
        include_str!("../src/admin.rs"),
        include_str!("../src/app.rs"),
        include_str!("../src/app_tests.rs"),
        include_str!("../src/domain.rs"),
        include_str!("../src/http.rs"),
        include_str!("../src/jobs.rs"),
        include_str!("../src/lib.rs"),
        include_str!("../src/main.rs"),
        include_str!("../src/ports.rs"),
        include_str!("../src/postgres.rs"),
        include_str!("../src/sqlite.rs"),
        include_str!("service.rs"),
    ];
    let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let files = files.map(lines);
    let blocks: Vec<&str> = page.split("```rust\n").skip(1).collect();
    assert!(blocks.len() > 10);
    for block in blocks {
        let block = lines(block.split("```").next().unwrap().trim_end());
        assert!(files.iter().any(|file| file.contains(&block)), "{block}");
    }
}
