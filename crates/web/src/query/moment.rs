//! Parses times as the replaced service's framework does: Django 5.2 on Python 3.11.
//!
//! Django tries Python's `datetime.fromisoformat` first, and then a regular expression of its own.
//! This module accepts the same texts, except those that Python misreads (it skips letters before a
//! zone, and accepts a digit as the separator of date and time): they are refused.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};
use exit3_domain::characters::ascii_digit;

/// Parses a point in time. A date means its first moment. Without a zone, the time is in UTC.
///
/// Also accepts some spellings that Django refuses: `24:00`, a leap second, `z`, U+2212 as minus,
/// and an unencoded `+`, which arrives as a blank.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim_matches(is_blank);
    as_django(text).or_else(|| as_django(&corrected(text)))
}

fn as_django(text: &str) -> Option<DateTime<Utc>> {
    from_iso(text).or_else(|| from_expression(text))
}

/// Python's definition of white space.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Replaces misspelt signs and zones by the intended ones.
fn corrected(text: &str) -> String {
    let mut corrected = text.replace('\u{2212}', "-");
    if corrected.ends_with('z') {
        corrected.pop();
        corrected.push('Z');
    }
    match corrected.rsplit_once(' ') {
        Some((rest, zone)) if zone.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{rest}+{zone}")
        }
        _ => corrected,
    }
}

/// Like `datetime.fromisoformat`: `2026-11-28T10:00:30.5+01:00`, `20261128T100030`, `2026-W48-6`.
/// The separator of date and time may be any character except a digit.
fn from_iso(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_at_checked(date_length(text.as_bytes())?)?;
    let date = iso_date(date)?;
    let mut rest = rest.chars();
    let Some(separator) = rest.next() else { return moment(date, Clock::default(), 0) };
    if separator.is_numeric() {
        return None;
    }
    let rest = rest.as_str();
    let zone_at = rest.find(['+', '-', 'Z']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let time = if zone.is_empty() { time } else { time.trim_end_matches(is_blank) };
    let mut digits = zone.chars();
    let ahead = match (digits.next(), digits.as_str()) {
        (None, _) | (Some('Z'), "") => 0,
        (Some('+'), ahead) => iso_clock(ahead)?.micros(),
        (Some('-'), behind) => -iso_clock(behind)?.micros(),
        _ => return None,
    };
    moment(date, iso_clock(time)?, ahead)
}

/// The length of the date at the start of `text`, in bytes.
fn date_length(text: &[u8]) -> Option<usize> {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    Some(match (text.get(4)?, text.get(5)?) {
        // A week date: an hour may follow the day or the week number.
        (b'-', b'W') if text.get(8) == Some(&b'-') && !digit(10) => 10,
        (b'-', b'W') => 8,
        (b'-', _) => 10,
        (b'W', _) => {
            let end = (7..text.len()).find(|at| !digit(*at)).unwrap_or(text.len()).max(7);
            if end < 9 { end } else { 7 + (end % 2) }
        }
        _ => 8,
    })
}

/// Parses `2026-11-28`, `20261128`, `2026-W48-6`, `2026W486`, `2026-W48` or `2026W48`.
fn iso_date(text: &str) -> Option<NaiveDate> {
    let (year, rest) = text.split_at_checked(4)?;
    let year = i32::try_from(number(year, 4)?).ok()?;
    let (rest, mark) = rest.strip_prefix('-').map_or((rest, ""), |rest| (rest, "-"));
    if let Some(week) = rest.strip_prefix('W') {
        let (week, day) = week.split_at_checked(2)?;
        let day = if day.is_empty() { 1 } else { number(day.strip_prefix(mark)?, 1)? };
        let weekday = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, number(week, 2)?, weekday);
    }
    let (month, day) = rest.split_at_checked(2)?;
    NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day.strip_prefix(mark)?, 2)?)
}

/// A time of day, or a zone's offset from UTC.
#[derive(Default)]
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    micro: u32,
}

impl Clock {
    fn micros(&self) -> i64 {
        let seconds = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60;
        (seconds + i64::from(self.second)) * 1_000_000 + i64::from(self.micro)
    }
}

/// Parses `10`, `10:00`, `10:00:30`, `1000` or `100030`, with or without a fraction of a second.
fn iso_clock(text: &str) -> Option<Clock> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let (hour, rest) = whole.split_at_checked(2)?;
    let mark = if rest.starts_with(':') { ":" } else { "" };
    let mut parts = [number(hour, 2)?, 0, 0];
    let mut rest = rest;
    for part in parts.iter_mut().skip(1) {
        if rest.is_empty() {
            break;
        }
        let (digits, further) = rest.strip_prefix(mark)?.split_at_checked(2)?;
        (*part, rest) = (number(digits, 2)?, further);
    }
    let [hour, minute, second] = parts;
    let micro = fraction.map_or(Some(0), micros)?;
    rest.is_empty().then_some(Clock { hour, minute, second, micro })
}

