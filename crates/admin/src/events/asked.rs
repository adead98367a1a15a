//! What the address of the record asks for. All choices are in the address, so it can be sent to
//! somebody else, and Back works.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use exit3_app::events::Question;
use exit3_domain::events::{Actor, BatchId, Event, EventFilter, EventId, Verb};

use crate::BASE;

/// The longest text of an address that counts, in bytes. No stored word is longer.
const LONGEST: usize = 300;

/// What the address of the record asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Who did it, as it is stored, such as `staff:ana`.
    pub(super) who: String,
    /// A kind of row, such as `lead`, or a verb, such as `lead.created`.
    pub(super) what: String,
    /// The number of the row; it counts only together with `what`.
    pub(super) row: Option<i64>,
    pub(super) request: String,
    pub(super) batch: String,
    /// On this day or later.
    pub(super) since: Option<NaiveDate>,
    /// On this day or earlier.
    pub(super) until: Option<NaiveDate>,
    /// The position below which the page begins.
    pub(super) before: Option<(DateTime<Utc>, EventId)>,
}

impl Asked {
    /// Reads a query. What is unknown or malformed does not restrict the record.
    pub(super) fn read(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            let is_fit = value.len() <= LONGEST && !value.chars().any(char::is_control);
            let text = || if is_fit { value.to_owned() } else { String::new() };
            match &*name {
                "who" => asked.who = text(),
                // A kind of row or a verb: no empty word stands beside a dot.
                "what" if value.split('.').all(|word| !word.is_empty()) => asked.what = text(),
                "row" => asked.row = value.parse().ok(),
                "request" => asked.request = text(),
                "batch" => asked.batch = text(),
                "since" => asked.since = day(value),
                "until" => asked.until = day(value),
                "before" => asked.before = position(value),
                _ => {}
            }
        }
        asked
    }

    /// The record with these choices.
    pub(super) fn link(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let before = self.before.map(|(at, id)| format!("{}.{}", at.timestamp_micros(), id.0));
        for (name, value) in [
            ("who", self.who.clone()),
            ("what", self.what.clone()),
            ("row", self.row.map(|row| row.to_string()).unwrap_or_default()),
            ("request", self.request.clone()),
            ("batch", self.batch.clone()),
            ("since", day(self.since)),
            ("until", day(self.until)),
            ("before", before.unwrap_or_default()),
        ] {
            if !value.is_empty() {
                query.append_pair(name, &value);
            }
        }
        match query.finish().as_str() {
            "" => format!("{BASE}events/"),
            query => format!("{BASE}events/?{query}"),
        }
    }

    /// The question to the record.
    pub(super) fn question(&self) -> Question {
        let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Arc::<str>::from);
        let begin = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let is_verb = self.what.contains('.');
        let filter = EventFilter {
            actor: some(&self.who).map(|words| Actor::from_words(&words)),
            verb: some(&self.what).filter(|_| is_verb).map(|word| Verb::from_word(&word)),
            resource: some(&self.what).filter(|_| !is_verb),
            id: self.row.filter(|_| !self.what.is_empty()),
            batch: some(&self.batch).map(BatchId),
            after: self.since.map(begin),
            before: self.until.and_then(|day| day.checked_add_days(Days::new(1))).map(begin),
        };
        Question { filter, request: some(&self.request) }
    }

    /// Whether anything is chosen.
    pub(super) fn is_filtered(&self) -> bool {
        Self { before: None, ..self.clone() } != Self::default()
    }

    /// Whether a filter is chosen that is hidden until somebody opens the others.
    pub(super) fn has_more_filters(&self) -> bool {
        self.row.is_some() || !self.request.is_empty() || !self.batch.is_empty()
    }

    /// Whether it asks for one bulk action and nothing else.
    pub(super) fn is_of_batch(&self) -> bool {
        let batch = self.batch.clone();
        !batch.is_empty()
            && Self { before: None, ..self.clone() } == Self { batch, ..Self::default() }
    }

    /// The page below this position.
    pub(super) fn older(&self, before: (DateTime<Utc>, EventId)) -> Self {
        Self { before: Some(before), ..self.clone() }
    }

    /// All events of this actor.
    pub(super) fn by(actor: &Actor) -> Self {
        Self { who: actor.to_string(), ..Self::default() }
    }

    /// All events about the row of this event.
    pub(super) fn about(event: &Event) -> Self {
        let what = event.subject.resource.to_string();
        Self { what, row: Some(event.subject.id), ..Self::default() }
    }

    /// The events of the bulk action of this event.
    pub(super) fn of_batch(batch: &BatchId) -> Self {
        Self { batch: batch.0.to_string(), ..Self::default() }
    }

    /// The events of the request of this event. The search begins shortly after it, because there is no
    /// index of requests.
    pub(super) fn of_request(event: &Event, request: &str) -> Self {
        let end = event.act.at + chrono::TimeDelta::minutes(2);
        let who = event.act.author.actor.to_string();
        let before = Some((end, EventId(i64::MAX)));
        Self { who, request: request.to_owned(), before, ..Self::default() }
    }
}

/// A day that databases know.
fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|day: &NaiveDate| (1..=9999).contains(&day.year()))
}

/// A position in the record, if databases know its time.
fn position(text: &str) -> Option<(DateTime<Utc>, EventId)> {
    let (at, id) = text.split_once('.')?;
    let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
    let id = EventId(id.parse().ok()?);
    (1..=9999).contains(&at.year()).then_some((at, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("")]
    #[case("?who=staff%3Aana&what=lead.created&row=7&request=r-1&batch=b")]
    #[case("?what=api_key&since=2026-01-01&until=2026-02-01&before=1790000000000001.5")]
    fn the_record_is_read_back_from_its_address(#[case] query: &str) {
        let asked = Asked::read(query.trim_start_matches('?'));
        assert_eq!(asked.link(), format!("{BASE}events/{query}"));
    }

    #[rstest]
    #[case("row=x&since=soon&until=-5000-01-01&before=x&before=1&before=9000000000000000000.1")]
    #[case("who=a%00b&what=%0A.&%ff=%ff&&&=")]
    fn what_is_malformed_does_not_restrict(#[case] query: &str) {
        assert_eq!(Asked::read(query), Asked::default());
        assert_eq!(Asked::read(&format!("batch={}", "a".repeat(301))), Asked::default());
    }

    #[test]
    fn a_question_has_all_that_the_address_asks_for() {
        let address = "who=service&what=lead.created&row=7&request=r&batch=b&since=2026-01-01\
                       &until=2026-01-01";
        let Question { filter, request } = Asked::read(address).question();
        assert_eq!(filter.actor, Some(Actor::Service));
        assert_eq!(filter.verb, Some(Verb::of("lead", Verb::CREATED)));
        assert_eq!((filter.resource, filter.id), (None, Some(7)));
        assert_eq!((filter.batch, request), (Some(BatchId("b".into())), Some("r".into())));
        assert_eq!((filter.before.unwrap() - filter.after.unwrap()).num_hours(), 24);
        let filter = Asked::read("what=lead").question().filter;
        assert_eq!((filter.resource.as_deref(), filter.verb), (Some("lead"), None));
        // Rows of different kinds have the same numbers.
        assert_eq!(Asked::read("row=7").question(), Question::default());
    }

    #[test]
    fn a_bulk_action_is_one_without_other_conditions() {
        assert!(Asked::read("batch=b&before=1790000000000001.5").is_of_batch());
        assert!(!Asked::read("batch=b&what=lead").is_of_batch());
        assert!(!Asked::read("what=lead").is_of_batch() && !Asked::default().is_of_batch());
    }
}
