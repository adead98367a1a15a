//! Settings of logs, metrics, traces and error reports.

use std::fs::OpenOptions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use exit3_web::ClientIp;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::LevelFilter;

use super::otel::OtelSettings;
use super::{Arguments, SettingsError};
use crate::secrets::look_at_directory;

/// Settings of logs, metrics, traces and error reports.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// The lowest level that is logged.
    pub level: LevelFilter,
    /// The format of log lines.
    pub format: LogFormat,
    /// The directory of log files, in addition to standard output.
    pub log_dir: Option<PathBuf>,
    /// How much of a client's address is logged.
    pub client_ip: ClientIp,
    /// Where metrics are served.
    pub metrics: MetricsBind,
    /// What is sent to an OpenTelemetry collector.
    pub otel: OtelSettings,
    /// Where errors are reported.
    pub sentry: Option<SentrySettings>,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// Readable text.
    Pretty,
}

/// Where metrics are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsBind {
    /// At the default address, unless it is taken.
    Usual,
    /// At this address; otherwise the service does not start.
    At(SocketAddr),
    /// Not at all.
    Off,
}

/// Where errors are reported.
#[derive(Debug, Clone)]
pub struct SentrySettings {
    /// The DSN, including its key.
    pub dsn: SecretString,
    /// The name of the environment.
    pub environment: Option<String>,
    /// The name of the release.
    pub release: Option<String>,
    /// The fraction of requests whose traces are sent as well, from 0 to 1.
    pub traces_sample_rate: f32,
}

impl TelemetrySettings {
    /// Checks the settings, with notes about those that are not followed.
    pub(super) fn check(arguments: &Arguments) -> Result<(Self, Vec<String>), SettingsError> {
        let (otel, mut notes) = OtelSettings::check(arguments)?;
        notes.extend(sentry_notes(arguments));
        let usual = if arguments.debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
        let format = if arguments.production { LogFormat::Json } else { LogFormat::Pretty };
        let settings = Self {
            level: arguments.log_level.unwrap_or(usual),
            format: arguments.log_format.unwrap_or(format),
            log_dir: arguments.log_dir.as_deref().map(log_dir).transpose()?,
            client_ip: arguments.log_client_ip,
            metrics: arguments.metrics_bind.unwrap_or(MetricsBind::Usual),
            otel,
            sentry: arguments.sentry_dsn.as_ref().map(|dsn| sentry(arguments, dsn)).transpose()?,
        };
        Ok((settings, notes))
    }
}

impl TelemetrySettings {
    /// Whether traces are sent to Sentry as well.
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

/// Whether log files can be created in `directory`. Only the service creates them: a command run by
/// root would leave files that the service's user cannot write.
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

/// How a log file is opened, and created for its owner only.
pub(crate) fn log_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options
}

/// The name of the log file; older files add a number.
pub(crate) const LOG_FILE: &str = "exit3.log";

/// Variables that Sentry's other clients read, but the service does not.
fn sentry_notes(arguments: &Arguments) -> Vec<String> {
    const FOLLOWED: [&str; 4] =
        ["SENTRY_DSN", "SENTRY_ENVIRONMENT", "SENTRY_RELEASE", "SENTRY_TRACES_SAMPLE_RATE"];
    let given = arguments.variables.beginning("SENTRY_").into_keys();
    let others = given.filter(|name| !FOLLOWED.contains(name));
    others.map(|name| format!("{name} is not followed: the service does not know it")).collect()
}

fn sentry(arguments: &Arguments, dsn: &SecretString) -> Result<SentrySettings, SettingsError> {
    if dsn.expose_secret().parse::<sentry::types::Dsn>().is_err() {
        return Err(SettingsError::new("SENTRY_DSN", "is not a DSN: https://key@host/project"));
    }
    Ok(SentrySettings {
        dsn: dsn.clone(),
        environment: arguments.sentry_environment.clone(),
        release: arguments.sentry_release.clone(),
        traces_sample_rate: arguments.sentry_traces_sample_rate,
    })
}
