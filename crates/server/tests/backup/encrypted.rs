//! Archives that only the holder of a key can read.

use age::secrecy::ExposeSecret;
use age::x25519::Identity;

use super::*;

/// Writes a key file like `age-keygen`; returns its name and the public key.
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
    // Making backups does not require the secret key.
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
        // The existing data was not touched, so no backup of it was needed.
        let sentence = refused(&site.run_with(&env, &["restore", archive, "--replace"]));
        assert!(sentence.contains(word), "{sentence}");
        assert!(!site.path("data/backups").exists());
    }
    let before = sums(&site.back_up());
    assert_eq!(before.iter().map(|sum| sum.rows).sum::<u64>(), 84, "with an event for each");

    let copy = Site::new(kind).await;
    let env = [("BACKUP_IDENTITY", site.path(&ours))];
    let env = [(env[0].0, env[0].1.to_str().unwrap())];
    let restored = copy.run_with(&env, &["restore", archive]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(sums(&copy.back_up()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_key_opens_a_backup_of_sqlite() {
    opens_for_its_key_alone(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_key_opens_a_backup_of_postgres() {
    opens_for_its_key_alone(Kind::Postgres).await;
}

/// Otherwise anybody with write access to the bucket could plant rows, keys and accounts.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_archive_is_refused_if_backups_are_encrypted() {
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
            assert!(!site.path("data/backups").exists(), "nothing was changed");
            let allowed = site.run_with(&env, &[arguments, &["--allow-plain"]].concat());
            assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
            let _ = std::fs::remove_dir_all(site.path("data/backups"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_passphrase_opens_a_backup() {
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
