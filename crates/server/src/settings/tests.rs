use clap::{CommandFactory, Parser};
use secrecy::ExposeSecret;
use tracing_subscriber::filter::LevelFilter;

use super::*;
use crate::variables::Variables;

mod deploy;
mod values;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(env: &[(&str, &str)]) -> Result<Arguments, clap::Error> {
    use clap::FromArgMatches;
    let variables = Variables::of(env, "");
    let matches = fill_in(Cli::command(), &variables).unwrap().try_get_matches_from(["exit3"])?;
    let mut arguments = Cli::from_arg_matches(&matches).map(|cli| cli.arguments)?;
    arguments.variables = variables;
    Ok(arguments)
}

fn check(env: &[(&str, &str)]) -> Result<(Settings, Secrets), SettingsError> {
    let arguments = arguments(env).unwrap();
    let settings = Settings::check(&arguments)?;
    let secrets = Secrets::check(&settings, &arguments)?;
    Ok((settings, secrets))
}

/// The settings that these variables result in, without secrets.
pub(crate) fn settings_of(env: &[(&str, &str)]) -> Settings {
    Settings::check(&arguments(env).unwrap()).unwrap()
}

pub(crate) fn problem(env: &[(&str, &str)]) -> String {
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
    let hosts = ["exit3.agency", ".exit3.agency"].map(str::to_owned);
    assert_eq!(settings.site.allowed_hosts, AllowedHosts::new(hosts));
    assert_eq!(settings.telemetry.level, LevelFilter::WARN);
    assert!(!secrets.api_key_is_new);
}

#[test]
fn a_separate_database_requires_secrets() {
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
fn a_wrong_setting_is_reported_in_one_sentence_that_names_it() {
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
        ("LOG_FORMAT", "xml"),
        ("LOG_CLIENT_IP", "some"),
        ("METRICS_BIND", "9464"),
        ("SENTRY_TRACES_SAMPLE_RATE", "2"),
        ("AUTO_MIGRATE", "perhaps"),
        ("DB_POOL_SIZE", "0"),
        ("API_SUNSET", "soon"),
        ("EVENTS_KEEP", "0"),
        ("EVENTS_KEEP", "-1"),
        ("EVENTS_KEEP", "36501"),
        ("EVENTS_KEEP", "4294967297"),
        ("EVENTS_KEEP", "2y"),
        ("EVENTS_KEEP", "1.5"),
        ("ADMIN_ENABLED", "perhaps"),
        ("ADMIN_IDLE_HOURS", "0"),
        ("ADMIN_LONGEST_DAYS", "366"),
        ("EMAIL_PORT", "0"),
        ("EMAIL_USE_TLS", "perhaps"),
    ] {
        let error = arguments(&[(name, value)]).unwrap_err().to_string();
        assert!(error.lines().next().unwrap().contains(name), "{error}");
    }
}

#[test]
fn events_are_kept_for_a_day_to_a_century() {
    let keep = |env: &[(&str, &str)]| arguments(env).unwrap().events_keep;
    assert_eq!(keep(&[]), 730);
    for (value, days) in [("1", 1), ("730", 730), ("36500", 36_500)] {
        assert_eq!(keep(&[("EVENTS_KEEP", value)]), days);
    }
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let arguments = arguments(&[POSTGRES, ("BASIC_API_KEY", "hunter2")]).unwrap();
    assert!(!format!("{arguments:?}").contains("hunter2"));
}

#[test]
fn the_limits_are_those_of_the_replaced_service() {
    let (settings, _) = check(&[POSTGRES, KEY, SECRET]).unwrap();
    let shown = |rate: Option<Rate>| rate.map(|rate| rate.to_string()).unwrap_or_default();
    let limits = settings.limits;
    assert_eq!(shown(limits.visitor), "100/hour");
    assert_eq!(shown(limits.key), "1000/hour");
    assert_eq!(shown(limits.lead_create), "10/hour");
    assert_eq!(shown(limits.newsletter_create), "10/hour");
    assert_eq!(shown(settings.flood), "100/second");
    let (settings, _) = check(&[POSTGRES, KEY, SECRET, ("RATE_LIMIT_ANON", "off")]).unwrap();
    assert_eq!((settings.limits.visitor, settings.flood), (None, None));
    let guarded = [POSTGRES, KEY, SECRET, ("RATE_LIMIT_ANON", "off"), ("RATE_LIMIT_FLOOD", "5/s")];
    assert_eq!(shown(check(&guarded).unwrap().0.flood), "5/second");
}

#[test]
fn contradictory_settings_are_refused() {
    for (env, variable) in [
        (("TLS_CERT", "cert.pem"), "TLS_KEY"),
        (("TLS_KEY", "key.pem"), "TLS_CERT"),
        (("SECURE_SSL_REDIRECT", "true"), "SECURE_SSL_REDIRECT"),
        (("TRUSTED_PROXIES", "nginx"), "TRUSTED_PROXIES"),
        (("ADMIN_ALLOWED_NETWORKS", "10.0.0.0/33"), "ADMIN_ALLOWED_NETWORKS"),
        (("REDIS_URL", "hunter2"), "REDIS_URL"),
        (("SENTRY_DSN", "hunter2"), "SENTRY_DSN"),
        (("OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2:4318"), "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (("LOG_DIR", "/dev/null/logs"), "LOG_DIR cannot be used: /dev/null/logs: "),
        (("BACKUP_TO", "ftp://hunter2@backups"), "BACKUP_TO"),
        (("BACKUP_TO", "s3://"), "BACKUP_TO"),
    ] {
        let problem = problem(&[POSTGRES, KEY, SECRET, env]);
        assert!(problem.starts_with(variable) && !problem.contains("hunter2"), "{problem}");
    }
    let problem = problem(&[("DATA_DIR", "/dev/null/data")]);
    assert!(problem.starts_with("DATA_DIR cannot be used: /dev/null/data: "), "{problem}");
}

const KEY: (&str, &str) = ("BASIC_API_KEY", "nYkq0vWqPz3bXcT8sRfHjLmE5uG7dA2w");
const SECRET: (&str, &str) = ("SECRET_KEY", "wA2dG7uE5mLjHfRs8TcXb3zPqWv0qkYn");
