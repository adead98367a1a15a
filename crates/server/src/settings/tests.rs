use std::collections::HashMap;

use clap::Parser;
use secrecy::ExposeSecret;

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(env: &[(&str, &str)]) -> Result<Arguments, clap::Error> {
    use clap::{CommandFactory, FromArgMatches};
    let variables: HashMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let matches = fill_in(Cli::command(), &variables).try_get_matches_from(["exit3"])?;
    Cli::from_arg_matches(&matches).map(|cli| cli.arguments)
}

fn check(env: &[(&str, &str)]) -> Result<(Settings, Secrets), SettingsError> {
    let arguments = arguments(env).unwrap();
    let settings = Settings::check(&arguments)?;
    let secrets = Secrets::check(&settings, &arguments)?;
    Ok((settings, secrets))
}

fn problem(env: &[(&str, &str)]) -> String {
    match check(env) {
        Ok(_) => panic!("the settings were accepted"),
        Err(error) => error.to_string(),
    }
}

const POSTGRES: (&str, &str) = ("DATABASE_URL", "postgres://ana:hunter2@db:5433/leads");

#[test]
fn nothing_configured_serves_the_embedded_database_on_loopback() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (settings, secrets) = check(&[("DATA_DIR", data.to_str().unwrap())]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8000");
    assert!(settings.database.is_embedded());
    assert!(secrets.api_key_is_new);
    assert!(settings.auto_migrate);
    let (_, again) = check(&[("DATA_DIR", data.to_str().unwrap())]).unwrap();
    assert!(!again.api_key_is_new);
    assert_eq!(again.api_key.expose_secret(), secrets.api_key.expose_secret());
}

#[test]
fn a_django_env_starts_the_service() {
    let (settings, secrets) = check(&[
        ("SECRET_KEY", "django-insecure-x8f$#jq"),
        ("BASIC_API_KEY", "peer-key"),
        ("DEBUG", "False"),
        ("ALLOWED_HOSTS", "exit3.agency, .exit3.agency"),
        ("DB_ENGINE", "django.db.backends.postgresql"),
        ("DB_NAME", "leads"),
        ("DB_USER", "ana"),
        ("DB_PASSWORD", "p@ss:/word"),
        ("DB_HOST", "db"),
        ("DB_PORT", ""),
        ("CORS_ALLOWED_ORIGINS", "https://exit3.agency"),
        ("LOG_LEVEL", "WARNING"),
    ])
    .unwrap();
    assert!(!settings.database.is_embedded());
    assert_eq!(settings.allowed_hosts, ["exit3.agency", ".exit3.agency"]);
    assert_eq!(settings.log_level, LevelFilter::WARN);
    assert!(!secrets.api_key_is_new);
}

#[test]
fn a_database_of_its_own_asks_for_secrets() {
    let key = ("BASIC_API_KEY", "peer-key");
    let secret = ("SECRET_KEY", "kQ3x");
    assert!(check(&[POSTGRES, key, secret]).is_ok());
    assert!(problem(&[POSTGRES, key]).starts_with("SECRET_KEY is missing"));
    assert!(problem(&[POSTGRES, secret]).starts_with("BASIC_API_KEY is missing"));
    let placeholder = ("BASIC_API_KEY", "change-me");
    assert!(
        problem(&[POSTGRES, secret, placeholder]).starts_with("BASIC_API_KEY is a placeholder")
    );
}

#[test]
fn a_wrong_setting_is_told_in_one_sentence_that_names_it() {
    for (name, value) in [
        ("HOST", "nowhere"),
        ("DATABASE_URL", "mysql://ana:hunter2@db/leads"),
        ("DATABASE_URL", "postgres://ana:hunter2@db:no/leads"),
        ("DB_ENGINE", "django.db.backends.mysql"),
        ("CORS_ALLOWED_ORIGINS", "exit3.agency"),
        ("DISPOSABLE_DOMAINS_FILE", "/nowhere/at/all"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = ("DATA_DIR", directory.path().to_str().unwrap());
        let sentence = problem(&[data_dir, (name, value)]);
        assert!(sentence.starts_with(name), "{sentence}");
        assert!(!sentence.contains('\n') && !sentence.contains("hunter2"), "{sentence}");
    }
    for (name, value) in [
        ("PORT", "eighty"),
        ("DEBUG", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("AUTO_MIGRATE", "perhaps"),
        ("DB_POOL_SIZE", "0"),
        ("API_SUNSET", "soon"),
    ] {
        let error = arguments(&[(name, value)]).unwrap_err().to_string();
        assert!(error.lines().next().unwrap().contains(name), "{error}");
    }
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let arguments = arguments(&[POSTGRES, ("BASIC_API_KEY", "hunter2")]).unwrap();
    assert!(!format!("{arguments:?}").contains("hunter2"));
}