/// Django's regular expression: one-digit parts, digits of any script, blanks before the zone.
fn from_expression(text: &str) -> Option<DateTime<Utc>> {
    let text: String = text.chars().map(ascii_digit).collect();
    let (date, rest) = text.split_once(['T', ' '])?;
    let mut date = date.split('-');
    let year = i32::try_from(number(date.next()?, 4)?).ok()?;
    let (month, day) = (short(date.next()?)?, short(date.next()?)?);
    let zone_at = rest.find(|c: char| "Z+-".contains(c) || is_blank(c)).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let (hour, time) = time.split_once(':')?;
    let (minute, time) = time.split_once(':').map_or((time, None), |(m, s)| (m, Some(s)));
    let (second, fraction) = match time.map(|time| (time, time.split_once(['.', ',']))) {
        None => (0, None),
        Some((second, None)) => (short(second)?, None),
        Some((_, Some((second, fraction)))) => (short(second)?, Some(fraction)),
    };
    if fraction.is_some_and(|fraction| fraction.len() > 12) {
        return None;
    }
    let micro = fraction.map_or(Some(0), micros)?;
    let clock = Clock { hour: short(hour)?, minute: short(minute)?, second, micro };
    let zone = zone.trim_start_matches(is_blank);
    let ahead = match zone.strip_prefix(['+', '-']) {
        None => matches!(zone, "" | "Z").then_some(0)?,
        Some(digits) => {
            let (hour, rest) = digits.split_at_checked(2)?;
            let minutes = rest.strip_prefix(':').filter(|rest| !rest.is_empty()).unwrap_or(rest);
            let minute = if minutes.is_empty() { 0 } else { number(minutes, 2)? };
            let clock = Clock { hour: number(hour, 2)?, minute, ..Clock::default() };
            if zone.starts_with('-') { -clock.micros() } else { clock.micros() }
        }
    };
    let date = NaiveDate::from_ymd_opt(year, month, day).filter(|_| date.next().is_none())?;
    moment(date, clock, ahead)
}

/// Combines `date` and `clock` in a zone that is `ahead` microseconds ahead of UTC.
fn moment(date: NaiveDate, clock: Clock, ahead: i64) -> Option<DateTime<Utc>> {
    const DAY: i64 = 86_400_000_000;
    let is_year = (1..=9999).contains(&chrono::Datelike::year(&date));
    if !is_year || ahead.abs() >= DAY {
        return None;
    }
    let local: NaiveDateTime = match (clock.hour, clock.micros()) {
        // 24:00 is the first moment of the next day.
        (24, DAY) if clock.minute == 0 => date.checked_add_days(Days::new(1))?.into(),
        (0..24, micros) if clock.minute < 60 && clock.second <= 60 => {
            NaiveDateTime::from(date).checked_add_signed(TimeDelta::microseconds(micros))?
        }
        _ => return None,
    };
    Some(local.checked_sub_signed(TimeDelta::microseconds(ahead))?.and_utc())
}

/// A fraction of a second in microseconds; further digits are cut off.
fn micros(fraction: &str) -> Option<u32> {
    let is_number = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(())?;
    number(&format!("{:0<6}", fraction.get(..6).unwrap_or(fraction)), 6)
}

/// Parses a number of one or two digits.
fn short(text: &str) -> Option<u32> {
    number(text, 1).or_else(|| number(text, 2))
}

