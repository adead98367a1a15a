//! Words of settings.

use std::net::IpAddr;
use std::time::Duration;

use exit3_domain::api_keys::is_origin;
use exit3_domain::quotas::{NotARate, Rate};
use exit3_http::ClientIp;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::LevelFilter;

use super::SettingsError;
use super::telemetry::{LogFormat, MetricsBind};

/// A list separated by commas.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// How often something may be done; `None` is as often as one likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Rate>);

/// A limit, in the words of the replaced service.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(Limit(None));
    }
    text.parse().map(|rate| Limit(Some(rate))).map_err(|error: NotARate| format!("{error}, or off"))
}

/// Addresses and networks, separated by commas.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, SettingsError> {
    let network = |word: String| {
        let network = word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
        network.map_err(|_| {
            let problem = format!("holds {word:?}, which is neither an address nor a network");
            SettingsError::new("TRUSTED_PROXIES", problem)
        })
    };
    list(text).into_iter().map(network).collect()
}

/// The hosts of `ALLOWED_HOSTS`. What none could match would lock everybody out.
pub(super) fn hosts(text: &str) -> Result<Vec<String>, SettingsError> {
    let hosts = list(text);
    let wrong = hosts.iter().find(|host| *host != "*" && !is_host_pattern(host));
    match wrong {
        None => Ok(hosts),
        Some(wrong) => Err(SettingsError::new(
            "ALLOWED_HOSTS",
            format!("holds {wrong:?}, which is none of example.com, .example.com and *"),
        )),
    }
}

/// A name or an address, without a port.
fn is_host_pattern(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let name = host.strip_prefix('.').unwrap_or(host);
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.split('.').all(|label| !label.is_empty() && label.chars().all(letter))
}

/// The origins of `CORS_ALLOWED_ORIGINS`.
pub(super) fn origins(text: &str) -> Result<Vec<String>, SettingsError> {
    let origins = list(text);
    match origins.iter().find(|origin| !is_origin(origin)) {
        None => Ok(origins),
        Some(wrong) => Err(SettingsError::new(
            "CORS_ALLOWED_ORIGINS",
            format!("holds {wrong:?}, which is not an origin such as https://exit3.agency"),
        )),
    }
}

/// How old something may be, between 200 milliseconds and an hour.
pub(super) fn lag(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1000),
    };
    let lag = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match lag {
        Some(lag @ 200..=3_600_000) => Ok(Duration::from_millis(lag)),
        Some(_) => Err("not between 200ms and 3600s".to_owned()),
        None => Err("neither seconds such as 2s nor milliseconds such as 500ms".to_owned()),
    }
}

/// A boolean, in the words that `.env` files use.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" => Ok(true),
        "false" | "0" | "no" | "n" | "off" | "f" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}

/// A level of the log, by Python's names as well.
pub(super) fn level(text: &str) -> Result<LevelFilter, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "trace" | "notset" => Ok(LevelFilter::TRACE),
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warning" | "warn" => Ok(LevelFilter::WARN),
        "error" | "critical" | "fatal" => Ok(LevelFilter::ERROR),
        "off" => Ok(LevelFilter::OFF),
        _ => Err("not one of DEBUG, INFO, WARNING, ERROR, CRITICAL".to_owned()),
    }
}

/// How log lines look.
pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        _ => Err("neither json nor pretty".to_owned()),
    }
}

/// How much of clients' addresses is logged.
pub(super) fn client_ip(text: &str) -> Result<ClientIp, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "full" => Ok(ClientIp::Full),
        "truncated" => Ok(ClientIp::Truncated),
        "off" => Ok(ClientIp::Off),
        _ => Err("not one of full, truncated, off".to_owned()),
    }
}

