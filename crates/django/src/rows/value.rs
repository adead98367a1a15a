//! Converts values of the Django service. Every value becomes one that can be stored, and the
//! result says whether that changed it.

use chrono::{DateTime, NaiveDateTime, Utc};
use exit3_domain::clients::Money;
use exit3_ports::Value;

/// The start of the year 1 and the end of the year 9999, in microseconds since 1970.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

/// A value that can be stored.
pub(super) struct Fit {
    pub(super) value: Value,
    /// Whether it differs from the source.
    pub(super) altered: bool,
}

/// A text of at most `most` characters without NUL, which no database here stores.
pub(super) fn text(given: &str, most: usize) -> Fit {
    let kept: String = given.chars().filter(|c| *c != '\0').take(most).collect();
    Fit { altered: kept != given, value: Value::Text(kept) }
}

/// A time in UTC, such as `2026-01-02 03:04:05.123456`, optionally followed by `+00`. An invalid
/// time becomes the nearest valid one, or the start of 1970.
pub(super) fn time(given: Option<&str>) -> Fit {
    let given = given.unwrap_or_default();
    let plain = given.trim_end_matches("+00:00").trim_end_matches("+00").replace('T', " ");
    let read = NaiveDateTime::parse_from_str(&plain, "%Y-%m-%d %H:%M:%S%.f").ok();
    let exact = read.map(|time| time.and_utc().timestamp_micros());
    let kept = exact.filter(|time| (FIRST..=LAST).contains(time));
    let years = given.bytes().take_while(u8::is_ascii_digit).count();
    let nearest = match given {
        "-infinity" => FIRST,
        _ if given.ends_with("BC") => FIRST,
        "infinity" => LAST,
        _ if years > 4 => LAST,
        _ => 0,
    };
    Fit { altered: kept.is_none(), value: Value::Time(kept.unwrap_or(nearest)) }
}

/// A boolean as either database writes it. Any other value becomes false.
pub(super) fn boolean(given: Option<&str>) -> Fit {
    let (truth, altered) = match given {
        Some("1" | "true") => (true, false),
        Some("0" | "false") => (false, false),
        _ => (false, true),
    };
    Fit { value: Value::Boolean(truth), altered }
}

/// An amount of money in hundredths, clamped to the valid range. A text that is not a number
/// becomes NULL.
pub(super) fn money(given: &str) -> Fit {
    // SQLite stores some amounts as floating-point numbers: 10.50 reads as 10.5, and 10 as 10.0.
    if let Ok(sum) = given.parse::<Money>() {
        return Fit { value: Value::Integer(sum.hundredths()), altered: false };
    }
    let nearest = given.parse::<f64>().ok().filter(|sum| !sum.is_nan());
    let most = 9_999_999_999.0;
    #[allow(clippy::cast_possible_truncation, reason = "it is within the range of money")]
    let value = nearest
        .map_or(Value::Null, |sum| Value::Integer((sum * 100.0).round().clamp(-most, most) as i64));
    Fit { value, altered: true }
}

/// A value as text for people; `None` for NULL.
pub(super) fn told(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null | Value::Bytes(_) => return None,
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Text(text) => text.clone(),
        Value::Time(time) => DateTime::<Utc>::from_timestamp_micros(*time)?
            .format("%Y-%m-%d %H:%M:%S%.6f")
            .to_string(),
    })
}
