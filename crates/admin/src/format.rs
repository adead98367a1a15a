//! How values are written in pages: times, ages, names and numbers.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::contracts::RECEIVED;
use exit3_domain::events::Actor;
use exit3_domain::paging::Count;
use exit3_domain::validation::{Invalid, Violation};
use i18n_embed_fl::fl;

use crate::i18n::Texts;

/// How long ago something happened, in one word: `5 min`, `3 h`, `12 d`.
pub(crate) fn age(texts: Texts, then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (now - then).num_minutes().max(0);
    match minutes {
        0 => fl!(texts, "age-now"),
        1..60 => fl!(texts, "age-minutes", count = minutes),
        60..1440 => fl!(texts, "age-hours", count = (minutes / 60)),
        1440..525_600 => fl!(texts, "age-days", count = (minutes / 1440)),
        _ => fl!(texts, "age-years", count = (minutes / 525_600)),
    }
}

/// How long something took, in one word: `5 min`, `3 h`, `12 d`.
pub(crate) fn wait(texts: Texts, time: TimeDelta) -> String {
    match time.num_minutes().max(0) {
        0 => fl!(texts, "wait-none"),
        minutes @ 1..60 => fl!(texts, "age-minutes", count = minutes),
        minutes @ 60..2880 => fl!(texts, "age-hours", count = (minutes / 60)),
        minutes => fl!(texts, "age-days", count = (minutes / 1440)),
    }
}

/// A time for `<time datetime>`.
pub fn machine(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time for people, in UTC: `2026-11-29 19:13`.
pub fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// The day of a time in RFC 3339, as a date field shows it.
pub fn day(time: &str) -> String {
    time.chars().take(10).collect()
}

/// A time in RFC 3339 to the minute, as a field for a time shows it: `2026-11-29T19:13`.
pub fn minute(time: &str) -> String {
    time.chars().take(16).collect()
}

/// The time in a field of times, whose name ends in `_at`.
pub(crate) fn time_in(field: &str, text: &str) -> Option<DateTime<Utc>> {
    field.strip_suffix("_at").and_then(|_| text.parse().ok())
}

/// A number with separated thousands: `1,000` in English, `1.000` in Croatian.
pub(crate) fn number(texts: Texts, number: u64) -> String {
    let digits = number.to_string();
    let separator = fl!(texts, "thousands");
    let mut written = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push_str(&separator);
        }
        written.push(digit);
    }
    written
}

/// An amount in hundredths of a euro: `€1,200.50` in English, `1.200,50 €` in Croatian.
pub(crate) fn money(texts: Texts, hundredths: i64) -> String {
    let (sign, sum) = (if hundredths < 0 { "-" } else { "" }, hundredths.unsigned_abs());
    let whole = number(texts, sum / 100);
    let amount = format!("{whole}{}{:02}", fl!(texts, "decimals"), sum % 100);
    format!("{sign}{}", fl!(texts, "money", amount = amount))
}

/// A count for people: `1,000+` if there may be more.
pub(crate) fn count(texts: Texts, count: Count) -> String {
    match count {
        Count::Exact(count) => number(texts, count),
        Count::AtLeast(0) => "…".to_owned(),
        Count::AtLeast(count) => format!("{}+", number(texts, count)),
    }
}

/// The path of a contract, as people tell one from another.
pub(crate) fn contract(texts: Texts, path: &str) -> String {
    match path.strip_prefix(RECEIVED) {
        // Nobody needs all of a random name.
        Some(name) => fl!(texts, "contract-file", name = name.get(..8).unwrap_or(name)),
        None => path.to_owned(),
    }
}

/// Who wrote: the name of the account, or what kind of caller it was.
pub(crate) fn actor(texts: Texts, actor: &Actor) -> String {
    match actor {
        Actor::Staff(name) => name.to_string(),
        Actor::ApiKey { name, .. } => fl!(texts, "actor-key", name = name.to_string()),
        Actor::BasicKey => fl!(texts, "actor-website"),
        Actor::Command(name) => fl!(texts, "actor-command", name = name.to_string()),
        Actor::Service => fl!(texts, "actor-service"),
        Actor::Module(name) => name.to_string(),
    }
}

/// The sentences about all broken rules, without their fields.
pub(crate) fn violations(texts: Texts, invalid: &Invalid) -> Vec<String> {
    violations_by_field(texts, invalid).into_iter().map(|(_, sentence)| sentence).collect()
}

/// The sentences about all broken rules, with their fields. The field is empty for rules of the
/// whole.
pub(crate) fn violations_by_field(texts: Texts, invalid: &Invalid) -> Vec<(&'static str, String)> {
    let of_fields = invalid
        .fields()
        .flat_map(|(field, violations)| violations.iter().map(move |violation| (field, violation)));
    of_fields
        .chain(invalid.of_the_whole().iter().map(|violation| ("", violation)))
        .map(|(field, violation)| (field, rule(texts, field, violation)))
        .collect()
}

/// The sentence about one broken rule: in the person's language if there is one, else that of the
/// API.
pub(crate) fn rule(texts: Texts, field: &str, violation: &Violation) -> String {
    let id = |text: &str| format!("rule-{}", text.replace('_', "-"));
    let ids = [id(&format!("{field}-{}", violation.code)), id(violation.code)];
    let known = ids.iter().find(|id| texts.has(id));
    known.map_or_else(|| violation.message.to_string(), |id| texts.get(id))
}