/// Where metrics are served.
pub(super) fn metrics_bind(text: &str) -> Result<MetricsBind, String> {
    match text.trim() {
        off if off.eq_ignore_ascii_case("off") => Ok(MetricsBind::Off),
        address => {
            let address = address.replace("localhost:", "127.0.0.1:").parse();
            let address = address.map_err(|_| "neither an address such as 127.0.0.1:9464 nor off");
            Ok(MetricsBind::At(address?))
        }
    }
}

/// A part of a whole.
pub(super) fn part(text: &str) -> Result<f32, String> {
    let part = text.trim().parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "not a number from 0 to 1".to_owned())
}

/// A date, which stands for its first moment in UTC.
pub(super) fn date(text: &str) -> Result<chrono::DateTime<chrono::Utc>, String> {
    let date: chrono::NaiveDate =
        text.trim().parse().map_err(|_| "not a date such as 2027-12-31".to_owned())?;
    Ok(date.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// Whether a host is this machine.
pub(super) fn is_local(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a secret is what somebody wrote in its place, to be replaced.
pub(super) fn is_placeholder(secret: &SecretString) -> bool {
    let word: String = secret
        .expose_secret()
        .to_lowercase()
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' ' | '.'))
        .collect();
    let starts = ["changeme", "changethis", "replaceme", "replacethis", "your", "insert", "<"];
    let whole = "secret secretkey apikey key placeholder example todo xxx password postgres";
    word.is_empty()
        || whole.split(' ').any(|whole| word == whole)
        || starts.iter().any(|start| word.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_placeholder_when_it_sees_one() {
        for placeholder in ["change-me", "CHANGEME please", "your-secret-key", "<key>", "secret"] {
            assert!(is_placeholder(&placeholder.to_owned().into()), "{placeholder}");
        }
        for secret in ["peer-key", "django-insecure-x8f$#jq", "kQ3x"] {
            assert!(!is_placeholder(&secret.to_owned().into()), "{secret}");
        }
    }

    #[test]
    fn an_origin_has_a_scheme_and_nothing_behind_the_host() {
        assert!(origins("https://exit3.agency, http://localhost:3000").is_ok());
        for wrong in ["*", "exit3.agency", "https://exit3.agency/", "null", "https://"] {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_has_neither_a_scheme_nor_a_port() {
        assert!(hosts("exit3.agency, .exit3.agency,127.0.0.1,[::1],*,").is_ok());
        for wrong in
            ["https://exit3.agency", "exit3.agency:443", "a b", "['a.b']", "*.exit3.agency"]
        {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let known = networks("127.0.0.1, 10.0.0.0/8,2001:db8::/32").unwrap();
        assert_eq!(known.len(), 3);
        assert!(known[0].contains(&"127.0.0.1".parse::<IpAddr>().unwrap()));
        for wrong in ["localhost", "10.0.0.0/33", "*", "10.0.0.0-10.0.0.9"] {
            assert!(networks(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_is_a_rate_or_off() {
        assert_eq!(limit("OFF"), Ok(Limit(None)));
        assert_eq!(limit("5/day").unwrap().0.unwrap().to_string(), "5/day");
        assert!(limit("none").is_err() && limit("0/hour").is_err());
    }

    #[test]
    fn an_age_is_seconds_or_milliseconds() {
        for (text, milliseconds) in [("2s", 2000), ("500ms", 500), ("3", 3000), ("200ms", 200)] {
            assert_eq!(lag(text), Ok(Duration::from_millis(milliseconds)));
        }
        for wrong in ["", "s", "0", "199ms", "2h", "-1s", "1.5s", "3601", "99999999999999999999s"] {
            assert!(lag(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn takes_the_words_of_a_django_env() {
        assert_eq!(boolean("True"), Ok(true));
        assert_eq!(boolean("False"), Ok(false));
        assert!(boolean("maybe").is_err());
        assert_eq!(level("WARNING"), Ok(LevelFilter::WARN));
        assert_eq!(level("CRITICAL"), Ok(LevelFilter::ERROR));
        assert!(level("loud").is_err());
    }
}
