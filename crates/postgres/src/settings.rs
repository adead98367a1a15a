//! The address of a database, and time limits.

mod tls;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::sync::OnceCell;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::tls::Verify;
use crate::replica::Replica;

/// The socket directory of a local server, if the address names none.
const SOCKET_DIRECTORY: &str = "/var/run/postgresql";

/// Looking at so many leads takes about 5 ms. It finds a page of words that one in 40 leads has.
const AHEAD: usize = 2_000;

/// The address of a database, and time limits.
#[derive(Clone)]
pub struct PgSettings {
    /// The most open connections.
    pub pool_size: usize,
    /// How long an operation waits for a connection.
    pub wait: Duration,
    /// How long an operation may take altogether, including the wait. The server cancels a
    /// statement after the same time.
    pub timeout: Duration,
    /// How long storing many rows at once may take.
    pub bulk_timeout: Duration,
    /// How many leads a search looks at, in the order of its list, before it asks the trigram index.
    pub ahead: usize,
    /// The replica that lists may come from, and what is known about it.
    pub(crate) replica: Option<(Box<PgSettings>, Arc<Replica>)>,
    /// Set once it is known that a pooler which does not rename statements gives each connection a
    /// session of its own.
    pub(crate) alone: Arc<OnceCell<()>>,
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
}

/// What is wrong with a database address. The messages never contain the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It does not begin like a PostgreSQL address.
    #[error("is not a PostgreSQL address; it begins with postgres:// or postgresql://")]
    Scheme,
    /// It is not a valid URL.
    #[error(
        "is not of the form postgres://user:password@host:port/name?option=value \
         (special characters of a password are percent-encoded: @ is %40, / is %2F)"
    )]
    Form,
    /// An option is unknown or has an invalid value.
    #[error("has a wrong or unknown option: {0}")]
    Option(String),
    /// The `sslmode` is not known.
    #[error(
        "has an unknown sslmode; disable, prefer, require, verify-ca and verify-full are known"
    )]
    SslMode,
    /// The file in `sslrootcert` is unusable.
    #[error("has a sslrootcert that cannot be read as certificates: {0}")]
    Authorities(PathBuf),
    /// The server's certificate should be verified, but there are no authorities.
    #[error(
        "wants the server verified, but no certificate authorities were found; set sslrootcert"
    )]
    NoAuthorities,
    /// The TLS library cannot be initialised.
    #[error("wants TLS, which cannot be set up")]
    Tls,
}

