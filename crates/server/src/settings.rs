//! Settings: options of the command line, each with the environment name that
//! the replaced service has for it. The command line comes first, then the
//! environment, then `.env`.

mod addresses;
mod arguments;
mod backup;
mod database;
mod deploy;
mod otel;
mod telemetry;
pub(crate) mod words;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use exit3_app::quotas::Limits;
use exit3_domain::email::DisposableDomains;
use exit3_domain::quotas::{Period, Rate};
use exit3_quotas::SharedQuotas;
use exit3_web::{AllowedHosts, CorsSettings, Hsts, Site, TrustedProxies};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use arguments::Arguments;
pub(crate) use arguments::{fill_in, given, names};
pub use backup::BackupSettings;
pub use database::DatabaseSettings;
pub use deploy::{Finding, findings};
pub use otel::{Export, OtelSettings, Queue, Sampling};
pub(crate) use telemetry::{LOG_FILE, log_file};
pub use telemetry::{LogFormat, MetricsBind, SentrySettings, TelemetrySettings};
pub use words::Limit;

pub use crate::connections::tls::TlsFiles;
use crate::{secrets, variables};

/// A setting that cannot be used: one sentence that names the variable.
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

    /// What is wrong, without the name: the value may be of an option.
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }
}

/// Checked settings of the service.
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Threads that answer requests.
    pub workers: usize,
    /// Where the embedded database and the service's own secrets are kept.
    pub data_dir: PathBuf,
    /// Which database.
    pub database: DatabaseSettings,
    /// Where backups go, and how they are locked.
    pub backup: BackupSettings,
    /// Whether migrations run at start.
    pub auto_migrate: bool,
    /// How clients reach the service.
    pub site: Site,
    /// Which pages may call the API.
    pub cors: CorsSettings,
    /// Where the certificate is, where the service encrypts by itself.
    pub tls: Option<TlsFiles>,
    /// Connections at a time, where that is not left to the system.
    pub max_connections: Option<usize>,
    /// The settings of rate limits.
    pub limits: Limits,
    /// How often one address may ask for anything.
    pub flood: Option<Rate>,
    /// What counts for all nodes.
    pub redis_url: Option<SecretString>,
    /// What is told of the service while it runs, and to whom.
    pub telemetry: TelemetrySettings,
    /// Domains of throw-away addresses.
    pub disposable: DisposableDomains,
    /// When the paths without a version will be gone.
    pub sunset: Option<DateTime<Utc>>,
    /// What a person should know of the settings: what is not followed, and what has no effect.
    pub notes: Vec<String>,
}

/// What only the service itself needs to know.
pub struct Secrets {
    /// Signs what clients hand back.
    pub secret_key: SecretString,
    /// The key of the API.
    pub api_key: SecretString,
    /// Whether the key was made just now, and nobody knows it yet.
    pub api_key_is_new: bool,
    /// Whether the data directory has secrets of an earlier start.
    pub started_before: bool,
}

impl Secrets {
    /// Takes the secrets from the settings, or, for the embedded database, from
    /// the data directory, where they are made on the first start.
    ///
    /// # Errors
    /// One sentence about a secret that is missing or a placeholder.
    pub fn check(settings: &Settings, arguments: &Arguments) -> Result<Self, SettingsError> {
        let kept = |file: &str| settings.data_dir.join(file).exists();
        let started_before = kept("secret_key") || kept("api_key");
        let (secret_key, _) = secret(settings, "SECRET_KEY", "secret_key", &arguments.secret_key)?;
        let (api_key, api_key_is_new) =
            secret(settings, "BASIC_API_KEY", "api_key", &arguments.basic_api_key)?;
        Ok(Self { secret_key, api_key, api_key_is_new, started_before })
    }

