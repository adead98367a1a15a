//! The options as they are given.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};
use exit3_web::ClientIp;
use secrecy::SecretString;
use tracing_subscriber::filter::LevelFilter;

use super::addresses;
use super::telemetry::{LogFormat, MetricsBind};
use super::words::{self, Limit};
use crate::variables::{self, Variables};

/// Options of every command. Each may also come from the environment or from `.env`, under the name
/// in brackets.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub struct Arguments {
    /// The address to listen on
    #[arg(long, env = "HOST", default_value = "127.0.0.1", global = true)]
    pub host: String,
    /// The port to listen on; 0 takes a free one
    #[arg(long, env = "PORT", default_value_t = 8000, global = true)]
    pub port: u16,
    /// Threads that answer requests; one per core by default
    #[arg(long, env = "WORKERS", global = true, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// The directory of the embedded database and of the service's own secrets
    #[arg(long, env = "DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,
    /// The database: postgres://user:password@host:port/name, or sqlite:///path
    #[arg(long, env = "DATABASE_URL", global = true)]
    pub database_url: Option<SecretString>,
    /// A standby of the database that lists may come from: postgres://…
    #[arg(long, env = "DATABASE_REPLICA_URL", global = true)]
    pub database_replica_url: Option<SecretString>,
    /// The greatest age of lists from the standby: 2s, 500ms
    #[arg(long, env = "REPLICA_MAX_LAG", default_value = "2s", global = true, value_parser = words::lag)]
    pub replica_max_lag: Duration,
    /// The kind of database, in Django's words, if there is no URL
    #[arg(long, env = "DB_ENGINE", global = true)]
    pub db_engine: Option<String>,
    /// The name of the database, if there is no URL
    #[arg(long, env = "DB_NAME", global = true)]
    pub db_name: Option<String>,
    /// The user of the database, if there is no URL
    #[arg(long, env = "DB_USER", global = true)]
    pub db_user: Option<String>,
    /// The password of the database, unencoded, if the URL has none
    #[arg(long, env = "DB_PASSWORD", global = true)]
    pub db_password: Option<SecretString>,
    /// The host of the database, if there is no URL
    #[arg(long, env = "DB_HOST", global = true)]
    pub db_host: Option<String>,
    /// The port of the database, if there is no URL
    #[arg(long, env = "DB_PORT", global = true)]
    pub db_port: Option<u16>,
    /// The total number of connections to PostgreSQL
    #[arg(long, env = "DB_POOL_SIZE", default_value_t = 16, global = true, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub db_pool_size: u16,
    /// Milliseconds until the database counts as unavailable
    #[arg(long, env = "DB_TIMEOUT_MS", default_value_t = 1800, global = true, value_parser = clap::value_parser!(u32).range(100..=600_000))]
    pub db_timeout_ms: u32,
    /// Whether `serve` applies migrations, and other commands create a missing schema
    #[arg(long, env = "AUTO_MIGRATE", default_value = "true", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub auto_migrate: bool,
    /// With PostgreSQL, the directory where this node keeps new leads and sign-ups while the database is
    /// away; `spool` in DATA_DIR by default. Each node has its own
    #[arg(long, env = "SPOOL_DIR", global = true)]
    pub spool_dir: Option<PathBuf>,
    /// The largest size of the spool, in MiB. 0 turns the spool off
    #[arg(long, env = "SPOOL_MAX_MB", default_value_t = 256, global = true)]
    pub spool_max_mb: u32,
    /// Where clients' contract files are kept: a directory, or s3://bucket/prefix; `contracts` in
    /// DATA_DIR by default. If it is set but missing, uploads and backups fail
    #[arg(long, env = "CONTRACT_DIR", global = true)]
    pub contract_dir: Option<String>,
    /// The clamd that looks for viruses in new contract files: host:port, or the path of a socket
    #[arg(long, env = "CLAMD_ADDR", global = true)]
    pub clamd_addr: Option<String>,
    /// The target of backups: a directory, or s3://bucket/prefix
    #[arg(long, env = "BACKUP_TO", global = true)]
    pub backup_to: Option<String>,
    /// age public keys that backups are encrypted for
    #[arg(long, env = "BACKUP_RECIPIENTS", global = true)]
    pub backup_recipients: Option<String>,
    /// The file with the age secret key that decrypts backups
    #[arg(long, env = "BACKUP_IDENTITY", global = true)]
    pub backup_identity: Option<PathBuf>,
    /// A passphrase that encrypts and decrypts backups, instead of keys
    #[arg(long, env = "BACKUP_PASSPHRASE", global = true)]
    pub backup_passphrase: Option<SecretString>,
    /// Encrypts the cursors of lists, and keys the marks of canaries and of requests with an
    /// Idempotency-Key
    #[arg(long, env = "SECRET_KEY", global = true)]
    pub secret_key: Option<SecretString>,
    /// The API key with all rights
    #[arg(long, env = "BASIC_API_KEY", global = true)]
    pub basic_api_key: Option<SecretString>,
    /// Logs more, unless LOG_LEVEL is set
    #[arg(long, env = "DEBUG", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub debug: bool,
    /// Hosts that the service answers to, separated by commas: example.com, .example.com, *
    #[arg(long, env = "ALLOWED_HOSTS", default_value = "", global = true)]
    pub allowed_hosts: String,
    /// Origins whose pages may call the API, separated by commas
    #[arg(long, env = "CORS_ALLOWED_ORIGINS", default_value = "", global = true)]
    pub cors_allowed_origins: String,
    /// Whether these pages may send cookies and other credentials
    #[arg(long, env = "CORS_ALLOW_CREDENTIALS", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub cors_allow_credentials: bool,
    /// Proxies whose forwarding headers are trusted: addresses and networks, separated by commas
    #[arg(long, env = "TRUSTED_PROXIES", default_value = "", global = true)]
    pub trusted_proxies: String,
    /// Whether trusted proxies send the host in X-Forwarded-Host
    #[arg(long, env = "USE_X_FORWARDED_HOST", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub use_x_forwarded_host: bool,
    /// Redirects plain HTTP to HTTPS
    #[arg(long, env = "SECURE_SSL_REDIRECT", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub secure_ssl_redirect: bool,
    /// Seconds of Strict-Transport-Security; 0 sends no header
    #[arg(long, env = "SECURE_HSTS_SECONDS", default_value_t = 0, global = true)]
    pub secure_hsts_seconds: u64,
    /// Whether Strict-Transport-Security includes subdomains
    #[arg(long, env = "SECURE_HSTS_INCLUDE_SUBDOMAINS", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub secure_hsts_include_subdomains: bool,
    /// Whether browsers may preload Strict-Transport-Security
    #[arg(long, env = "SECURE_HSTS_PRELOAD", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub secure_hsts_preload: bool,
    /// A certificate in PEM, to serve TLS without a proxy
    #[arg(long, env = "TLS_CERT", global = true)]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key in PEM
    #[arg(long, env = "TLS_KEY", global = true)]
    pub tls_key: Option<PathBuf>,
    /// The most connections at a time; as many as the system has files for, up to 20000, by default
    #[arg(long, env = "MAX_CONNECTIONS", global = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: Option<u32>,
    /// Requests per visitor to the API: N/second, minute, hour or day, or off
    #[arg(long, env = "RATE_LIMIT_ANON", default_value = "100/hour", global = true, value_parser = words::limit)]
    pub rate_limit_anon: Limit,
    /// Requests per key
    #[arg(long, env = "RATE_LIMIT_USER", default_value = "1000/hour", global = true, value_parser = words::limit)]
    pub rate_limit_user: Limit,
    /// Leads created per visitor
    #[arg(long, env = "RATE_LIMIT_LEAD_CREATE", default_value = "10/hour", global = true, value_parser = words::limit)]
    pub rate_limit_lead_create: Limit,
    /// Subscriptions created per visitor
    #[arg(long, env = "RATE_LIMIT_NEWSLETTER_CREATE", default_value = "10/hour", global = true, value_parser = words::limit)]
    pub rate_limit_newsletter_create: Limit,
    /// Requests per address to any path, against floods; 100/second by default, and off if
    /// RATE_LIMIT_ANON is off
    #[arg(long, env = "RATE_LIMIT_FLOOD", global = true, value_parser = words::limit)]
    pub rate_limit_flood: Option<Limit>,
    /// A Redis that counts for all nodes: redis://:password@host:6379/0
    #[arg(long, env = "REDIS_URL", global = true)]
    pub redis_url: Option<SecretString>,
    /// The password of Redis, unencoded, if the URL has none
    #[arg(long, env = "REDIS_PASSWORD", global = true)]
    pub redis_password: Option<SecretString>,
    /// Whether dangerous settings stop the start
    #[arg(long, env = "PRODUCTION", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub production: bool,
    /// The lowest level that is logged: DEBUG, INFO, WARNING, ERROR
    #[arg(long, env = "LOG_LEVEL", global = true, value_parser = words::level)]
    pub log_level: Option<LevelFilter>,
    /// The format of log lines: json (one object per line) or pretty; json in production by default
    #[arg(long, env = "LOG_FORMAT", global = true, value_parser = words::log_format)]
    pub log_format: Option<LogFormat>,
    /// The directory of log files, in addition to standard output: five of 10 MiB
    #[arg(long, env = "LOG_DIR", global = true)]
    pub log_dir: Option<PathBuf>,
    /// How much of clients' addresses is logged: full, truncated or off
    #[arg(long, env = "LOG_CLIENT_IP", default_value = "truncated", global = true, value_parser = words::client_ip)]
    pub log_client_ip: ClientIp,
    /// Where metrics are served to Prometheus: address:port, or off; at 127.0.0.1:9464 by default,
    /// if that is free
    #[arg(long, env = "METRICS_BIND", global = true, value_parser = addresses::metrics_bind)]
    pub metrics_bind: Option<MetricsBind>,
    /// A collector for traces and metrics (OTLP over HTTP): http://localhost:4318
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
    /// Where errors are reported: https://key@host/project
    #[arg(long, env = "SENTRY_DSN", global = true)]
    pub sentry_dsn: Option<SecretString>,
    /// The name of the environment in Sentry
    #[arg(long, env = "SENTRY_ENVIRONMENT", global = true)]
    pub sentry_environment: Option<String>,
    /// The name of the release in Sentry; the version by default
    #[arg(long, env = "SENTRY_RELEASE", global = true)]
    pub sentry_release: Option<String>,
    /// The fraction of requests whose traces are sent to Sentry as well, from 0 to 1
    #[arg(long, env = "SENTRY_TRACES_SAMPLE_RATE", default_value = "0", global = true, value_parser = words::part)]
    pub sentry_traces_sample_rate: f32,
    /// A file with more domains of disposable addresses, one per line
    #[arg(long, env = "DISPOSABLE_DOMAINS_FILE", global = true)]
    pub disposable_domains_file: Option<PathBuf>,
    /// The date on which the paths without a version will be removed
    #[arg(long, env = "API_SUNSET", global = true, value_parser = words::date)]
    pub api_sunset: Option<DateTime<Utc>>,
    /// The number of days for which the service keeps the events of changes
    #[arg(long, env = "EVENTS_KEEP", default_value_t = 730, global = true, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub events_keep: u32,
    /// The public address of the endpoint that creates leads, where the service sends a canary every
    /// five minutes: https://api.example.com/backend/api/v1/leads/
    #[arg(long, env = "CANARY_URL", global = true)]
    pub canary_url: Option<String>,
    /// The address of a dead-man's switch, which gets a GET for each canary that has arrived
    #[arg(long, env = "CANARY_PING_URL", global = true)]
    pub canary_ping_url: Option<SecretString>,
    /// Whether the back office is served
    #[arg(long, env = "ADMIN_ENABLED", default_value = "true", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub admin_enabled: bool,
    /// Who may reach the back office: addresses and networks, separated by commas; everybody by
    /// default
    #[arg(long, env = "ADMIN_ALLOWED_NETWORKS", default_value = "", global = true)]
    pub admin_allowed_networks: String,
    /// Hours without a request after which a sign-in ends
    #[arg(long, env = "ADMIN_IDLE_HOURS", default_value_t = 12, global = true, value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub admin_idle_hours: u32,
    /// Days after which a sign-in ends in any case
    #[arg(long, env = "ADMIN_LONGEST_DAYS", default_value_t = 14, global = true, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub admin_longest_days: u32,
    /// The mail server; without it, the service sends no mails
    #[arg(long, env = "EMAIL_HOST", global = true)]
    pub email_host: Option<String>,
    /// The port of the mail server: usually 587 with EMAIL_USE_TLS, and 465 with EMAIL_USE_SSL
    #[arg(long, env = "EMAIL_PORT", default_value_t = 25, global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub email_port: u16,
    /// The user at the mail server, if it wants one
    #[arg(long, env = "EMAIL_HOST_USER", global = true)]
    pub email_host_user: Option<String>,
    /// The password at the mail server
    #[arg(long, env = "EMAIL_HOST_PASSWORD", global = true)]
    pub email_host_password: Option<SecretString>,
    /// Whether the connection to the mail server is encrypted with STARTTLS
    #[arg(long, env = "EMAIL_USE_TLS", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub email_use_tls: bool,
    /// Whether the connection to the mail server is encrypted from the beginning
    #[arg(long, env = "EMAIL_USE_SSL", default_value = "false", global = true, value_parser = words::boolean, action = clap::ArgAction::Set)]
    pub email_use_ssl: bool,
    /// The sender of mails: leads@example.com, or Exit Three <leads@example.com>
    #[arg(long, env = "DEFAULT_FROM_EMAIL", global = true)]
    pub default_from_email: Option<String>,
    /// Who gets alarms: addresses separated by commas; the active owners by default
    #[arg(long, env = "ALARM_TO", global = true)]
    pub alarm_to: Option<String>,
    /// The names of the settings that were given in any source
    #[arg(skip)]
    pub given: Vec<String>,
    /// The variables of the environment and of `.env`
    #[arg(skip)]
    pub(crate) variables: Variables,
}