impl PgSettings {
    /// Parses `postgres://user:password@host:port/name?option=value`. Without a host, it means the
    /// socket of a local server. The options are libpq's, for example `sslmode`, `sslrootcert`,
    /// `host` (also for a socket directory), `application_name` and `connect_timeout`.
    ///
    /// # Errors
    /// What is wrong with the address, worded to follow the name of the setting.
    pub fn parse(url: &str) -> Result<Self, SettingsError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(SettingsError::Scheme);
        }
        let (address, options) = url.split_once('?').unwrap_or((url, ""));
        let mut ssl = Ssl::default();
        let mut kept = Vec::new();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').ok_or(SettingsError::Form)?;
            match name {
                "sslmode" => ssl.mode = value.to_owned(),
                "sslrootcert" => ssl.authorities = Some(decode(value)?),
                _ => kept.push(option),
            }
            // Checked one by one, to name the wrong one.
            if !matches!(name, "sslmode" | "sslrootcert")
                && Config::from_str(&format!("postgres://?{option}")).is_err()
            {
                return Err(SettingsError::Option(name.to_owned()));
            }
        }
        let config = Config::from_str(&format!("{address}?{}", kept.join("&")));
        let config = config.map_err(|_| SettingsError::Form)?;
        // An unencoded character in the password has split the address in the wrong place.
        let is_torn = |host: &Host| match host {
            Host::Tcp(name) => name.contains(['@', '/', '%', '#', ' ']),
            Host::Unix(_) => false,
        };
        if config.get_hosts().iter().any(is_torn) {
            return Err(SettingsError::Form);
        }
        Self::new(config, &ssl)
    }

    /// The database of the settings `DB_HOST`, `DB_PORT`, `DB_USER`, `DB_PASSWORD` and `DB_NAME`. A
    /// `host` that is empty or begins with a slash means a socket directory.
    ///
    /// # Errors
    /// TLS cannot be initialised.
    pub fn from_parts(
        host: &str,
        port: u16,
        user: &str,
        password: &str,
        name: &str,
    ) -> Result<Self, SettingsError> {
        let mut config = Config::new();
        config.port(port).dbname(name);
        if !host.is_empty() {
            config.host(host);
        }
        if !user.is_empty() {
            config.user(user);
        }
        if !password.is_empty() {
            config.password(password);
        }
        Self::new(config, &Ssl::default())
    }

    fn new(mut config: Config, ssl: &Ssl) -> Result<Self, SettingsError> {
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host(SOCKET_DIRECTORY);
        }
        if config.get_application_name().is_none() {
            config.application_name("exit3");
        }
        notice_silence(&mut config);
        let (mut mode, verify) = ssl.meaning()?;
        // Local sockets are never encrypted.
        if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
            mode = SslMode::Disable;
        }
        config.ssl_mode(mode);
        let verify = if mode == SslMode::Disable { Verify::Nothing } else { verify };
        Ok(Self {
            pool_size: 16,
            wait: Duration::from_millis(1500),
            timeout: Duration::from_millis(1800),
            ahead: AHEAD,
            bulk_timeout: Duration::from_secs(60),
            replica: None,
            alone: Arc::default(),
            tls: tls::connector(verify, ssl.authorities.as_deref().map(AsRef::as_ref))?,
            config,
        })
    }

    /// Lets lists come from `replica`, a standby of this database, while they are no older than
    /// `max_lag` and contain what the caller of the current
    /// [`Consistency`](exit3_ports::Consistency) has written and seen. Otherwise lists come from this database.
    pub fn with_replica(self, replica: Self, max_lag: Duration) -> Self {
        let known = Arc::new(Replica::new(max_lag));
        Self { replica: Some((Box::new(replica), known)), ..self }
    }

    /// Sets the password, unless there is one already.
    pub fn with_password(mut self, password: &str) -> Self {
        if self.password().is_none_or(str::is_empty) {
            self.config.password(password);
        }
        self
    }

    /// The names and addresses of hosts that are reached over a network.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let names = self.config.get_hosts().iter().filter_map(|host| match host {
            Host::Tcp(host) => Some(host.clone()),
            Host::Unix(_) => None,
        });
        names.chain(self.config.get_hostaddrs().iter().map(ToString::to_string))
    }

    /// The password, if there is one.
    pub fn password(&self) -> Option<&str> {
        self.config.get_password().and_then(|password| std::str::from_utf8(password).ok())
    }

    /// Whether connections are never encrypted.
    pub fn is_plain(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Disable
    }

    /// A description for people: `PostgreSQL at host:port/name`.
    pub fn describe(&self) -> String {
        format!("PostgreSQL at {}", self.address())
    }

    /// `host:port/name`, with the port of each host.
    pub(crate) fn address(&self) -> String {
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate().map(|(at, host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(host) => format!("{host}:{port}"),
                Host::Unix(directory) => format!("{}:{port}", directory.display()),
            }
        });
        let hosts: Vec<String> = hosts.collect();
        let name = self.config.get_dbname().or(self.config.get_user()).unwrap_or_default();
        format!("{}/{name}", hosts.join(","))
    }
}

impl fmt::Debug for PgSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PgSettings")
            .field("database", &self.describe())
            .field("pool_size", &self.pool_size)
            .field("wait", &self.wait)
            .field("timeout", &self.timeout)
            .field("bulk_timeout", &self.bulk_timeout)
            .field("keepalives_idle", &self.config.get_keepalives_idle())
            .finish_non_exhaustive()
    }
}