    /// Whether [`Self::check`] would take or make them, without making any.
    ///
    /// # Errors
    /// As there.
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
        let mut settings = Self {
            listen: address(arguments)?,
            workers: arguments.workers.map_or_else(cores, usize::from),
            data_dir: arguments.data_dir.clone(),
            database,
            backup: BackupSettings::check(arguments)?,
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
            notes: arguments.variables.notes.clone(),
        };
        settings.notes.extend(not_followed);
        let useless = deploy::without_effect(arguments, &settings);
        settings.notes.extend(useless.into_iter().map(|finding| finding.to_string()));
        Ok(settings)
    }
}

/// Where to listen.
///
/// # Errors
/// One sentence: HOST is no address.
pub fn address(arguments: &Arguments) -> Result<SocketAddr, SettingsError> {
    Ok(SocketAddr::new(addresses::host(&arguments.host)?, arguments.port))
}

fn site(arguments: &Arguments) -> Result<Site, SettingsError> {
    let hosts = addresses::hosts(&arguments.allowed_hosts)?;
    if arguments.secure_ssl_redirect && (hosts.is_empty() || hosts.iter().any(|host| host == "*")) {
        return Err(SettingsError::new(
            "SECURE_SSL_REDIRECT",
            "would send clients anywhere: say in ALLOWED_HOSTS where to",
        ));
    }
    let hsts = Hsts {
        seconds: arguments.secure_hsts_seconds,
        include_subdomains: arguments.secure_hsts_include_subdomains,
        preload: arguments.secure_hsts_preload,
    };
    Ok(Site {
        allowed_hosts: AllowedHosts::new(hosts),
        trusted_proxies: TrustedProxies::new(addresses::networks(&arguments.trusted_proxies)?),
        use_forwarded_host: arguments.use_x_forwarded_host,
        ssl_redirect: arguments.secure_ssl_redirect,
        hsts: (hsts.seconds > 0).then_some(hsts),
        // The API knows its own.
        probes: None,
    })
}

fn tls(arguments: &Arguments) -> Result<Option<TlsFiles>, SettingsError> {
    match (&arguments.tls_cert, &arguments.tls_key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert: cert.clone(), key: key.clone() })),
        (Some(_), None) => Err(SettingsError::new("TLS_KEY", "is missing: TLS_CERT is there")),
        (None, Some(_)) => Err(SettingsError::new("TLS_CERT", "is missing: TLS_KEY is there")),
    }
}

/// The address of Redis, with its password.
fn redis_url(arguments: &Arguments) -> Result<Option<SecretString>, SettingsError> {
    let Some(url) = &arguments.redis_url else { return Ok(None) };
    let wrong = |problem: String| SettingsError::new("REDIS_URL", problem);
    if url.expose_secret().starts_with("rediss:") {
        return Err(wrong("asks for TLS, which the service does not speak to Redis".to_owned()));
    }
    SharedQuotas::check(url).map_err(|error| {
        wrong(format!("is {error}; a password is percent-encoded there (/ is %2F), or as it is in REDIS_PASSWORD"))
    })?;
    Ok(Some(match &arguments.redis_password {
        Some(password) => with_password(url.expose_secret(), password.expose_secret()).into(),
        None => url.clone(),
    }))
}

/// The address of a Redis with this password, if it has none.
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
        // A percent sign would stay as it is.
        let encoded = utf8_percent_encode(password, NON_ALPHANUMERIC).to_string();
        // It can only fail where there is no host.
        let _ = parsed.set_password(Some(&encoded));
    }
    parsed.into()
}

/// Whoever wants no limits for visitors, as a benchmark does, wants none for floods.
fn flood(arguments: &Arguments) -> Option<Rate> {
    match arguments.rate_limit_flood {
        Some(limit) => limit.0,
        None => arguments.rate_limit_anon.0.map(|_| Rate { limit: 100, period: Period::Second }),
    }
}

/// One thread a core: more of them only get in each other's way.
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

/// A secret, and whether it was made just now.
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

/// The secret of the settings; none where the service keeps one of its own.
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
