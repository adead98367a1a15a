//! Settings: options of the command line, each with the environment name that
//! the replaced service has for it. The command line comes first, then the
//! environment, then `.env`.

mod arguments;
mod database;
mod words;

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use exit3_domain::email::DisposableDomains;
use secrecy::SecretString;
use tracing_subscriber::filter::LevelFilter;

pub use arguments::Arguments;
pub(crate) use arguments::fill_in;
pub use database::DatabaseSettings;

use crate::secrets;

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
    /// Whether migrations run at start.
    pub auto_migrate: bool,
    /// The hosts that are answered; none stands for any.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// From which level up log lines are written.
    pub log_level: LevelFilter,
    /// Domains of throw-away addresses.
    pub disposable: DisposableDomains,
    /// When the paths without a version will be gone.
    pub sunset: Option<DateTime<Utc>>,
}

/// What only the service itself needs to know.
pub struct Secrets {
    /// Signs what clients hand back.
    pub secret_key: SecretString,
    /// The key of the API.
    pub api_key: SecretString,
    /// Whether the key was made just now, and nobody knows it yet.
    pub api_key_is_new: bool,
}

impl Secrets {
    /// Takes the secrets from the settings, or, for the embedded database, from
    /// the data directory, where they are made on the first start.
    ///
    /// # Errors
    /// One sentence about a secret that is missing or a placeholder.
    pub fn check(settings: &Settings, arguments: &Arguments) -> Result<Self, SettingsError> {
        let (secret_key, _) = secret(settings, "SECRET_KEY", "secret_key", &arguments.secret_key)?;
        let (api_key, api_key_is_new) =
            secret(settings, "BASIC_API_KEY", "api_key", &arguments.basic_api_key)?;
        Ok(Self { secret_key, api_key, api_key_is_new })
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
            secrets::ensure_directory(&arguments.data_dir).map_err(|error| {
                SettingsError::new("DATA_DIR", format!("cannot be used: {error}"))
            })?;
        }
        Ok(Self {
            listen: SocketAddr::new(host(&arguments.host)?, arguments.port),
            workers: arguments.workers.map_or_else(cores, usize::from),
            data_dir: arguments.data_dir.clone(),
            database,
            auto_migrate: arguments.auto_migrate,
            allowed_hosts: words::list(&arguments.allowed_hosts),
            cors_origins: words::origins(&arguments.cors_allowed_origins)?,
            log_level: arguments.log_level.unwrap_or(if arguments.debug {
                LevelFilter::DEBUG
            } else {
                LevelFilter::INFO
            }),
            disposable: disposable(arguments.disposable_domains_file.as_ref())?,
            sunset: arguments.api_sunset,
        })
    }
}

/// One thread a core: more of them only get in each other's way.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn host(text: &str) -> Result<IpAddr, SettingsError> {
    let address = if text == "localhost" { "127.0.0.1" } else { text };
    address
        .trim_matches(['[', ']'])
        .parse()
        .map_err(|_| SettingsError::new("HOST", format!("is not an IP address: {text}")))
}

fn disposable(file: Option<&PathBuf>) -> Result<DisposableDomains, SettingsError> {
    let mut domains = DisposableDomains::default();
    if let Some(file) = file {
        let list = fs::read_to_string(file).map_err(|error| {
            let problem = format!("cannot be read: {}: {error}", file.display());
            SettingsError::new("DISPOSABLE_DOMAINS_FILE", problem)
        })?;
        domains.add_list(&list);
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
    let embedded = settings.database.is_embedded();
    match given {
        Some(secret) if !embedded && words::is_placeholder(secret) => {
            Err(SettingsError::new(variable, "is a placeholder: set it to a long random text"))
        }
        Some(secret) => Ok((secret.clone(), false)),
        None if embedded => {
            let kept = secrets::keep(&settings.data_dir, file).map_err(|error| {
                let path = settings.data_dir.join(file);
                SettingsError::new(
                    variable,
                    format!("cannot be kept in {}: {error}", path.display()),
                )
            })?;
            Ok((kept.secret, kept.is_new))
        }
        None => Err(SettingsError::new(variable, "is missing: set it to a long random text")),
    }
}

#[cfg(test)]
mod tests;
