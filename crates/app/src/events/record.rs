//! The record of all events, with any combination of conditions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use exit3_domain::access::{Action, Record};
use exit3_domain::events::{Event, EventFilter, EventId};
use exit3_ports::{StoreError, TRACE};

use crate::App;
use crate::access::{Doer, Forbidden};

/// How many events are read at once, and how often, before a search stops.
const AT_ONCE: u32 = 1_000;
const TIMES: u32 = 5;

/// Why the record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The rules of the back office do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What somebody wants to see of the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The events.
    pub filter: EventFilter,
    /// Only those of this HTTP request.
    pub request: Option<Arc<str>>,
}

impl Question {
    fn admits(&self, event: &Event) -> bool {
        let is_of_request = |request: &Arc<str>| event.act.author.request.as_ref() == Some(request);
        self.filter.admits(event) && self.request.as_ref().is_none_or(is_of_request)
    }

    /// Filters that an index answers alone. Each filter selects all events of the question, and perhaps
    /// more.
    fn ways(&self) -> Vec<EventFilter> {
        let EventFilter { actor, verb, resource: _, id, batch, after, before } = &self.filter;
        let time = || EventFilter { after: *after, before: *before, ..EventFilter::default() };
        let resource = || self.filter.only_resource().map(Arc::from);
        let mut ways = Vec::new();
        if batch.is_some() {
            ways.push(EventFilter { batch: batch.clone(), ..time() });
        }
        if actor.is_some() {
            ways.push(EventFilter { actor: actor.clone(), ..time() });
        }
        if let (Some(resource), Some(_)) = (resource(), id) {
            ways.push(EventFilter { resource: Some(resource), id: *id, ..time() });
        } else if verb.is_some() {
            ways.push(EventFilter { verb: verb.clone(), ..time() });
        } else if let Some(resource) = resource() {
            ways.push(EventFilter { resource: Some(resource), ..time() });
        }
        if ways.is_empty() {
            ways.push(time());
        }
        ways
    }
}

/// A part of the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// The position below which older events may be.
    pub older: Option<(DateTime<Utc>, EventId)>,
    /// Whether the search stopped before the part was full, because it had read so many events.
    pub is_cut_short: bool,
}

/// At most `size` events of the record with positions below `before`, newest first. No database has
/// an index for each combination of conditions. The events of the rarest condition are read, and
/// those are left out that break another one, until the part is full or too many were read. So the
/// cost is bounded, however many events there are.
///
/// # Errors
/// [`RecordError`].
#[tracing::instrument(target = TRACE, name = "events.record", skip_all)]
pub async fn record(
    app: &App,
    question: &Question,
    before: Option<(DateTime<Utc>, EventId)>,
    size: u32,
    doer: &Doer,
) -> Result<Part, RecordError> {
    doer.check(Action::Read, Record::Event)?;
    let events = &app.repositories()?.events;
    let ways = question.ways();
    let is_exact = question.request.is_none() && ways.first() == Some(&question.filter);
    let at_once = if is_exact { size + 1 } else { AT_ONCE };
    let (mut found, mut at) = (Vec::new(), before);
    for _ in 0..TIMES {
        let mut rarest: Option<Vec<Event>> = None;
        for way in &ways {
            let page = events.list(way, at, at_once).await?;
            // The events of the rarest condition reach back furthest, or to the end.
            let is_rarer = |other: &Vec<Event>| reach(&page, at_once) < reach(other, at_once);
            if rarest.as_ref().is_none_or(is_rarer) {
                rarest = Some(page);
            }
        }
        let page = rarest.unwrap_or_default();
        let is_end = page.len() < at_once as usize;
        at = page.last().map(Event::position);
        found.extend(page.into_iter().filter(|event| question.admits(event)));
        if found.len() > size as usize {
            found.truncate(size as usize);
            let older = found.last().map(Event::position);
            return Ok(Part { events: found, older, is_cut_short: false });
        }
        if is_end {
            return Ok(Part { events: found, older: None, is_cut_short: false });
        }
    }
    Ok(Part { events: found, older: at, is_cut_short: true })
}

