//! The service with meetings, from end to end: the real binary, over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use exit3_testkit::postgres;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const KEY: &str = "key-of-the-tests";

/// A program in a directory of its own, with only this environment.
fn program(binary: &str, directory: &Path, database: Option<&str>) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(directory).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs([("PORT", "0"), ("METRICS_BIND", "off"), ("BASIC_API_KEY", KEY)]);
    command.envs([("SECRET_KEY", "secret-of-the-tests"), ("BACKUP_TO", "backups")]);
    command.envs(database.map(|url| ("DATABASE_URL", url)));
    command
}

const WITH: &str = env!("CARGO_BIN_EXE_meetings");
const WITHOUT: &str = env!("CARGO_BIN_EXE_without");

fn run(binary: &str, directory: &Path, database: Option<&str>, arguments: &[&str]) -> Output {
    program(binary, directory, database).args(arguments).output().unwrap()
}

/// What a command says, which must succeed.
fn must(binary: &str, directory: &Path, database: Option<&str>, arguments: &[&str]) -> String {
    let output = run(binary, directory, database, arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(binary: &str, directory: &Path, database: Option<&str>) -> Self {
        Self::launch(&mut program(binary, directory, database))
    }

    fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the service listens").unwrap();
            if let Some(address) = line.strip_prefix("Listening on ") {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("{}/backend/api/v1/{path}", self.address);
        let request =
            Client::new().request(method, url).header("Authorization", format!("Basic {KEY}"));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that takes half a minute at most.
async fn until(otherwise: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(90), "{otherwise}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The time in this many hours, as the API takes it.
#[allow(clippy::disallowed_methods, reason = "the service has the real time")]
fn in_hours(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:%M:00Z").to_string()
}

async fn assert_meetings_are_kept(database: Option<&str>, empty: Option<&str>) {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let service = Service::start(WITH, here, database);
    // The service does not wait long for the first migration.
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module is not migrated", is_on).await;
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
    let listed = || must(WITH, here, database, &["meetings", "list", "--lead", "1"]);
    assert!(listed().contains("Čakovec"), "{}", listed());
    until("the job notes no reminder", async || listed().contains("reminded")).await;
    drop(service);

    // Without the module the service is as it was. The table stays, and a backup keeps it.
    let service = Service::start(WITHOUT, here, database);
    assert_eq!(service.ask(Method::GET, "meetings/", None).await.0, 404);
    assert_eq!(service.ask(Method::GET, "leads/1/", None).await.0, 200);
    drop(service);
    must(WITHOUT, here, database, &["backup"]);
    let archive = std::fs::read_dir(here.join("backups")).unwrap().next().unwrap().unwrap().path();
    let archive = archive.to_str().unwrap();

    // A database that never had the module says what it leaves out.
    let other = tempfile::tempdir().unwrap();
    let said = must(WITHOUT, other.path(), empty, &["restore", archive]);
    let left_out = "Left out: 1 rows of the table meetings of the module meetings";
    assert!(said.contains(left_out), "{said}");

    // With the module, a database without its tables gets them first.
    must(WITH, other.path(), empty, &["restore", archive, "--replace"]);
    let listed = must(WITH, other.path(), empty, &["meetings", "list"]);
    assert!(listed.contains("Čakovec"), "{listed}");

    let service = Service::start(WITH, here, database);
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
    must(WITHOUT, here, None, &["migrate"]);
    let file = here.join("data/exit3.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    database.batch_execute("CREATE TABLE meetings (id INTEGER PRIMARY KEY)").unwrap();
    let failed = run(WITH, here, None, &["migrate"]);
    let told = String::from_utf8(failed.stderr).unwrap();
    assert!(!failed.status.success() && told.contains("module meetings is not migrated"), "{told}");

    let service = Service::start(WITH, here, None);
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);
    let (status, told) = service.ask(Method::GET, "meetings/", None).await;
    assert_eq!(status, 503, "{told}");
    let (status, health) = service.ask(Method::GET, "../../health/ready/", None).await;
    let module = &health["modules"]["meetings"];
    assert_eq!((status.as_u16(), &module["status"]), (200, &json!("off")), "{health}");
    let told = run(WITH, here, None, &["meetings", "list"]);
    let told = String::from_utf8(told.stderr).unwrap();
    let sentence = "the tables of the module meetings cannot be used: the migration";
    assert!(told.starts_with("exit3: ") && told.contains(sentence), "{told}");

    database.batch_execute("DROP TABLE meetings").unwrap();
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module is not tried again", is_on).await;
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
    must(WITHOUT, here, url, &["migrate"]);
    let busy = postgres::client(database.url()).await;
    busy.batch_execute("BEGIN; CREATE TABLE meetings (id bigint)").await.unwrap();
    let service = Service::start(WITH, here, url);
    serves_without_meetings(&service).await;
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);
    busy.batch_execute("ROLLBACK").await.unwrap();
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module is not migrated", is_on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_for_the_embedded_database_does_not_delay_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    must(WITHOUT, here, None, &["migrate"]);
    let file = here.join("data/exit3.sqlite3");
    let mut busy = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    busy.batch_execute("BEGIN IMMEDIATE").unwrap();
    let service = Service::start(WITH, here, None);
    serves_without_meetings(&service).await;
    busy.batch_execute("COMMIT").unwrap();
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module is not migrated", is_on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_must_not_migrate_waits_for_somebody_who_does() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    must(WITHOUT, here, None, &["migrate"]);
    let service = Service::launch(program(WITH, here, None).env("AUTO_MIGRATE", "false"));
    assert_eq!(service.ask(Method::GET, "meetings/", None).await.0, 503);
    let (_, health) = service.ask(Method::GET, "../../health/ready/", None).await;
    assert_eq!(&health["modules"]["meetings"]["status"], "off", "{health}");
    must(WITH, here, None, &["migrate"]);
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module does not notice its tables", is_on).await;
    let empty = tempfile::tempdir().unwrap();
    let one = ["migrate", "--module", "meetings"];
    let refused = program(WITH, empty.path(), None).env("AUTO_MIGRATE", "false").args(one).output();
    let told = String::from_utf8(refused.unwrap().stderr).unwrap();
    assert!(told.contains("there is no schema yet: run `exit3 migrate`"), "{told}");
    must(WITH, empty.path(), None, &one);
    let refused = run(WITH, here, None, &["migrate", "--module", "tags"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("no module tags with tables in this program; it has meetings"), "{told}");
}

#[test]
fn no_events_are_kept_for_a_module_that_is_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    must(WITH, here, None, &["migrate"]);
    let file = here.join("data/exit3.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let consumers = "INSERT INTO event_consumers VALUES ('meetings.mail', 0, 0), ('meeting', 0, 0)";
    database.batch_execute(consumers).unwrap();
    let said = must(WITH, here, None, &["migrate", "--module", "meetings", "--to", "0"]);
    let told = "No events are kept for the consumer meetings.mail any more.\n";
    assert!(said.starts_with(told) && said.lines().count() == 2, "{said}");
    let left = "UPDATE event_consumers SET event_id = 1";
    assert_eq!(diesel::sql_query(left).execute(&mut database).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_and_add_meetings_in_the_back_office() {
    const PASSWORD: &str = "plavi konj daleko";
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let mut create = program(WITH, here, None);
    create.args(["staff", "create", "--username", "ana", "--role", "manager"]);
    let mut create = create.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    create.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(create.wait().unwrap().success());
    let service = Service::start(WITH, here, None);
    let is_on = async || service.ask(Method::GET, "meetings/", None).await.0 == 200;
    until("the module is not migrated", is_on).await;
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);

    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let send = async |path: &str, cookie: &str, form: &[(&str, &str)]| {
        let request = client.post(format!("{}/backend/admin/{path}", service.address));
        let request = request.header("sec-fetch-site", "same-origin").header("cookie", cookie);
        let answer = request.form(form).send().await.unwrap();
        let header = |name| answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        (answer.status().as_u16(), header("set-cookie"), header("location"))
    };
    let form = [("_username", "ana"), ("_password", PASSWORD)];
    let (_, cookie, _) = send("sign-in/", "", &form).await;
    let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
    let see = async |path: &str| {
        let request = client.get(format!("{}/backend/admin/{path}", service.address));
        let request = request.header("cookie", &cookie).header("accept-language", "hr");
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(see("leads/1/").await.contains("Nema sastanaka."));
    let day = in_hours(30);
    let form = [("lead", "1"), ("starts_at", &day[..16]), ("place", "<b>Rijeka</b>")];
    let (status, _, location) = send("meetings/new/", &cookie, &form).await;
    assert_eq!(status, 303, "{}", see("meetings/new/?lead=1").await);
    assert_eq!(location.unwrap(), "/backend/admin/leads/1/?done=meeting-created");
    for path in ["leads/1/", "meetings/"] {
        let page = see(path).await;
        assert!(page.contains("Rijeka&#60;/b&#62;") && page.contains("Sastanci"), "{page}");
    }
    let (status, ..) = send("meetings/new/", &cookie, &[("lead", "1")]).await;
    assert_eq!(status, 400);
}

#[test]
fn a_schedule_of_the_service_stops_the_start_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(env!("CARGO_BIN_EXE_clash"), directory.path(), None, &[]);
    let told = String::from_utf8(output.stderr).unwrap();
    let sentence = "exit3: the module agenda claims the schedule backups.check, which is the \
                    service's own";
    assert!(!output.status.success() && told.lines().any(|line| line == sentence), "{told}");
    // Nothing was said or done before.
    assert!(output.stdout.is_empty() && !directory.path().join("data/api_key").exists());
    let output = run(env!("CARGO_BIN_EXE_clash"), directory.path(), None, &["check"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.lines().any(|line| line == sentence), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_panics_harms_only_itself_and_is_named() {
    const HOSTILE: &str = env!("CARGO_BIN_EXE_hostile");
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let service = Service::launch(program(HOSTILE, here, None).env("LOG_DIR", "logs"));
    let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"});
    assert_eq!(service.ask(Method::POST, "leads/", Some(lead)).await.0, 201);
    assert_eq!(service.ask(Method::GET, "loud/", None).await.0, 500);
    assert_eq!(service.ask(Method::GET, "keeping/", None).await.0, 503);
    // Longer than the pause before a module that is off is tried again.
    tokio::time::sleep(Duration::from_secs(6)).await;
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

    for (module, sentence) in [
        ("loud", "exit3: the command of the module loud panicked"),
        (
            "keeping",
            "exit3: the module keeping is off: it panicked while it made what it keeps: see the log",
        ),
    ] {
        let output = run(HOSTILE, here, None, &[module, "shout"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.lines().any(|line| line == sentence), "{told}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn help_names_the_settings_and_the_command_of_the_module() {
    let directory = tempfile::tempdir().unwrap();
    let help = must(WITH, directory.path(), None, &["--help"]);
    for word in ["MEETINGS_REMIND_HOURS", "Settings of the module meetings", "Lists meetings"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(!must(WITHOUT, directory.path(), None, &["--help"]).contains("meetings"));
    let help = must(WITH, directory.path(), None, &["api-key", "create", "--help"]);
    assert!(help.contains("clients:write, meetings:read, meetings:write;"), "{help}");
    let wrong = program(WITH, directory.path(), None).env("MEETINGS_REMIND_HOURS", "0").output();
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
        include_str!("../src/admin.rs"),
        include_str!("../src/app.rs"),
        include_str!("../src/domain.rs"),
        include_str!("../src/http.rs"),
        include_str!("../src/jobs.rs"),
        include_str!("../src/lib.rs"),
        include_str!("../src/main.rs"),
        include_str!("../src/ports.rs"),
        include_str!("../src/postgres.rs"),
        include_str!("../src/sqlite.rs"),
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