/// Parses a number of exactly `digits` digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-11-28", "2026-11-28T00:00:00")]
    #[case("20261128", "2026-11-28T00:00:00")]
    #[case("2026-W48-6", "2026-11-28T00:00:00")]
    #[case("2026W486", "2026-11-28T00:00:00")]
    #[case("2026-W48", "2026-11-23T00:00:00")]
    #[case("2026-11-28T10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28 10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28t10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28_10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28T10:00Z", "2026-11-28T10:00:00")]
    #[case("2026-11-28T10:00z", "2026-11-28T10:00:00")]
    #[case("20261128T100030\tZ", "2026-11-28T10:00:30")]
    #[case("2026-W48-6T10 +01", "2026-11-28T09:00:00")]
    #[case("2026-11-28T10:00:30.1234567890123 Z", "2026-11-28T10:00:30.123456")]
    #[case("2026-11-28T10:00 Z", "2026-11-28T10:00:00")]
    #[case("2026-11-28T10:00+0100", "2026-11-28T09:00:00")]
    #[case("2026-11-28T10:00+01", "2026-11-28T09:00:00")]
    #[case("2026-11-28T10:00+01:00", "2026-11-28T09:00:00")]
    #[case("2026-11-28T10:00 +01:00", "2026-11-28T09:00:00")]
    #[case("2026-11-28T10:00+01:00:30", "2026-11-28T08:59:30")]
    #[case("2026-11-28T10:00-0330", "2026-11-28T13:30:00")]
    #[case("2026-11-28T10:00\u{2212}03:30", "2026-11-28T13:30:00")]
    #[case("2026-11-28T10:00-00:00", "2026-11-28T10:00:00")]
    #[case::plus_not_encoded("2026-11-28T10:00 01:00", "2026-11-28T09:00:00")]
    #[case::plus_not_encoded_either("2026-11-28T10:00:00.5 0100", "2026-11-28T09:00:00.500")]
    #[case("2026-11-28T10", "2026-11-28T10:00:00")]
    #[case("2026-11-28T1000", "2026-11-28T10:00:00")]
    #[case("20261128T100030Z", "2026-11-28T10:00:30")]
    #[case("2026-11-28T10:00.5", "2026-11-28T10:00:00.500")]
    #[case("2026-11-28/10:00", "2026-11-28T10:00:00")]
    #[case("2026-W48-10", "2026-11-23T10:00:00")]
    #[case("2026W48T10", "2026-11-23T10:00:00")]
    #[case("2026-11-28T10:00+01:00:30.5", "2026-11-28T08:59:29.500")]
    #[case("2026-11-28T10:00+010030", "2026-11-28T08:59:30")]
    #[case("2026-11-28T10:00+01:60", "2026-11-28T08:00:00")]
    #[case("\u{1f}2026-11-28T10:00\u{3000}", "2026-11-28T10:00:00")]
    #[case("\u{ff12}\u{ff10}26-11-28T1\u{ff10}:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28T10:00:30,5\u{a0}Z", "2026-11-28T10:00:30.500")]
    #[case("2026-1-2 9:5", "2026-01-02T09:05:00")]
    #[case("2026-11-28T9:5:7", "2026-11-28T09:05:07")]
    #[case("2026-11-28T10:00:30.1", "2026-11-28T10:00:30.100")]
    #[case("2026-11-28T10:00:30,123456", "2026-11-28T10:00:30.123456")]
    #[case("2026-11-28T10:00:30.123456789", "2026-11-28T10:00:30.123456")]
    #[case("2026-11-28T10:00:30.1234567890123456789Z", "2026-11-28T10:00:30.123456")]
    #[case("2026-11-28T24:00", "2026-11-29T00:00:00")]
    #[case("2026-11-28T23:59:60Z", "2026-11-29T00:00:00")]
    #[case("2026-11-28T23:59:60.5Z", "2026-11-29T00:00:00.500")]
    #[case(" 2026-11-28T10:00 ", "2026-11-28T10:00:00")]
    #[case("0001-01-01T00:00+23:59", "0000-12-31T00:01:00")]
    #[case("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999")]
    #[case("2024-02-29", "2024-02-29T00:00:00")]
    fn reads(#[case] text: &str, #[case] moment: &str) {
        let expected = moment.parse::<chrono::NaiveDateTime>().unwrap().and_utc();
        assert_eq!(read(text), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("yesterday")]
    #[case("2026")]
    #[case("2026-11")]
    #[case("202611")]
    #[case("2026-13-01")]
    #[case("2026-02-29")]
    #[case("2026-11-31")]
    #[case("2026-00-01")]
    #[case("2026-W54-1")]
    #[case("2026-W48-8")]
    #[case("2026-W48-0")]
    #[case::digit_as_separator("2026W4861000")]
    #[case("26-11-28")]
    #[case("12026-11-28")]
    #[case("+12026-01-01T00:00:00Z")]
    #[case("-2026-11-28")]
    #[case("28.11.2026")]
    #[case("2026/11/28")]
    #[case("2026-11-28T")]
    #[case("2026-11-28TZ")]
    #[case("2026-11-28T10:")]
    #[case("2026-11-28T100")]
    #[case("2026-11-28T10:00:00.")]
    #[case("2026-11-28T10:00:00.5x")]
    #[case("2026-1-2")]
    #[case("2026-1-2_9:5")]
    #[case("2026-11-28t9:5")]
    #[case("2026W4871000")]
    #[case("2026-11-28510:00")]
    #[case("0000-01-01T00:00")]
    #[case("9999-W52-7")]
    #[case("2026-11-28T10:00:30.5x+01:00")]
    #[case("\u{200b}2026-11-28")]
    #[case("2026-11-28T10:00:00.123456x")]
    #[case("2026-11-28T24:00:01")]
    #[case("2026-11-28T25:00")]
    #[case("2026-11-28T10:60")]
    #[case("2026-11-28T10:00:61")]
    #[case("2026-11-28T10:00+24:00")]
    #[case("2026-11-28T10:00+1")]
    #[case("2026-11-28T10:00++01:00")]
    #[case("2026-11-28T10:00Z+01:00")]
    #[case("2026-11-28T10:00 Europe/Zagreb")]
    #[case("2026-11-28T10:00 PM")]
    #[case("2026-11-28T10:00:00:00")]
    #[case("\u{661}026-11-28")]
    #[case("2026-11-28\0")]
    fn refuses(#[case] text: &str) {
        assert_eq!(read(text), None);
    }
}