/// Firewalls forget silent connections and drop later packets silently. So a connection sends
/// keepalives every minute, and is closed if they, or a statement, are not acknowledged. Options in
/// the address take precedence.
fn notice_silence(config: &mut Config) {
    const MINUTE: Duration = Duration::from_secs(60);
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(MINUTE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(10));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(MINUTE);
    }
}

/// The TLS options of an address.
#[derive(Default)]
struct Ssl {
    mode: String,
    authorities: Option<String>,
}

impl Ssl {
    fn meaning(&self) -> Result<(SslMode, Verify), SettingsError> {
        Ok(match self.mode.as_str() {
            "disable" => (SslMode::Disable, Verify::Nothing),
            "" | "prefer" | "allow" => (SslMode::Prefer, Verify::Nothing),
            // As in libpq: a given root certificate is used.
            "require" if self.authorities.is_some() => (SslMode::Require, Verify::Authority),
            "require" => (SslMode::Require, Verify::Nothing),
            "verify-ca" => (SslMode::Require, Verify::Authority),
            "verify-full" => (SslMode::Require, Verify::Host),
            _ => return Err(SettingsError::SslMode),
        })
    }
}

/// Decodes the percent-encoding of an option's value.
fn decode(value: &str) -> Result<String, SettingsError> {
    // The library would leave a percent sign without digits as it is.
    let has_digits = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !value.split('%').skip(1).all(has_digits) {
        return Err(SettingsError::Form);
    }
    let decoded = percent_decode_str(value).decode_utf8().map_err(|_| SettingsError::Form)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separate_password_is_used_unchanged_if_the_address_has_none() {
        for password in ["a/b+c==", "p@ss:w%41rd?#", "ključ", "%"] {
            let settings = PgSettings::parse("postgres://ana@db/leads").unwrap();
            assert_eq!(settings.with_password(password).password(), Some(password));
            let settings = PgSettings::parse("postgres://ana:own@db/leads").unwrap();
            assert_eq!(settings.with_password(password).password(), Some("own"));
        }
    }

    #[test]
    fn an_option_is_decoded_or_refused() {
        for (value, decoded) in
            [("/etc/a%20b%C4%8D.pem", "/etc/a b\u{10d}.pem"), ("a%2525", "a%25")]
        {
            assert_eq!(decode(value).as_deref(), Ok(decoded));
        }
        for value in ["%", "a%2", "%g0", "%2g", "%%20", "%\u{10d}", "%ff", "a%+1"] {
            assert_eq!(decode(value), Err(SettingsError::Form), "{value}");
        }
    }

    #[test]
    fn an_unencoded_character_in_a_password_does_not_change_the_host() {
        for (password, encoded) in [("a@b", "a%40b"), ("a?b", "a%3Fb"), ("@", "%40")] {
            let wrong = PgSettings::parse(&format!("postgres://ana:{password}@db/leads"));
            assert_eq!(wrong.err(), Some(SettingsError::Form), "{password}");
            let right = PgSettings::parse(&format!("postgres://ana:{encoded}@db/leads")).unwrap();
            assert_eq!((right.password(), &*right.address()), (Some(password), "db:5432/leads"));
        }
        // Base64, as `openssl rand -base64 32` prints it, is fine.
        let settings = PgSettings::parse("postgres://ana:a/b+c==@db/leads").unwrap();
        assert_eq!((settings.password(), &*settings.address()), (Some("a/b+c=="), "db:5432/leads"));
    }

    #[test]
    fn the_description_names_all_hosts_and_ports() {
        for (url, address) in [
            ("postgres://a:secret@b/c", "b:5432/c"),
            ("postgres://a:secret@b:1,c:2/d", "b:1,c:2/d"),
            ("postgres://a@b,c:2/d", "b:5432,c:2/d"),
            ("postgres:///c?host=/run/p&port=7", "/run/p:7/c"),
        ] {
            assert_eq!(PgSettings::parse(url).map(|it| it.address()).unwrap(), address);
        }
    }
}
