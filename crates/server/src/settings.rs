//! Settings: options of the command line, each with the replaced service's name in the environment.
//! The command line takes precedence, then the environment, then `.env`.

mod addresses;
mod admin;
mod arguments;
mod backup;
mod canary;
mod contracts;
mod database;
mod deploy;
mod mail;
mod otel;
mod spool;
mod telemetry;
pub(crate) mod words;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use exit3_app::quotas::Limits;
use exit3_domain::email::DisposableDomains;
use exit3_domain::quotas::{Period, Rate};
use exit3_http::Resources;
use exit3_ports::ContractScanner;
use exit3_quotas::SharedQuotas;
use exit3_web::{AllowedHosts, CorsSettings, Hsts, Site, TrustedProxies};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use admin::AdminSettings;
pub use arguments::Arguments;
pub(crate) use arguments::{fill_in, given, names};
pub use backup::BackupSettings;
pub use canary::CanarySettings;
pub use database::DatabaseSettings;
pub use deploy::{Finding, findings};
pub use mail::MailSettings;
pub use otel::{Export, OtelSettings, Queue, Sampling};
pub use spool::SpoolSettings;
pub(crate) use telemetry::{LOG_FILE, log_file};
pub use telemetry::{LogFormat, MetricsBind, SentrySettings, TelemetrySettings};
pub use words::Limit;

use crate::module::Configured;
use crate::{secrets, variables};
pub use exit3_connections::TlsFiles;

/// A setting that cannot be used, as one sentence that names the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct SettingsError {
    variable: &'static str,
    problem: String,
}

impl SettingsError {
    pub(crate) fn new(variable: &'static str, problem: impl Into<String>) -> Self {
        Self { variable, problem: problem.into() }
    }

    /// The problem without the name, because the value may be from an option.
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }
}

/// Checked settings of the service.
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The number of threads that answer requests.
    pub workers: usize,
    /// The directory of the embedded database and of the service's own secrets.
    pub data_dir: PathBuf,
    /// The database.
    pub database: DatabaseSettings,
    /// Where this node keeps what its database cannot take now.
    pub spool: Option<SpoolSettings>,
    /// The target and the encryption of backups.
    pub backup: BackupSettings,
    /// What looks for viruses in new contract files.
    pub scanner: Option<Arc<dyn ContractScanner>>,
    /// Whether migrations are applied at the start.
    pub auto_migrate: bool,
    /// How clients reach the service.
    pub site: Site,
    /// Which origins may call the API from a browser.
    pub cors: CorsSettings,
    /// The certificate and its key, if the service itself uses TLS.
    pub tls: Option<TlsFiles>,
    /// The most connections at a time; `None` leaves that to the system.
    pub max_connections: Option<usize>,
    /// The rate limits of the API.
    pub limits: Limits,
    /// The rate limit of a single address for all paths; `None` means unlimited.
    pub flood: Option<Rate>,
    /// The Redis that counts for all nodes.
    pub redis_url: Option<SecretString>,
    /// Logs, metrics, traces and error reports.
    pub telemetry: TelemetrySettings,
    /// Domains of disposable addresses.
    pub disposable: DisposableDomains,
    /// When the paths without a version will be removed.
    pub sunset: Option<DateTime<Utc>>,
    /// Where canaries are sent, if they are.
    pub canary: Option<CanarySettings>,
    /// How many days events are kept.
    pub events_keep: u32,
    /// Mails.
    pub mail: MailSettings,
    /// The back office.
    pub admin: AdminSettings,
    /// The modules.
    pub(crate) modules: Arc<[Configured]>,
    /// The resources of the API, with those of modules.
    pub(crate) resources: Resources,
    /// Warnings about the settings: those that are not followed, and those without effect.
    pub notes: Vec<String>,
}

/// The secrets of the service.
pub struct Secrets {
    /// Encrypts the cursors of lists, and keys the marks of canaries and of requests that may come twice.
    pub secret_key: SecretString,
    /// The API key with all rights.
    pub api_key: SecretString,
    /// Whether the key was just generated, so that nobody knows it yet.
    pub api_key_is_new: bool,
    /// Whether the data directory has secrets of an earlier start.
    pub started_before: bool,
}

