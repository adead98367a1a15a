//! Backup, verification and restore between both databases.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Backs up under load, wipes, restores and compares.
async fn assert_a_restore_is_complete(from: Kind, to: Kind) {
    let site = Site::new(from).await;
    site.must(&["seed-demo", "--leads", "1500", "--subscribers", "700"]);
    fs::create_dir_all(site.path("data/contracts/2026")).unwrap();
    fs::write(site.path("data/contracts/2026/a.pdf"), "signed").unwrap();
    let service = Arc::new(site.service());
    let key = ["api-key", "create", "--name", "website", "--scope", "leads:create"];
    site.must(&key);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_until(Arc::clone(&service), Arc::clone(&stop)));
    let before = count(&service, "search=under-load").await;
    let archive = tokio::task::block_in_place(|| site.back_up());
    let after = count(&service, "search=under-load").await;
    stop.store(true, Ordering::Relaxed);
    let answers = writer.await.unwrap();
    assert!(answers.iter().all(|(_, status)| *status == 201), "writes continue during a backup");
    let mode = fs::metadata(&archive).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "only the owner may read an archive");
    assert_eq!(names(&site.path("backups")).len(), 1, "no unfinished files are left");
    drop(Arc::into_inner(service));

    let backed_up = sums(&archive);
    let leads = backed_up.iter().find(|sum| sum.name == "leads").unwrap().rows;
    assert!((1500 + before..=1500 + after).contains(&leads), "{before} {leads} {after}");
    let copy = Site::new(to).await;
    let archive = archive.to_str().unwrap();
    copy.must(&["restore", archive]);
    assert_eq!(sums(&copy.back_up()), backed_up);
    assert_eq!(fs::read(copy.path("data/contracts/2026/a.pdf")).unwrap(), b"signed");
    let service = copy.service();
    assert_eq!(count(&service, "").await, leads);
    // Data that is derived on restore: the counts, and the search documents.
    let list: Value =
        service.get(&format!("{LEADS}?ordering=created_at"), KEY).await.json().await.unwrap();
    let first = &list["results"][0];
    let name = first["full_name"].as_str().unwrap().to_uppercase();
    assert!(count(&service, &format!("search={}", name.replace(' ', "%20"))).await > 0);
    // New rows get ids that have never been used.
    let highest = count(&service, "").await;
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "new@example.com"});
    let created: Value = service.post(LEADS, KEY, &lead.to_string()).await.json().await.unwrap();
    assert!(created["id"].as_u64().unwrap() > highest);
    drop(service);

    // Existing rows are not replaced without a flag and, with it, are backed up first.
    let sentence = refused(&copy.run(&["restore", archive]));
    assert!(sentence.contains("not empty"), "{sentence}");
    let said = copy.must(&["restore", archive, "--replace"]);
    let safety = copy.path(said.split(": ").next().unwrap());
    assert_eq!(sums(&safety).iter().find(|sum| sum.name == "leads").unwrap().rows, leads + 1);
    assert_eq!(sums(&copy.back_up()), backed_up);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_sqlite() {
    assert_a_restore_is_complete(Kind::Sqlite, Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_postgres() {
    assert_a_restore_is_complete(Kind::Sqlite, Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_sqlite() {
    assert_a_restore_is_complete(Kind::Postgres, Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_postgres() {
    assert_a_restore_is_complete(Kind::Postgres, Kind::Postgres).await;
}

async fn assert_a_backup_is_verified(kind: Kind) {
    let site = Site::new(kind).await;
    site.must(&["seed-demo", "--leads", "20", "--subscribers", "20"]);
    let service = site.service();
    let ready = "/backend/health/ready/";
    let details =
        async |key: &str| -> Value { service.get(ready, key).await.json().await.unwrap() };
    assert_eq!(details(KEY).await["backups"]["last_success"], Value::Null);
    let older = site.back_up();
    let archive = site.back_up();
    assert_eq!(details(KEY).await["backups"]["verification_ok"], Value::Null);
    assert!(details(KEY).await["backups"]["last_success"].is_string());
    let said = site.must(&["verify-backup", "--from", "backups"]);
    assert!(said.contains("80 rows"), "{said}");
    let good = details(KEY).await;
    assert_eq!(good["backups"]["verification_ok"], true);
    // Nobody else sees the details.
    assert_eq!(details("").await, json!({"status": "ok"}));
    assert_eq!(details("another").await, json!({"status": "ok"}));

    // A verification that is not about the last backup is not recorded.
    fs::write(&older, "no archive").unwrap();
    for other in [older.to_str().unwrap(), "nowhere.backup"] {
        assert!(!site.run(&["verify-backup", other]).status.success());
    }
    assert_eq!(details(KEY).await["backups"], good["backups"]);

    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let sentence = refused(&site.run(&["verify-backup", archive.to_str().unwrap()]));
    assert!(sentence.contains("damaged"), "{sentence}");
    let bad = details(KEY).await;
    assert_eq!(bad["backups"]["verification_ok"], false);
    assert_eq!(bad["backups"]["last_verified"], good["backups"]["last_verified"]);
    // Damage is found before anything is changed.
    let sentence = refused(&site.run(&["restore", archive.to_str().unwrap(), "--replace"]));
    assert!(sentence.contains("damaged"), "{sentence}");
    assert_eq!(count(&service, "").await, 20);
    assert!(!site.path("data/backups").exists());
}

/// A machine that has the key, but no database.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_verified_without_a_database() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "20", "--subscribers", "20"]);
    let archive = site.back_up();
    let archive = archive.to_str().unwrap();
    let elsewhere = Site::new(Kind::Sqlite).await;
    let away = [("DATABASE_URL", "postgres://exit3:hunter2@127.0.0.1:1/exit3")];
    for (env, why) in [(&[][..], "data/exit3.sqlite3 is not there"), (&away, "not available")] {
        let tried = elsewhere.run_with(env, &["verify-backup", archive]);
        let told = String::from_utf8(tried.stderr).unwrap();
        assert!(tried.status.success(), "{told}");
        assert!(String::from_utf8(tried.stdout).unwrap().contains("80 rows"));
        assert!(told.starts_with("Not noted, ") && told.contains(why), "{told}");
        assert!(told.lines().count() == 1 && !told.contains("hunter2"), "{told}");
        assert!(!elsewhere.path("data/exit3.sqlite3").exists());
    }
    // A bad backup is reported without a database as well.
    fs::write(archive, "no archive").unwrap();
    assert!(!elsewhere.run(&["verify-backup", archive]).status.success());
    assert!(!elsewhere.path("data/exit3.sqlite3").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_sqlite_is_verified() {
    assert_a_backup_is_verified(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_postgres_is_verified() {
    assert_a_backup_is_verified(Kind::Postgres).await;
}