/// How far back a page of events reaches; `None`, which is below all positions, to the end.
fn reach(page: &[Event], at_once: u32) -> Option<(DateTime<Utc>, EventId)> {
    let is_end = page.len() < at_once as usize;
    page.last().filter(|_| !is_end).map(Event::position)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use exit3_domain::access::Worker;
    use exit3_domain::events::{Act, Actor, Author, BatchId, Changes, Subject, Verb};
    use exit3_domain::staff::{Role, StaffId};

    use super::*;
    use crate::testing::{Mocks, author, doer, now};

    /// The event number `id`, one microsecond after the one before it.
    fn event(id: i64, actor: &str, verb: &str, row: i64) -> Event {
        let author = Author {
            actor: Actor::Staff(actor.into()),
            request: Some(format!("request-{id}").into()),
            batch: (id % 10 == 0).then(|| BatchId("tens".into())),
        };
        Event {
            id: EventId(id),
            act: Act { author, at: now() + TimeDelta::microseconds(id) },
            verb: Verb::from_word(verb),
            subject: Subject { resource: "lead".into(), id: row },
            changes: Changes::None,
        }
    }

    /// An app with these events, given from the oldest on.
    fn app(mut all: Vec<Event>) -> App {
        all.reverse();
        let mut mocks = Mocks::new();
        mocks.repositories.events.expect_list().returning(move |filter, before, size| {
            let conditions = usize::from(filter.actor.is_some())
                + usize::from(filter.verb.is_some() || filter.resource.is_some())
                + usize::from(filter.batch.is_some());
            assert!(conditions <= 1, "no index answers {filter:?}");
            let is_one = |event: &&Event| {
                filter.admits(event) && before.is_none_or(|before| event.position() < before)
            };
            Ok(all.iter().filter(is_one).take(size as usize).cloned().collect())
        });
        mocks.into_app()
    }

    fn ids(part: &Part) -> Vec<i64> {
        part.events.iter().map(|event| event.id.0).collect()
    }

    async fn ask(app: &App, question: &Question, size: u32) -> Part {
        record(app, question, None, size, &doer()).await.unwrap()
    }

    fn staff(name: &str) -> EventFilter {
        EventFilter { actor: Some(Actor::Staff(name.into())), ..EventFilter::default() }
    }

    #[tokio::test]
    async fn the_record_is_walked_without_a_gap() {
        let app = app((1..=7).map(|id| event(id, "ana", "lead.created", id)).collect());
        let (mut before, mut seen) = (None, Vec::new());
        for (size, older) in [(3, Some(5)), (2, Some(3)), (1, Some(2)), (1, None)] {
            let part = record(&app, &Question::default(), before, size, &doer()).await.unwrap();
            assert!(!part.is_cut_short);
            seen.extend(ids(&part));
            before = part.older;
            assert_eq!(before.map(|(_, id)| id.0), older, "{seen:?}");
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    }

    #[tokio::test]
    async fn of_two_conditions_the_rarer_one_is_read() {
        // Two events of ivo are far behind thousands of the frequent actor and verb.
        let many = (3..=20_000).map(|id| event(id, "ana", "lead.updated", id));
        let all = [event(1, "ivo", "lead.updated", 1), event(2, "ivo", "lead.created", 2)];
        let app = app(all.into_iter().chain(many).collect());
        let verb = Some(Verb::of("lead", Verb::UPDATED));
        let question = Question { filter: EventFilter { verb, ..staff("ivo") }, request: None };
        let part = ask(&app, &question, 5).await;
        assert_eq!((ids(&part), part.older, part.is_cut_short), (vec![1], None, false));
        let verb = Some(Verb::of("lead", Verb::CREATED));
        let question = Question { filter: EventFilter { verb, ..staff("ana") }, request: None };
        let part = ask(&app, &question, 5).await;
        assert_eq!((ids(&part), part.older, part.is_cut_short), (vec![], None, false));
    }

    #[tokio::test]
    async fn every_condition_holds() {
        let app = app((1..=60).map(|id| event(id, "ana", "lead.updated", id % 3)).collect());
        let filter = EventFilter {
            resource: Some("lead".into()),
            id: Some(0),
            batch: Some(BatchId("tens".into())),
            after: Some(now() + TimeDelta::microseconds(30)),
            before: Some(now() + TimeDelta::microseconds(60)),
            ..staff("ana")
        };
        let part = ask(&app, &Question { filter, request: None }, 5).await;
        assert_eq!(ids(&part), [30]);
        let question = Question { request: Some("request-7".into()), ..Question::default() };
        assert_eq!(ids(&ask(&app, &question, 5).await), [7]);
    }

    #[tokio::test]
    async fn a_search_stops_after_a_while_and_can_go_on() {
        let app = app((1..=8_000).map(|id| event(id, "ana", "lead.updated", id)).collect());
        let question = Question { request: Some("request-2".into()), ..Question::default() };
        let part = ask(&app, &question, 5).await;
        assert!(part.events.is_empty() && part.is_cut_short);
        assert_eq!(part.older.map(|(_, id)| id.0), Some(8_000 - 5_000 + 1));
        let part = record(&app, &question, part.older, 5, &doer()).await.unwrap();
        assert_eq!((ids(&part), part.older, part.is_cut_short), (vec![2], None, false));
    }

    #[tokio::test]
    async fn owners_and_managers_read_the_record() {
        for role in Role::ALL {
            let doer = Doer::worker(author(), Worker { id: StaffId(1), role: *role });
            let outcome = record(&app(Vec::new()), &Question::default(), None, 5, &doer).await;
            let may = matches!(role, Role::Owner | Role::Manager);
            assert_eq!(outcome.is_ok(), may, "{role}: {outcome:?}");
        }
    }
}
