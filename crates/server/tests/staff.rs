//! Accounts of staff: the command line, the first account, and signing in.
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
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use exit3_app::App;
use exit3_app::sign_ins::{self, Device, Entrance, SignInError};
use exit3_app::staff::{accept_as_owner, invited};
use exit3_domain::events::{Actor, Author};
use exit3_domain::staff::{NewStaff, PasswordHash, StaffProfile};
use exit3_ports::Repositories;
use exit3_ports::invitations::Invited;
use exit3_postgres::PgSettings;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::postgres;
use service::{Service, exit3};
use tokio::runtime::Handle;

const PASSWORD: &str = "plavi konj trči";

/// Runs `exit3 staff` with this standard input.
fn staff(directory: &Path, env: &[(&str, &str)], arguments: &str, input: &str) -> Output {
    let mut command = exit3(directory);
    command.arg("staff").args(arguments.split_whitespace()).envs(env.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that needs no input may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn done(directory: &Path, env: &[(&str, &str)], arguments: &str, input: &str) -> String {
    let output = staff(directory, env, arguments, input);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments}: {errors}");
    assert!(!errors.contains(PASSWORD), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(directory: &Path, env: &[(&str, &str)], arguments: &str, input: &str) -> String {
    let output = staff(directory, env, arguments, input);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments}: {said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(input.trim().is_empty() || !said.contains(input.trim()), "{said}");
    said
}

fn walk_through(directory: &Path, env: &[(&str, &str)]) {
    let line = format!("{PASSWORD}\n");
    let said = done(directory, env, "create --username ana --role owner", &line);
    assert_eq!(said, "Created the account ana, who is an owner.\n");
    done(
        directory,
        env,
        "create --username ivo --role sales --first-name Ivo --email ivo@a.hr",
        &line,
    );
    for (arguments, input, expected) in [
        (
            "create --username ana --role owner",
            line.as_str(),
            "username: An account with this name",
        ),
        ("create --username eva --role viewer", "short\n", "at least 12 characters"),
        ("create --username eva --role viewer", "password1234\n", "too easy to guess"),
        ("create --username eva.horvat --role viewer", "eva.horvat12\n", "similar to your name"),
        ("create --username eva --role viewer", "", "there is no password"),
        ("create --username eva --role viewer", "\n", "there is no password"),
        ("create --username e/va --role viewer", line.as_str(), "username: Use letters"),
        ("create --username eva --role viewer --email eva", line.as_str(), "email: Enter a valid"),
        ("create --username eva --role boss", line.as_str(), "owner, manager, sales, viewer"),
        ("create --username eva --role viewer --password abc", "", "--password"),
        ("create --role viewer", "", "--username"),
        ("set-role --username ana --role viewer", "", "the last active owner must stay one"),
        ("disable --username ana", "", "the last active owner must stay one"),
        ("set-role --username nobody --role viewer", "", "there is no account nobody"),
        ("set-password --username nobody", line.as_str(), "there is no account nobody"),
        ("set-password --username ivo", "ivo@a.hr1234\n", "similar to your name"),
        ("invite --username nobody", "", "there is no account nobody"),
    ] {
        let said = refused(directory, env, arguments, input);
        assert!(said.contains(expected), "{arguments}: {said}");
    }
    done(directory, env, "set-role --username ivo --role manager", "");
    done(directory, env, "set-password --username ivo", "crni konj trci\r\n");
    done(directory, env, "disable --username ivo", "");
    let said = refused(directory, env, "invite --username ivo", "");
    assert!(said.contains("enable it first"), "{said}");
    let listed = done(directory, env, "list", "");
    let rows: Vec<Vec<&str>> =
        listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["ana", "owner", "active", "-", "-", "-"]);
    assert_eq!(rows[2], ["ivo", "manager", "disabled", "Ivo", "ivo@a.hr", "-"]);
    assert_eq!(rows.len(), 3);
    done(directory, env, "enable --username ivo", "");
    let said = done(directory, env, "invite --username ivo", "");
    let link = said.trim_end().rsplit(' ').next().unwrap();
    let token = link.strip_prefix("http://localhost:8000/backend/admin/invitation/").unwrap();
    assert_eq!(token.len(), 44, "{link}");
    let behind_a_proxy = [env, &[("ALLOWED_HOSTS", "*,.exit3.agency"), ("TRUSTED_PROXIES", "::1")]];
    let said = done(directory, &behind_a_proxy.concat(), "invite --username ivo", "");
    assert!(said.contains(" https://exit3.agency/backend/admin/invitation/"), "{said}");
    // A second owner may go.
    done(directory, env, "set-role --username ivo --role owner", "");
    done(directory, env, "disable --username ana", "");
}

#[test]
fn operators_manage_accounts_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    walk_through(directory.path(), &[("PORT", "8000")]);
    let database = directory.path().join("data");
    let files = std::fs::read_dir(&database).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|file| file.is_file()) {
        let content = std::fs::read(file).unwrap();
        let is_in = content.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(!is_in, "a password is stored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_manage_accounts_in_postgres() {
    let database = postgres::shared().create_database().await;
    let directory = tempfile::tempdir().unwrap();
    let env = [
        ("DATABASE_URL", database.url()),
        ("BASIC_API_KEY", "key-of-the-tests"),
        ("SECRET_KEY", "secret-of-the-tests"),
        ("PORT", "8000"),
    ];
    walk_through(directory.path(), &env);
    // Nobody is invited at a start: other nodes may share the database.
    let service = Service::start(directory.path(), &env[..3]);
    assert!(!service.output().contains("invitation"), "{}", service.output());
    service.stop();
}

/// The token of the first account that a start prints.
fn printed_token(service: &Service) -> String {
    assert!(service.logs("/backend/admin/invitation/"), "{}", service.output());
    let output = service.output();
    let lines: Vec<&str> = output.lines().filter(|line| line.contains("invitation")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let start = format!(
        "Make the first account here, once within an hour: http://{}/backend/admin/invitation/",
        service.address()
    );
    lines[0].strip_prefix(&start).unwrap().strip_suffix('/').unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_invites_the_owner_until_there_is_an_account() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let start = |env: &[(&str, &str)]| Service::start(directory, env);
    let off = start(&[("ADMIN_ENABLED", "false")]);
    // The lines of the start have come; one more would follow at once.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!off.output().contains("invitation"));
    off.stop();
    let first = start(&[]);
    let old = printed_token(&first);
    first.stop();
    let second = start(&[]);
    let token = printed_token(&second);
    assert_ne!(old, token);
    second.stop();
    let app = app(sqlite(&directory.join("data/exit3.sqlite3")), 3);
    assert_eq!(invited(&app, &old).await.unwrap(), None);
    assert_eq!(invited(&app, &token).await.unwrap(), Some(Invited::FirstOwner));
    let owner = accept_as_owner(&app, &token, "boss", PASSWORD, None).await.unwrap();
    assert!(owner.profile.is_active_owner());
    assert_eq!(invited(&app, &token).await.unwrap(), None);
    drop(app);
    let third = start(&[]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!third.output().contains("invitation"), "{}", third.output());
    third.stop();
}

fn sqlite(path: &Path) -> Repositories {
    let database = SqliteDatabase::open(path, &SqliteSettings::default()).unwrap();
    database.migrate().unwrap();
    database.repositories()
}

/// An app whose tokens begin with this byte.
fn app(repositories: Repositories, byte: u8) -> App {
    let random: exit3_app::sign_ins::Random = match byte {
        1 => |bytes| bytes.fill(1),
        2 => |bytes| bytes.fill(2),
        _ => |bytes| bytes.fill(3),
    };
    App {
        database: Ok(repositories),
        keyring: Arc::default(),
        bell: Arc::default(),
        quotas: Arc::new(exit3_quotas::LocalQuotas::default()),
        limits: exit3_app::quotas::Limits::default(),
        clock: Arc::new(exit3::SystemClock),
        entrance: Arc::new(Entrance::new(TimeDelta::hours(12), TimeDelta::days(14), random)),
        disposable: exit3_domain::email::DisposableDomains::default(),
        intake: None,
        modules: Arc::default(),
        contracts: exit3_app::contracts::Contracts {
            store: Arc::new(exit3_files::ContractDirectory::new("none")),
            scanner: None,
        },
    }
}

fn device(peer: u64) -> Device {
    Device { peer, address: format!("192.0.2.{peer}"), agent: "test".to_owned() }
}

/// An account as the import from Django writes it. Its hash takes one iteration.
async fn import(repositories: &Repositories) {
    let new = NewStaff {
        profile: StaffProfile {
            username: "ana".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            is_staff: true,
            is_active: true,
            is_superuser: true,
            role: None,
        },
        password: PasswordHash::kept(
            "pbkdf2_sha256$1$salt1234$+ON8DBfoKFtSLNK8LWYztY1sn9e0o3+x7IWUXi20CO8=".to_owned(),
        ),
        date_joined: chrono::DateTime::from_timestamp_secs(1_790_000_000).unwrap(),
    };
    let act = Author::from(Actor::command("import")).at(new.date_joined);
    repositories.staff.create(&new, &act).await.unwrap();
}

async fn sign_in(app: &App, password: &str, peer: u64) -> Result<String, SignInError> {
    let signed_in = sign_ins::sign_in(app, "ana", password, &device(peer), None).await;
    signed_in.map(|(token, _)| token.expose().to_owned())
}

/// What somebody does who signs in, and somebody who guesses.
async fn come_and_go(repositories: Repositories) {
    import(&repositories).await;
    let here = app(repositories.clone(), 1);
    let mut guesses = tokio::task::JoinSet::new();
    for number in 0..14 {
        let app = here.clone();
        guesses.spawn(async move { sign_in(&app, &format!("wrong {number}"), 7).await });
    }
    let outcomes = guesses.join_all().await;
    let wrong = outcomes.iter().filter(|it| matches!(it, Err(SignInError::Wrong))).count();
    let waits = outcomes.iter().filter_map(|it| match it {
        Err(SignInError::Throttled(wait)) => Some(*wait),
        _ => None,
    });
    let waits: Vec<Duration> = waits.collect();
    assert_eq!((wrong, waits.len()), (10, 4), "{outcomes:?}");
    for wait in waits {
        assert!(wait > Duration::from_secs(800) && wait <= Duration::from_secs(900), "{wait:?}");
    }
    // The right password is of no use there, but it is from another address.
    let refused = sign_in(&here, PASSWORD, 7).await;
    assert!(matches!(refused, Err(SignInError::Throttled(_))), "{refused:?}");
    let token = sign_in(&here, PASSWORD, 8).await.unwrap();
    let hash = repositories.staff.find_by_username("ana").await.unwrap().unwrap().password;
    assert!(hash.as_str().starts_with("$argon2id$") && hash.verify(PASSWORD).is_some());
    let who = sign_ins::signed_in(&here, &token).await.unwrap().unwrap();
    assert_eq!((who.role.as_str(), who.sign_in.address.as_str()), ("owner", "192.0.2.8"));
    assert!(who.staff.last_login.is_some());
    // Another browser: its token is another one.
    let there = app(repositories.clone(), 2);
    let other = sign_in(&there, PASSWORD, 9).await.unwrap();
    assert_eq!(sign_ins::list(&here, &who).await.unwrap().len(), 2);
    let doer = who.doer(None);
    sign_ins::change_password(&here, &who, PASSWORD, "crni konj trči", &device(8), &doer)
        .await
        .unwrap();
    assert_eq!(sign_ins::signed_in(&there, &other).await.unwrap(), None);
    let who = sign_ins::signed_in(&here, &token).await.unwrap().unwrap();
    sign_ins::sign_out(&here, &who, &who.doer(None)).await.unwrap();
    assert_eq!(sign_ins::signed_in(&here, &token).await.unwrap(), None);
    let old = sign_in(&here, PASSWORD, 8).await;
    assert!(matches!(old, Err(SignInError::Wrong)), "{old:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_guesses_are_limited_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    come_and_go(sqlite(&directory.path().join("exit3.sqlite3"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_guesses_are_limited_in_postgres() {
    let database = postgres::shared().create_database().await;
    let settings = PgSettings::parse(database.url()).unwrap();
    let database = exit3_postgres::connect(&settings, Handle::current());
    database.migrate().await.unwrap();
    come_and_go(database.repositories()).await;
}
