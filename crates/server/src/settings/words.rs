//! Parses values of settings.

use std::time::Duration;

use exit3_domain::quotas::{NotARate, Rate};
use exit3_web::ClientIp;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::LevelFilter;

use super::telemetry::LogFormat;
use crate::variables;

/// A list separated by commas or line ends.
pub(super) fn list(text: &str) -> Vec<String> {
    let words = text.split([',', '\n', '\r']).map(variables::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A rate limit; `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Rate>);

/// A rate limit in the format of the replaced service, or `off`.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(Limit(None));
    }
    text.parse().map(|rate| Limit(Some(rate))).map_err(|error: NotARate| format!("{error}, or off"))
}

/// A maximum age between 200 milliseconds and an hour.
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

/// A boolean in the words that `.env` files use.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" => Ok(true),
        "false" | "0" | "no" | "n" | "off" | "f" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}

/// A log level, also by Python's names.
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

/// A format of log lines.
pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        _ => Err("neither json nor pretty".to_owned()),
    }
}

/// How much of a client's address is logged.
pub(super) fn client_ip(text: &str) -> Result<ClientIp, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "full" => Ok(ClientIp::Full),
        "truncated" => Ok(ClientIp::Truncated),
        "off" => Ok(ClientIp::Off),
        _ => Err("not one of full, truncated, off".to_owned()),
    }
}

/// A secret of a command, without surrounding blanks.
pub(crate) fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(variables::trim(text).to_owned().into())
}

/// A fraction from 0 to 1.
pub(super) fn part(text: &str) -> Result<f32, String> {
    let part = text.trim().parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "not a number from 0 to 1".to_owned())
}

/// A date, which means its first moment in UTC.
pub(super) fn date(text: &str) -> Result<chrono::DateTime<chrono::Utc>, String> {
    let date: chrono::NaiveDate =
        text.trim().parse().map_err(|_| "not a date such as 2027-12-31".to_owned())?;
    Ok(date.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// Whether a secret is a placeholder from an example, meant to be replaced.
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