impl Secrets {
    /// Takes the secrets from the settings. With the embedded database they may also come from the
    /// data directory, where the first start generates them.
    ///
    /// # Errors
    /// One sentence about a missing secret or a placeholder.
    pub fn check(settings: &Settings, arguments: &Arguments) -> Result<Self, SettingsError> {
        let kept = |file: &str| settings.data_dir.join(file).exists();
        let started_before = kept("secret_key") || kept("api_key");
        let (secret_key, _) = secret(settings, "SECRET_KEY", "secret_key", &arguments.secret_key)?;
        let (api_key, api_key_is_new) =
            secret(settings, "BASIC_API_KEY", "api_key", &arguments.basic_api_key)?;
        Ok(Self { secret_key, api_key, api_key_is_new, started_before })
    }

    /// Checks that [`Self::check`] would succeed, without generating secrets.
    ///
    /// # Errors
    /// Those of [`Self::check`].
    pub(crate) fn look(settings: &Settings, arguments: &Arguments) -> Result<(), SettingsError> {
        given_secret(settings, "SECRET_KEY", &arguments.secret_key)?;
        given_secret(settings, "BASIC_API_KEY", &arguments.basic_api_key).map(drop)
    }
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// One sentence about the first setting that cannot be used.
    pub fn check(arguments: &Arguments) -> Result<Self, SettingsError> {
        let database = DatabaseSettings::check(arguments)?;
        if database.is_embedded() {
            secrets::look_at_directory(&arguments.data_dir).map_err(|error| {
                let path = arguments.data_dir.display();
                SettingsError::new("DATA_DIR", format!("cannot be used: {path}: {error}"))
            })?;
        }
        let (telemetry, not_followed) = TelemetrySettings::check(arguments)?;
        let mut notes = arguments.variables.notes.clone();
        let mut settings = Self {
            listen: address(arguments)?,
            workers: arguments.workers.map_or_else(cores, usize::from),
            data_dir: arguments.data_dir.clone(),
            spool: SpoolSettings::of(arguments, &database),
            database,
            backup: BackupSettings::check(arguments)?,
            scanner: contracts::scanner(arguments)?,
            auto_migrate: arguments.auto_migrate,
            site: site(arguments)?,
            cors: CorsSettings {
                origins: addresses::origins(&arguments.cors_allowed_origins)?,
                credentials: arguments.cors_allow_credentials,
            },
            tls: tls(arguments)?,
            max_connections: arguments.max_connections.and_then(|most| most.try_into().ok()),
            limits: Limits {
                visitor: arguments.rate_limit_anon.0,
                key: arguments.rate_limit_user.0,
                lead_create: arguments.rate_limit_lead_create.0,
                newsletter_create: arguments.rate_limit_newsletter_create.0,
            },
            flood: flood(arguments),
            redis_url: redis_url(arguments)?,
            telemetry,
            disposable: disposable(arguments.disposable_domains_file.as_ref())?,
            sunset: arguments.api_sunset,
            canary: CanarySettings::check(arguments)?,
            events_keep: arguments.events_keep,
            mail: MailSettings::check(arguments, &mut notes)?,
            admin: AdminSettings::check(arguments)?,
            modules: Arc::default(),
            resources: exit3_http::OWN,
            notes: Vec::new(),
        };
        settings.notes = notes;
        settings.notes.extend(not_followed);
        let useless = deploy::without_effect(arguments, &settings);
        settings.notes.extend(useless.into_iter().map(|finding| finding.to_string()));
        Ok(settings)
    }
}

/// The address to listen on.
///
/// # Errors
/// One sentence, if HOST is not an address.
pub fn address(arguments: &Arguments) -> Result<SocketAddr, SettingsError> {
    Ok(SocketAddr::new(addresses::host(&arguments.host)?, arguments.port))
}

fn site(arguments: &Arguments) -> Result<Site, SettingsError> {
    let hosts = addresses::hosts(&arguments.allowed_hosts)?;
    if arguments.secure_ssl_redirect && (hosts.is_empty() || hosts.iter().any(|host| host == "*")) {
        return Err(SettingsError::new(
            "SECURE_SSL_REDIRECT",
            "would redirect clients to any host: list the allowed ones in ALLOWED_HOSTS",
        ));
    }
    let hsts = Hsts {
        seconds: arguments.secure_hsts_seconds,
        include_subdomains: arguments.secure_hsts_include_subdomains,
        preload: arguments.secure_hsts_preload,
    };
    Ok(Site {
        allowed_hosts: AllowedHosts::new(hosts),
        trusted_proxies: TrustedProxies::new(addresses::networks(
            "TRUSTED_PROXIES",
            &arguments.trusted_proxies,
        )?),
        use_forwarded_host: arguments.use_x_forwarded_host,
        ssl_redirect: arguments.secure_ssl_redirect,
        hsts: (hsts.seconds > 0).then_some(hsts),
        // The API sets its own.
        probes: None,
    })
}

