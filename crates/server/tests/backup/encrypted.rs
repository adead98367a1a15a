//! Archives that only the holder of a key can read.

use age::secrecy::ExposeSecret;
use age::x25519::Identity;

use super::*;

/// Writes the file of a key, as `age-keygen` does; returns its name.
fn key_file(site: &Site, name: &str) -> (String, String) {
    let key = Identity::generate();
    let public = key.to_public().to_string();
    let secret = key.to_string();
    let text = format!("# public key: {public}\n{}\n", secret.expose_secret());
    std::fs::write(site.path(name), text).unwrap();
    (name.to_owned(), public)
}

async fn opens_for_its_key_alone(kind: Kind) {
    let site = Site::new(kind).await;
    site.must(&["seed-demo", "--leads", "40", "--subscribers", "2"]);
    let (ours, public) = key_file(&site, "ours.key");
    let (other, _) = key_file(&site, "other.key");
    // Whoever makes backups need not be able to read them.
    let made = site.run_with(&[("BACKUP_RECIPIENTS", &public)], &["backup", "--to", "backups"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let archive = site.path("backups").join(&names(&site.path("backups"))[0]);
    let bytes = std::fs::read(&archive).unwrap();
    assert!(bytes.windows(17).any(|part| part == b"age-encryption.or"), "it is age's");
    let archive = archive.to_str().unwrap();
    let verify = ["verify-backup", archive];

    let tried = site.run_with(&[("BACKUP_IDENTITY", &ours)], &verify);
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    for (env, word) in [
        (vec![("BACKUP_IDENTITY", other.as_str())], "another key"),
        (vec![("BACKUP_PASSPHRASE", "guessed")], "another key"),
        (vec![], "BACKUP_IDENTITY"),
    ] {
        let sentence = refused(&site.run_with(&env, &verify));
        assert!(sentence.contains(word), "{sentence}");
        // Of what is there nothing is touched, and no backup of it was needed.
        let sentence = refused(&site.run_with(&env, &["restore", archive, "--replace"]));
        assert!(sentence.contains(word), "{sentence}");
        assert!(!site.path("data/backups").exists());
    }
    let before = sums(&site.back_up());
    assert_eq!(before.iter().map(|sum| sum.rows).sum::<u64>(), 42);

    let copy = Site::new(kind).await;
    let env = [("BACKUP_IDENTITY", site.path(&ours))];
    let env = [(env[0].0, env[0].1.to_str().unwrap())];
    let restored = copy.run_with(&env, &["restore", archive]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(sums(&copy.back_up()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_a_backup_of_sqlite_and_no_other_does() {
    opens_for_its_key_alone(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_a_backup_of_postgres_and_no_other_does() {
    opens_for_its_key_alone(Kind::Postgres).await;
}

/// With a plain archive, anybody who can write to the bucket could plant rows, keys and accounts.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_encrypted_is_refused_where_backups_are() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "5", "--subscribers", "5"]);
    let (file, public) = key_file(&site, "ours.key");
    let plain = site.back_up();
    let plain = plain.to_str().unwrap();
    for env in [
        [("BACKUP_PASSPHRASE", "correct horse")],
        [("BACKUP_RECIPIENTS", public.as_str())],
        [("BACKUP_IDENTITY", file.as_str())],
    ] {
        for arguments in [
            &["verify-backup", plain][..],
            &["verify-backup", "--from", "backups"],
            &["restore", plain, "--replace"],
        ] {
            let sentence = refused(&site.run_with(&env, arguments));
            assert!(sentence.contains("not encrypted"), "{sentence}");
            assert!(sentence.contains("--allow-plain"), "{sentence}");
            assert!(!site.path("data/backups").exists(), "nothing was touched");
            let allowed = site.run_with(&env, &[arguments, &["--allow-plain"]].concat());
            assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
            let _ = std::fs::remove_dir_all(site.path("data/backups"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_locks_and_no_other_opens() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "5", "--subscribers", "5"]);
    let right = [("BACKUP_PASSPHRASE", "correct horse"), ("BACKUP_TO", "backups")];
    assert!(site.run_with(&right, &["backup"]).status.success());
    assert!(site.run_with(&right, &["verify-backup"]).status.success());
    let wrong = [("BACKUP_PASSPHRASE", "wrong horse"), ("BACKUP_TO", "backups")];
    let sentence = refused(&site.run_with(&wrong, &["verify-backup"]));
    assert!(sentence.contains("another key"), "{sentence}");
    let sentence = refused(&site.run(&["verify-backup", "--from", "backups"]));
    assert!(sentence.contains("BACKUP_PASSPHRASE"), "{sentence}");
}
