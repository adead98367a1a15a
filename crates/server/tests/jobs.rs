//! Background jobs: a killed runner, several nodes, and the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use exit3_app::App;
use exit3_app::jobs::{Handling, JobFailure, Payload, Registry, Runner, RunnerSettings};
use exit3_domain::jobs::{JobError, JobState, NewJob};
use exit3_ports::Repositories;
use exit3_ports::jobs::{Capacity, Claim, JobFilter};
use exit3_postgres::PgSettings;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::postgres::{self, TestPostgres};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Service, exit3};
use tokio::runtime::Handle;

const TIMES: RunnerSettings = RunnerSettings {
    poll: Duration::from_millis(20),
    lease: Duration::from_secs(2),
    grace: Duration::ZERO,
    random: || 0.5,
};

/// A job that writes what happens to it to a file.
#[derive(Serialize, Deserialize)]
struct Tell {
    file: PathBuf,
}

impl Payload for Tell {
    const KIND: &'static str = "test.tell";
}

impl Tell {
    fn line(&self, line: &str) {
        use std::io::Write;
        let mut file = std::fs::File::options().append(true).create(true).open(&self.file).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The repositories of a database: the URL of PostgreSQL, or the path of a SQLite file.
fn repositories(database: &str) -> Repositories {
    if database.starts_with("postgres") {
        let settings = PgSettings::parse(database).unwrap();
        exit3_postgres::connect(&settings, Handle::current()).repositories()
    } else {
        let path = Path::new(database);
        SqliteDatabase::open(path, &SqliteSettings::default()).unwrap().repositories()
    }
}

fn app(database: &str) -> App {
    let time = exit3_testkit::builders::at(0);
    App {
        clock: Arc::new(exit3::SystemClock),
        ..exit3_testkit::app::app(repositories(database), time)
    }
}

/// A runner whose handler ends, or goes on forever.
fn runner(app: &App, name: &'static str, ends: bool) -> Runner {
    let mut registry = Registry::default();
    registry.handle(Handling::default(), move |_, tell: Tell| async move {
        tell.line(&format!("{name} begins"));
        if !ends {
            return std::future::pending().await;
        }
        tell.line(&format!("{name} ends"));
        Ok::<(), JobFailure>(())
    });
    Runner::new(app.clone(), registry, TIMES)
}

/// The variable that makes this program a runner to be killed, with the database as its value.
const DATABASE: &str = "JOBS_OF_DATABASE";

/// Not a rule: the process that the tests below start and kill.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is the process that other tests kill"]
async fn to_be_killed() {
    let database = std::env::var(DATABASE).unwrap();
    runner(&app(&database), "the first", false).run(std::future::pending()).await;
}

fn start_process(database: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "to_be_killed", "--ignored"]).env(DATABASE, database);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn a_killed_runner_is_replaced(database: &str) {
    let directory = tempfile::tempdir().unwrap();
    let tell = Tell { file: directory.path().join("told") };
    let app = app(database);
    let queue = Arc::clone(&app.repositories().unwrap().jobs);
    exit3_app::jobs::enqueue(&app, &[tell.job().unwrap()]).await.unwrap();
    let mut first = start_process(database);
    until("the first begins", async || tell.lines() == ["the first begins"]).await;

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let other = runner(&app, "another", true);
    let running = tokio::spawn(other.run(async move { drop(stopped.await) }));
    // As long as the first lives, nobody takes its job, even after the first lease.
    tokio::time::sleep(TIMES.lease * 5 / 4).await;
    assert_eq!(tell.lines(), ["the first begins"]);
    // SIGKILL.
    first.kill().unwrap();
    first.wait().unwrap();
    let killed = Instant::now();
    let expected = ["the first begins", "another begins", "another ends"];
    until("another ends", async || tell.lines() == expected).await;
    assert!(killed.elapsed() >= TIMES.lease / 2, "the lease had not ended");
    let all = JobFilter { kind: None, state: None, most: 9 };
    until("the job is deleted", async || queue.list(&all).await.unwrap().is_empty()).await;
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(tell.lines(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_takes_over_the_job_of_a_killed_one() {
    let migrate = async |url: String| {
        let settings = PgSettings::parse(&url).unwrap();
        exit3_postgres::connect(&settings, Handle::current()).migrate().await.unwrap();
    };
    let database = postgres::shared().create_migrated(migrate).await;
    a_killed_runner_is_replaced(database.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_takes_over_the_job_of_a_killed_one_in_the_embedded_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kept.sqlite3");
    SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap().migrate().unwrap();
    a_killed_runner_is_replaced(path.to_str().unwrap()).await;
}

fn node(directory: &Path, url: &str) -> Service {
    let secrets = [("SECRET_KEY", "secret-of-the-tests"), ("BASIC_API_KEY", "key-of-the-tests")];
    Service::start(directory, &[&[("DATABASE_URL", url)][..], &secrets].concat())
}

/// The sum of all series whose names begin like this.
fn sum(metrics: &str, series: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(series));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_nodes_runs_an_occurrence_and_takes_over_from_a_node_that_is_gone() {
    let server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = server.url("postgres");
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = [node(directories[0].path(), &url), node(directories[1].path(), &url)];
    let admin = postgres::client(&url).await;
    let query = async |sql: &str| admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);
    let schedules = "SELECT count(*) FROM schedules";
    until("the schema", async || admin.query_one(schedules, &[]).await.is_ok()).await;
    until("all schedules", async || query(schedules).await == 6).await;
    until("no job is left", async || query("SELECT count(*) FROM jobs").await == 0).await;
    let series = "exit3_job_duration_seconds_count{kind=\"backups.check\"}";
    let ran = async || {
        let [first, second] = [nodes[0].metrics().await, nodes[1].metrics().await];
        sum(&first, series) + sum(&second, series)
    };
    until("it has run", async || ran().await > 0.0).await;
    // A node that starts later finds nothing to do.
    let directory = tempfile::tempdir().unwrap();
    let third = node(directory.path(), &url);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(sum(&third.metrics().await, series), 0.0);
    assert_eq!(ran().await, 1.0);

    // A node was killed while it ran a job, and its lease has ended.
    let old = "INSERT INTO backup_status (backed_up_at) VALUES (now() - interval '3 days');
               INSERT INTO jobs (kind, payload, state, attempts, claims, due_at, enqueued_at)
               VALUES ('backups.check', '{}', 'running', 1, 1, now(), now()),
                      ('of a newer release', '{}', 'waiting', 0, 0, now(), now())";
    admin.batch_execute(old).await.unwrap();
    let nodes = [&nodes[0], &nodes[1], &third];
    let told = || nodes.iter().any(|it| it.output().contains("the last backup is too old"));
    until("the job is run again", async || told()).await;
    until("the job is deleted", async || query("SELECT count(*) FROM jobs").await == 1).await;
    let untouched = "SELECT claims FROM jobs WHERE kind = 'of a newer release'";
    assert_eq!(query(untouched).await, 0);
    let waiting = "exit3_jobs{kind=\"of a newer release\",state=\"waiting\"}";
    until("the metric", async || sum(&nodes[0].metrics().await, waiting) == 1.0).await;
    let age = "exit3_job_oldest_due_age_seconds{kind=\"of a newer release\"}";
    until("its age", async || sum(&nodes[0].metrics().await, age) > 0.0).await;
    for node in nodes {
        assert!(!node.output().contains("ERROR"), "{}", node.output());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_told_once_and_jobs_run_again_afterwards() {
    let mut server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = server.url("postgres");
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path(), &url);
    let admin = postgres::client(&url).await;
    let schedules = "SELECT count(*) FROM schedules WHERE name = 'jobs.remove_ended'";
    let noted = async || admin.query_one(schedules, &[]).await.unwrap().get::<_, i64>(0) == 1;
    // The service migrates first.
    until("it migrates", async || admin.query_one(schedules, &[]).await.is_ok()).await;
    until("it runs", noted).await;
    server.stop();
    assert!(node.logs("the queue of jobs cannot be reached"), "{}", node.output());
    // The runner tries several times meanwhile.
    tokio::time::sleep(TIMES.lease).await;
    server.restart();
    assert!(node.logs("the queue of jobs can be reached again"), "{}", node.output());
    assert_eq!(node.output().matches("the queue of jobs").count(), 2, "{}", node.output());
    let admin = postgres::client(&url).await;
    let due = "INSERT INTO jobs (kind, payload, due_at, enqueued_at)
               VALUES ('backups.check', '{}', now(), now())";
    admin.batch_execute(due).await.unwrap();
    let left = "SELECT count(*) FROM jobs";
    let is_done = async || admin.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0;
    until("the job is done", is_done).await;
    node.stop();
}

/// Runs a command on the data in `directory`; returns its output, and whether it succeeded.
fn command(directory: &Path, arguments: &[&str]) -> (bool, String) {
    let output = exit3(directory).args(arguments).output().unwrap();
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_list_retry_and_cancel_jobs() {
    let directory = tempfile::tempdir().unwrap();
    let (done, said) = command(directory.path(), &["jobs", "list"]);
    assert!(done, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(command(directory.path(), &["jobs", "list", "--json"]), (true, "[]\n".to_owned()));

    let path = directory.path().join("data/exit3.sqlite3");
    let queue = repositories(path.to_str().unwrap()).jobs;
    let new = |kind: &str, key: Option<&str>| NewJob {
        kind: kind.to_owned(),
        payload: r#"{"to":"ana@acme.hr"}"#.to_owned(),
        run_at: None,
        unique_key: key.map(str::to_owned),
    };
    queue.enqueue(&[new("mail", Some("a")), new("mail", None), new("hook", None)]).await.unwrap();
    let capacity = Capacity { kind: "mail".to_owned(), free: 1, attempts: 9 };
    let lease = Duration::from_secs(600);
    let failed = queue.claim(&[capacity], lease).await.unwrap().jobs[0].claim;
    queue.fail(failed, &JobError::new("refused:\u{1b}[31m\nred"), None).await.unwrap();

    let (done, table) = command(directory.path(), &["jobs", "list", "--kind", "mail"]);
    assert!(done, "{table}");
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "KIND", "STATE", "ATTEMPTS", "DUE", "ENDED", "ERROR"]);
    assert_eq!((rows[1][..4].to_vec(), rows[1][5]), (vec!["2", "mail", "waiting", "0"], "-"));
    assert_eq!((rows[2][..4].to_vec(), rows[2][4]), (vec!["1", "mail", "failed", "1"], "-"));
    assert_eq!(rows[2][6], r"refused:\u{1b}[31m\nred");
    assert_eq!(rows.len(), 3);
    assert!(!table.contains("ana@acme.hr"), "{table}");

    let (_, json) = command(directory.path(), &["jobs", "list", "--state", "failed", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let job = &json.as_array().unwrap()[0];
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!((&job["id"], &job["payload"]["to"]), (&1.into(), &"ana@acme.hr".into()));
    assert_eq!(job["unique_key"], "a");
    let (_, json) = command(directory.path(), &["jobs", "list", "--limit", "1", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["kind"], "hook");

    // What can be done is done, and the rest is told.
    let (done, said) = command(directory.path(), &["jobs", "cancel", "1", "2", "77"]);
    assert!(!done && said.contains("there is no job 77"), "{said}");
    let (done, said) = command(directory.path(), &["jobs", "cancel", "1", "77"]);
    let sentence = "the job 1 is cancelled: only waiting, running and failed jobs can be \
                    cancelled; there is no job 77";
    assert!(!done && said.contains(sentence) && said.lines().count() == 1, "{said}");
    let state = async |id: i64| {
        let all = JobFilter { kind: None, state: None, most: 9 };
        let jobs = queue.list(&all).await.unwrap();
        jobs.iter().find(|job| job.id.0 == id).unwrap().state
    };
    assert_eq!((state(1).await, state(2).await), (JobState::Cancelled, JobState::Cancelled));
    let said = command(directory.path(), &["jobs", "retry", "1", "2"]);
    let told = "The job 1 runs within a second.\nThe job 2 runs within a second.\n";
    assert_eq!(said, (true, told.to_owned()));
    assert_eq!((state(1).await, state(2).await), (JobState::Waiting, JobState::Waiting));

    // While a job with its key waits, an ended one cannot come back.
    queue.cancel(failed.id).await.unwrap();
    queue.enqueue(&[new("mail", Some("a"))]).await.unwrap();
    let (done, said) = command(directory.path(), &["jobs", "retry", "1"]);
    assert!(!done && said.contains("the job 1 has the unique key of an unfinished job"), "{said}");
    for wrong in [
        &["jobs", "list", "--state", "done"][..],
        &["jobs", "retry"],
        &["jobs", "cancel", "x"],
        &["jobs", "list", "--limit", "-1"],
        &["jobs"],
    ] {
        assert!(!command(directory.path(), wrong).0, "{wrong:?}");
    }
    let stale = Claim { token: 0, ..failed };
    queue.release(&[stale]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_has_no_job_left_running() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let path = directory.path().join("data/exit3.sqlite3");
    assert!(service.logs("Metrics"), "{}", service.output());
    let queue = repositories(path.to_str().unwrap()).jobs;
    let check = NewJob {
        kind: "backups.check".to_owned(),
        payload: "{}".to_owned(),
        run_at: None,
        unique_key: None,
    };
    queue.enqueue(&vec![check; 50]).await.unwrap();
    let began = Instant::now();
    service.stop();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let all = JobFilter { kind: None, state: None, most: 100 };
    for job in queue.list(&all).await.unwrap() {
        assert_eq!(job.state, JobState::Waiting, "{job:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_no_module_has_are_told_and_can_be_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    assert!(command(directory.path(), &["migrate"]).0);
    let path = directory.path().join("data/exit3.sqlite3");
    let events = repositories(path.to_str().unwrap()).events;
    events.unread("tags.mail", 1).await.unwrap();
    let service = Service::start(directory.path(), &[]);
    let told = "for the consumer tags.mail, which this program does not have";
    assert!(service.logs(told), "{}", service.output());
    // Those of the service, and the one of tags.
    let own = async || events.consumers().await.unwrap().len() == 3;
    until("the service reads events", own).await;
    assert!(!service.output().contains("consumer lead_weeks"), "{}", service.output());
    let (done, said) = command(directory.path(), &["jobs", "forget", "lead_weeks", "tags.mail"]);
    assert!(!done && said.contains("lead_weeks: no consumer that this program lacks"), "{said}");
    let left: Vec<_> = events.consumers().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(left, ["lead_weeks", "silence"]);
}