fn tls(arguments: &Arguments) -> Result<Option<TlsFiles>, SettingsError> {
    match (&arguments.tls_cert, &arguments.tls_key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert: cert.clone(), key: key.clone() })),
        (Some(_), None) => Err(SettingsError::new("TLS_KEY", "is missing, but TLS_CERT is set")),
        (None, Some(_)) => Err(SettingsError::new("TLS_CERT", "is missing, but TLS_KEY is set")),
    }
}

/// The URL of Redis, including its password.
fn redis_url(arguments: &Arguments) -> Result<Option<SecretString>, SettingsError> {
    let Some(url) = &arguments.redis_url else { return Ok(None) };
    let wrong = |problem: String| SettingsError::new("REDIS_URL", problem);
    if url.expose_secret().starts_with("rediss:") {
        return Err(wrong("asks for TLS, which the service does not support for Redis".to_owned()));
    }
    SharedQuotas::check(url).map_err(|error| {
        wrong(format!(
            "is {error}; percent-encode the password (/ is %2F), or set it unencoded in \
             REDIS_PASSWORD"
        ))
    })?;
    Ok(Some(match &arguments.redis_password {
        Some(password) => with_password(url.expose_secret(), password.expose_secret()).into(),
        None => url.clone(),
    }))
}

/// Adds the password to a Redis URL that has none.
fn with_password(url: &str, password: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.to_owned() };
    let is_socket = parsed.host_str().is_none_or(str::is_empty);
    let has_one = match is_socket {
        true => parsed.query_pairs().any(|(name, _)| name == "pass"),
        false => parsed.password().is_some_and(|password| !password.is_empty()),
    };
    if has_one {
        return url.to_owned();
    }
    if is_socket {
        parsed.query_pairs_mut().append_pair("pass", password);
    } else {
        // The library would keep a percent sign unencoded.
        let encoded = utf8_percent_encode(password, NON_ALPHANUMERIC).to_string();
        // Fails only for a URL without a host.
        let _ = parsed.set_password(Some(&encoded));
    }
    parsed.into()
}

/// Turning off the limits of visitors, for example for a benchmark, turns off the flood guard as
/// well.
fn flood(arguments: &Arguments) -> Option<Rate> {
    match arguments.rate_limit_flood {
        Some(limit) => limit.0,
        None => arguments.rate_limit_anon.0.map(|_| Rate { limit: 100, period: Period::Second }),
    }
}

/// One thread per core; more only get in each other's way.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn disposable(file: Option<&PathBuf>) -> Result<DisposableDomains, SettingsError> {
    let mut domains = DisposableDomains::default();
    if let Some(file) = file {
        let list = fs::read_to_string(file).map_err(|error| {
            let problem = format!("cannot be read: {}: {error}", file.display());
            SettingsError::new("DISPOSABLE_DOMAINS_FILE", problem)
        })?;
        domains.add_list(variables::trim(&list));
    }
    Ok(domains)
}

/// A secret, and whether it was just generated.
fn secret(
    settings: &Settings,
    variable: &'static str,
    file: &str,
    given: &Option<SecretString>,
) -> Result<(SecretString, bool), SettingsError> {
    if let Some(secret) = given_secret(settings, variable, given)? {
        return Ok((secret, false));
    }
    let kept = secrets::keep(&settings.data_dir, file).map_err(|error| {
        let path = settings.data_dir.join(file);
        SettingsError::new(variable, format!("cannot be kept in {}: {error}", path.display()))
    })?;
    Ok((kept.secret, kept.is_new))
}

/// The secret in the settings; `None` if the service keeps its own.
fn given_secret(
    settings: &Settings,
    variable: &'static str,
    given: &Option<SecretString>,
) -> Result<Option<SecretString>, SettingsError> {
    let embedded = settings.database.is_embedded();
    match given {
        Some(secret) if !embedded && words::is_placeholder(secret) => {
            Err(SettingsError::new(variable, "is a placeholder: set it to a long random text"))
        }
        None if !embedded => {
            Err(SettingsError::new(variable, "is missing: set it to a long random text"))
        }
        given => Ok(given.clone()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
