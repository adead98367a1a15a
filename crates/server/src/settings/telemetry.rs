//! What is told of the service while it runs, and to whom.

use std::fs::OpenOptions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use actix_web::http::Uri;
use exit3_http::ClientIp;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::LevelFilter;

use super::{Arguments, SettingsError};
use crate::secrets::look_at_directory;

/// What is told of the service while it runs, and to whom.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// From which level up log lines are written.
    pub level: LevelFilter,
    /// How log lines look.
    pub format: LogFormat,
    /// Where log files are kept, beside standard output.
    pub log_dir: Option<PathBuf>,
    /// How much of clients' addresses is logged.
    pub client_ip: ClientIp,
    /// Where metrics are served.
    pub metrics: MetricsBind,
    /// The address of an OpenTelemetry collector (OTLP over HTTP).
    pub otlp_endpoint: Option<String>,
    /// Where errors are reported.
    pub sentry: Option<SentrySettings>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// Where metrics are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsBind {
    /// At the usual address; nowhere, where another has it already.
    Usual,
    /// There, or the service does not start.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

/// Where errors are reported.
#[derive(Debug, Clone)]
pub struct SentrySettings {
    /// The address, with its key.
    pub dsn: SecretString,
    /// What the environment is called there.
    pub environment: Option<String>,
    /// The part of all requests of which traces are sent as well, from 0 to 1.
    pub traces_sample_rate: f32,
}

impl TelemetrySettings {
    pub(super) fn check(arguments: &Arguments) -> Result<Self, SettingsError> {
        let usual = if arguments.debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
        let format = if arguments.production { LogFormat::Json } else { LogFormat::Pretty };
        Ok(Self {
            level: arguments.log_level.unwrap_or(usual),
            format: arguments.log_format.unwrap_or(format),
            log_dir: arguments.log_dir.as_deref().map(log_dir).transpose()?,
            client_ip: arguments.log_client_ip,
            metrics: arguments.metrics_bind.unwrap_or(MetricsBind::Usual),
            otlp_endpoint: arguments.otlp_endpoint.as_deref().map(endpoint).transpose()?,
            sentry: arguments.sentry_dsn.as_ref().map(|dsn| sentry(arguments, dsn)).transpose()?,
        })
    }
}

impl TelemetrySettings {
    /// Whether traces are reported where errors are.
    pub(crate) fn sentry_takes_traces(&self) -> bool {
        self.sentry.as_ref().is_some_and(|sentry| sentry.traces_sample_rate > 0.0)
    }
}

fn log_dir(directory: &Path) -> Result<PathBuf, SettingsError> {
    let unusable = |error| {
        let path = directory.display();
        SettingsError::new("LOG_DIR", format!("cannot be used: {path}: {error}"))
    };
    usable(directory).map_err(unusable)?;
    Ok(directory.to_owned())
}

/// Whether log files could be made in `directory`. Only the service makes them: a command
/// that root runs by hand would leave some behind that the service's user cannot write.
fn usable(directory: &Path) -> io::Result<()> {
    match log_file().create(false).open(directory.join(LOG_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map(drop),
    }
    look_at_directory(directory)?;
    match directory.exists() {
        true => Ok(rustix::fs::access(directory, rustix::fs::Access::WRITE_OK)?),
        false => Ok(()),
    }
}

/// How a log file is opened, and made for the owner alone.
pub(crate) fn log_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options
}

/// The name of the log file, to which those that were full add a number.
pub(crate) const LOG_FILE: &str = "exit3.log";

fn endpoint(text: &str) -> Result<String, SettingsError> {
    match text.parse::<Uri>() {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        // It may have a password in it.
        _ => Err(SettingsError::new(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "is not an address such as http://localhost:4318",
        )),
    }
}

fn sentry(arguments: &Arguments, dsn: &SecretString) -> Result<SentrySettings, SettingsError> {
    if dsn.expose_secret().parse::<sentry::types::Dsn>().is_err() {
        return Err(SettingsError::new("SENTRY_DSN", "is not a DSN: https://key@host/project"));
    }
    Ok(SentrySettings {
        dsn: dsn.clone(),
        environment: arguments.sentry_environment.clone(),
        traces_sample_rate: arguments.sentry_traces_sample_rate,
    })
}