/// The settings among the options of `command`: the names of each option and of its variable.
pub(crate) fn names(command: &Command) -> Vec<(String, String)> {
    let names = command.get_arguments().filter_map(|argument| {
        let name = argument.get_env()?.to_str()?;
        Some((argument.get_long()?.to_owned(), name.to_owned()))
    });
    names.collect()
}

/// The names of the settings that are given on the command line or in `variables`.
pub(crate) fn given(
    settings: &[(String, String)],
    matches: &ArgMatches,
    variables: &Variables,
) -> Vec<String> {
    let names = settings.iter().filter(|(option, name)| {
        let source = matches.value_source(&option.replace('-', "_"));
        source == Some(ValueSource::CommandLine) || variables.get(name).is_some()
    });
    names.map(|(_, name)| name.clone()).collect()
}

/// Uses `variables` for options that the command line does not have.
///
/// # Errors
/// One sentence about a value that no setting can have.
pub(crate) fn fill_in(command: Command, variables: &Variables) -> Result<Command, String> {
    for (_, name) in names(&command) {
        variables::check(&name, variables.get(&name).unwrap_or_default())?;
    }
    Ok(command.mut_args(|arg| {
        let Some(name) = arg.get_env().map(|name| name.to_string_lossy().into_owned()) else {
            return arg;
        };
        let arg = arg.hide_env_values(true);
        // clap would read the untrimmed value from the environment first.
        let is_tidy = |text: &str| variables::trim(text) == text && !text.is_empty();
        let arg = match std::env::var_os(&name) {
            Some(value) if !value.to_str().is_none_or(is_tidy) => arg.env(None::<&str>),
            _ => arg,
        };
        match variables.get(&name) {
            Some(value) => arg.default_value(value.to_owned()).hide_default_value(true),
            None => arg,
        }
    }))
}
