//! Failures leave everything as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use exit3_archive::{ArchiveWriter, Head, Lock};
use exit3_ports::{Shape, table};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_leaves_nothing_that_looks_finished() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "20000", "--subscribers", "1"]);
    let backups = site.path("backups");
    let mut command = exit3(site.directory.path());
    command.envs(site.env()).args(["backup", "--to", "backups"]);
    let mut killed = command.spawn().unwrap();
    let begun = Instant::now();
    while !backups.exists() || names(&backups).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the backup does not begin");
        std::thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success(), "it was killed in the middle");
    assert!(names(&backups).iter().all(|name| name.ends_with(".partial")));
    assert!(
        refused(&site.run(&["verify-backup", "--from", "backups"])).contains("no usable backup")
    );
    let archive = site.back_up();
    assert_eq!(sums(&archive)[0].rows, 20_000);
    site.must(&["verify-backup", "--from", "backups"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_backups_are_removed_after_a_new_one_is_complete() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    fs::create_dir(site.path("backups")).unwrap();
    let old = "exit3-20200101T000000.000Z.backup".to_owned();
    let younger = (1..=6).map(|day| format!("exit3-2020030{day}T000000.000Z.backup"));
    for name in younger.chain([old.clone(), "of-somebody-else.backup".to_owned()]) {
        fs::write(site.path("backups").join(name), "old").unwrap();
    }
    site.must(&["backup", "--to", "backups", "--keep-days", "30"]);
    let left = names(&site.path("backups"));
    assert_eq!(left.len(), 8, "{left:?}");
    assert!(!left.contains(&old));
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_killed_backups_are_removed_by_the_next_one() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    fs::create_dir(site.path("backups")).unwrap();
    for (name, hours) in [(".exit3-young0.partial", 23), (".exit3-old000.partial", 25)] {
        let file = File::create(site.path("backups").join(name)).unwrap();
        let hours = Duration::from_secs(hours * 60 * 60);
        let made = file.metadata().unwrap().modified().unwrap();
        file.set_modified(made - hours).unwrap();
    }
    site.back_up();
    let left = names(&site.path("backups"));
    assert!(left.len() == 2 && left[0] == ".exit3-young0.partial", "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_on_a_full_disk_names_the_place() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "20000", "--subscribers", "1"]);
    // A limit on the file size stands in for a full disk.
    let binary = exit3(site.directory.path()).get_program().to_owned();
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" backup --to backups";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script]).arg(binary).envs(site.env()).current_dir(site.directory.path());
    let sentence = refused(&command.output().unwrap());
    assert!(sentence.contains("/backups: File too large"), "{sentence}");
    assert!(names(&site.path("backups")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_verification_leaves_no_rows_behind() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "20000", "--subscribers", "1"]);
    site.back_up();
    let tmp = site.path("tmp");
    fs::create_dir(&tmp).unwrap();
    let mut command = exit3(site.directory.path());
    command.envs(site.env()).env("TMPDIR", &tmp).args(["verify-backup", "--from", "backups"]);
    let mut trial = command.spawn().unwrap();
    let begun = Instant::now();
    let scratch = loop {
        assert!(begun.elapsed() < Duration::from_secs(30), "the trial does not begin");
        if let Some(name) = names(&tmp).first()
            && tmp.join(name).join("scratch.sqlite3-wal").exists()
        {
            break tmp.join(name);
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(fs::metadata(&scratch).unwrap().permissions().mode() & 0o777, 0o700);
    let process = rustix::process::Pid::from_child(&trial);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert!(!trial.wait().unwrap().success(), "it was stopped in the middle");
    assert_eq!(names(&tmp), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_in_quick_succession_are_all_kept() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    for _ in 0..5 {
        site.back_up();
    }
    assert_eq!(names(&site.path("backups")).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_backup_and_unusable_ones_are_distinguished() {
    let site = Site::new(Kind::Sqlite).await;
    let backups = site.path("backups");
    fs::create_dir(&backups).unwrap();
    let verify = || site.run(&["verify-backup", "--from", "backups"]);
    let put = |name: &str| fs::write(backups.join(name), "").unwrap();
    let (none, left) = (verify(), Some(3));
    assert_eq!(none.status.code(), left);
    assert!(refused(&none).contains("holds no backup: none was made yet"));
    for (name, why) in [
        (".exit3-abcdef.partial", "never finished"),
        ("exit3.sqlite3", "none has the name of a backup"),
        ("exit3-20990101T000000.000Z.backup", "a clock was or is wrong"),
    ] {
        put(name);
        let none = verify();
        assert_eq!(none.status.code(), Some(4), "{name}");
        let sentence = refused(&none);
        assert!(sentence.contains("no usable backup") && sentence.contains(why), "{sentence}");
    }
    // A bad backup is reported differently.
    put("exit3-20200101T000000.000Z.backup");
    assert_eq!(verify().status.code(), Some(1));
    let nowhere = site.run(&["verify-backup", "--from", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
}

/// A bucket that accepts connections and data, and sends `answer` at a byte per second.
fn silent_bucket(answer: &'static [u8]) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reading = stream.try_clone().unwrap();
            std::thread::spawn(move || std::io::copy(&mut reading, &mut std::io::sink()));
            std::thread::spawn(move || {
                for byte in answer {
                    if std::io::Write::write_all(&mut stream, &[*byte]).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_secs(1));
                }
                std::thread::park();
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unresponsive_bucket_is_reported_in_one_sentence() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"] {
        let address = silent_bucket(answer);
        let env = [
            ("AWS_ENDPOINT_URL", address.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-central-1"),
            // The default is two minutes.
            ("AWS_TIMEOUT", "1s"),
            // Hides warnings about retries; only the final sentence is checked.
            ("LOG_LEVEL", "error"),
        ];
        for arguments in [
            ["backup", "--to", "s3://bucket/prefix"],
            ["verify-backup", "--from", "s3://bucket/prefix"],
            ["verify-backup", "s3://bucket/key", "--allow-plain"],
        ] {
            let sentence = refused(&site.run_with(&env, &arguments));
            assert!(sentence.contains(&address[7..]), "{arguments:?}: {sentence}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_temporary_directory_the_message_names_the_setting() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    let archive = site.back_up();
    let env = [("TMPDIR", "/nowhere"), ("AWS_REGION", "eu-central-1")];
    for arguments in [
        ["verify-backup", archive.to_str().unwrap(), "--allow-plain"],
        ["backup", "--to", "s3://bucket/prefix"],
        ["import-django", "--from", "sqlite:///data/exit3.sqlite3"],
    ] {
        let sentence = refused(&site.run_with(&env, &arguments));
        assert!(sentence.contains("set TMPDIR") && sentence.contains("/nowhere"), "{sentence}");
    }
}

/// As in the container image, where only DATA_DIR is writable.
#[tokio::test(flavor = "multi_thread")]
async fn verification_works_without_a_temporary_directory() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = "sqlite:///data/exit3.sqlite3".to_owned();
    let site = Site { directory, url, _database: None };
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    let archive = site.back_up();
    let binary = exit3(site.directory.path()).get_program().to_owned();
    let script = "mount -t tmpfs -o ro tmpfs /tmp && exec \"$0\" verify-backup \"$1\"";
    let mut command = std::process::Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "sh", "-c", script]).arg(binary).arg(archive);
    command.envs(site.env()).env_remove("TMPDIR").current_dir(site.directory.path());
    let tried = command.output().unwrap();
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    let left = names(&site.path("data"));
    assert!(!left.iter().any(|name| name.ends_with(".partial")), "{left:?}");
}

/// A valid archive whose rows no database accepts.
fn impossible(site: &Site) -> String {
    let head = Head {
        program: "0.1.0".to_owned(),
        schema: "00000000000001".to_owned(),
        made_at: "2026-11-25T04:02:30Z".parse().unwrap(),
        settings: Vec::new(),
        modules: Vec::new(),
    };
    let mut archive = ArchiveWriter::begin(Vec::new(), &Lock::Open, head).unwrap();
    let shape = |name| Shape::of(table(name).unwrap(), |_| true).unwrap();
    archive.table(&shape("leads"), 0, 0).unwrap().finish().unwrap();
    let mut rows = archive.table(&shape("subscribers"), 2, 2).unwrap();
    for id in [1, 2] {
        let email = exit3_ports::Value::Text("twice@example.com".to_owned());
        let row = vec![exit3_ports::Value::Integer(id), email, exit3_ports::Value::Boolean(true)];
        rows.row(&row).unwrap();
    }
    rows.finish().unwrap();
    let path = site.path("impossible.backup");
    fs::write(&path, archive.finish().unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_no_database_accepts_is_recorded_as_bad() {
    let site = Site::new(Kind::Sqlite).await;
    let service = site.service();
    let sentence = refused(&site.run(&["verify-backup", &impossible(&site)]));
    assert!(sentence.contains("table subscribers"), "{sentence}");
    let ready = service.get("/backend/health/ready/", KEY).await;
    let ready: Value = ready.json().await.unwrap();
    assert_eq!(ready["backups"]["verification_ok"], false);
}

async fn assert_a_failed_restore_changes_nothing(kind: Kind) {
    let site = Site::new(kind).await;
    site.must(&["seed-demo", "--leads", "30", "--subscribers", "30"]);
    let before = sums(&site.back_up());
    let sentence = refused(&site.run(&["restore", &impossible(&site), "--replace"]));
    assert!(!sentence.contains("twice@"), "{sentence}");
    assert!(sentence.contains("table subscribers"), "{sentence}");
    assert_eq!(sums(&site.back_up()), before);
    let service = site.service();
    assert_eq!(count(&service, "").await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_fails_in_the_middle_changes_nothing_on_sqlite() {
    assert_a_failed_restore_changes_nothing(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_fails_in_the_middle_changes_nothing_on_postgres() {
    assert_a_failed_restore_changes_nothing(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_reported_in_one_sentence() {
    let site = Site::new(Kind::Sqlite).await;
    fs::write(site.path("notes.txt"), "shopping list").unwrap();
    for (arguments, word) in [
        (&["backup"][..], "BACKUP_TO"),
        (&["backup", "--to", "backups"], "no tables"),
        (&["verify-backup", "--from", "nowhere"], "nowhere"),
        (&["restore", "nowhere.backup"], "nowhere.backup"),
        (&["restore", "notes.txt"], "not an archive"),
        (&["restore", "data"], "data: is a directory"),
        (&["backup", "--to", "s3://"], "s3://"),
        (&["promote", "--to", "sqlite:///a"], "not PostgreSQL"),
        (&["promote", "--to", "mysql://a:hunter2@b"], "--to begins with neither"),
        (&["promote"], "--to"),
    ] {
        let sentence = refused(&site.run(arguments));
        assert!(sentence.contains(word), "{arguments:?}: {sentence}");
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }
    let postgres = Site::new(Kind::Postgres).await;
    assert!(refused(&postgres.run(&["promote", "--abort"])).contains("already"));
    for (env, word) in [
        ([("BACKUP_RECIPIENTS", "age1nonsense")], "BACKUP_RECIPIENTS"),
        ([("BACKUP_IDENTITY", "nowhere")], "BACKUP_IDENTITY"),
    ] {
        fs::write(site.path("empty.backup"), "exit3 archive 1 age\n").unwrap();
        let sentence = refused(&site.run_with(&env, &["restore", "empty.backup"]));
        assert!(sentence.contains(word), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_contains_only_the_names_of_settings() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    let archive = site.back_up();
    let archive = ArchiveReader::open(File::open(archive).unwrap(), &Keys::default()).unwrap();
    let settings = &archive.head().settings;
    for name in ["DATABASE_URL", "BASIC_API_KEY", "SECRET_KEY"] {
        assert!(settings.iter().any(|setting| setting == name), "{settings:?}");
    }
    assert!(!format!("{settings:?}").contains(KEY));
    assert!(!settings.iter().any(|setting| setting == "WORKERS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmounted_contract_directory_does_not_count_as_empty() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "1"]);
    let env = [("CONTRACT_DIR", "not-mounted")];
    let sentence = refused(&site.run_with(&env, &["backup", "--to", "backups"]));
    assert!(sentence.contains("CONTRACT_DIR"), "{sentence}");
    assert!(names(&site.path("backups")).is_empty());
    fs::create_dir(site.path("not-mounted")).unwrap();
    assert!(site.run_with(&env, &["backup", "--to", "backups"]).status.success());
}
