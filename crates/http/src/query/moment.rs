//! Points in time, as the replaced service's framework reads them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

/// The moment that `text` means: ISO 8601, extended or basic, with what Django takes
/// beyond it (parts of one digit, a comma before the fraction, a blank before the zone).
/// A date stands for its first moment. Without a zone it is in UTC. A `+` that was not
/// encoded arrives as a blank, and is read as the `+` that it was.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let Some((date, rest)) = text.split_once(['T', 't', ' ', '_']) else {
        return Some(day(text)?.and_time(NaiveTime::MIN).and_utc());
    };
    let zone_at = rest.find(['Z', 'z', '+', '-', '\u{2212}', ' ']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let (days, time, further) = clock(time)?;
    let local = day(date)?.checked_add_days(days)?.and_time(time);
    let moment = local.checked_add_signed(further)?.checked_sub_signed(offset(zone.trim())?)?;
    Some(moment.and_utc())
}

/// `2026-11-28`, `20261128`, `2026-W48-6` or `2026W486`.
fn day(text: &str) -> Option<NaiveDate> {
    let year = number(text.get(..4)?, 4..=4)?.try_into().ok()?;
    let rest = text.get(4..)?;
    let (rest, extended) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    if let Some(week) = rest.strip_prefix('W') {
        let (week, day) = week.split_at_checked(2)?;
        let day = match (day, extended) {
            ("", _) => 1,
            (day, true) => number(day.strip_prefix('-')?, 1..=1)?,
            (day, false) => number(day, 1..=1)?,
        };
        let weekday = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, number(week, 2..=2)?, weekday);
    }
    let (month, day, digits) = match extended {
        true => rest.split_once('-').map(|(month, day)| (month, day, 1..=2))?,
        false => rest.split_at_checked(2).map(|(month, day)| (month, day, 2..=2))?,
    };
    NaiveDate::from_ymd_opt(year, number(month, digits.clone())?, number(day, digits)?)
}

/// A time of day, as days to add, the time, and what else to add: `24:00` is the first
/// moment of the next day, and a leap second is the one after the 59th.
fn clock(text: &str) -> Option<(Days, NaiveTime, TimeDelta)> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let (hour, minute, second) = parts(whole, 1..=2)?;
    let micros = match (fraction, second) {
        (None, _) => 0,
        (Some(fraction), Some(_)) => {
            let is_number = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
            is_number.then_some(())?;
            number(&format!("{:0<6}", fraction.get(..6).unwrap_or(fraction)), 6..=6)?
        }
        (Some(_), None) => return None,
    };
    let (minute, second) = (minute.unwrap_or(0), second.unwrap_or(0));
    match (hour, minute, second, micros) {
        (24, 0, 0, 0) => Some((Days::new(1), NaiveTime::MIN, TimeDelta::zero())),
        (_, _, 60, _) => Some((
            Days::new(0),
            NaiveTime::from_hms_micro_opt(hour, minute, 59, micros)?,
            TimeDelta::seconds(1),
        )),
        _ => {
            let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?;
            Some((Days::new(0), time, TimeDelta::zero()))
        }
    }
}

/// How far a zone is ahead of UTC: nothing or `Z` for not at all, `+01`, `+0100`,
/// `+01:00`, `+01:00:30`.
fn offset(text: &str) -> Option<TimeDelta> {
    if matches!(text, "" | "Z" | "z") {
        return Some(TimeDelta::zero());
    }
    let (ahead, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes, seconds) = parts(text, 2..=2)?;
    let time = NaiveTime::from_hms_opt(hours, minutes.unwrap_or(0), seconds.unwrap_or(0))?;
    Some((time - NaiveTime::MIN) * ahead)
}

type Parts = (u32, Option<u32>, Option<u32>);

/// Hours, minutes and seconds: `10`, `10:00`, `10:00:30`, `1000`, `100030`.
fn parts(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<Parts> {
    let mut parts = Vec::new();
    if text.contains(':') {
        for part in text.split(':') {
            parts.push(number(part, digits.clone())?);
        }
    } else if text.len() <= 2 {
        parts.push(number(text, digits)?);
    } else {
        let mut rest = text;
        while !rest.is_empty() {
            let (part, further) = rest.split_at_checked(2)?;
            parts.push(number(part, 2..=2)?);
            rest = further;
        }
    }
    match *parts.as_slice() {
        [hours] => Some((hours, None, None)),
        [hours, minutes] => Some((hours, Some(minutes), None)),
        [hours, minutes, seconds] => Some((hours, Some(minutes), Some(seconds))),
        _ => None,
    }
}

/// A number of so many digits.
fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-11-28", "2026-11-28T00:00:00")]
    #[case("20261128", "2026-11-28T00:00:00")]
    #[case("2026-1-2", "2026-01-02T00:00:00")]
    #[case("2026-W48-6", "2026-11-28T00:00:00")]
    #[case("2026W486", "2026-11-28T00:00:00")]
    #[case("2026-W48", "2026-11-23T00:00:00")]
    #[case("2026-11-28T10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28 10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28t10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28_10:00", "2026-11-28T10:00:00")]
    #[case("2026-11-28T10:00Z", "2026-11-28T10:00:00")]
    #[case("2026-11-28T10:00z", "2026-11-28T10:00:00")]
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
    #[case("2026-11-28T10:00.5")]
    #[case("2026-11-28T10:00:00.5x")]
    #[case("2026-11-28T10:00:00.123456x")]
    #[case("2026-11-28T24:00:01")]
    #[case("2026-11-28T25:00")]
    #[case("2026-11-28T10:60")]
    #[case("2026-11-28T10:00:61")]
    #[case("2026-11-28T10:00+24:00")]
    #[case("2026-11-28T10:00+1")]
    #[case("2026-11-28T10:00+01:60")]
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
