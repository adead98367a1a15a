//! The use cases over a mock of the repository.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_app::{App, SaveError, UpdateError};
use exit3_domain::events::{Actor, Author, BatchId, Changes, Event, EventId, Subject, Verb};
use exit3_domain::leads::LeadId;
use exit3_domain::raw::RawValue;
use exit3_domain::versions::Expected;
use exit3_ports::events::{MockEventRepository, REQUEST_SENT};
use exit3_ports::{Constraint, MockRepositories, StoreError};

use crate::app::{self, Meetings};
use crate::domain::{Meeting, MeetingId, MeetingInput, NewMeeting, Outcome};
use crate::ports::MockMeetingRepository;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_790_000_000_000_000).unwrap()
}

fn app(repository: MockMeetingRepository) -> App {
    let mut repositories = MockRepositories::default();
    let meetings =
        Meetings { repository: Arc::new(repository), remind_ahead: TimeDelta::hours(24) };
    repositories.kept.keep(Arc::new(meetings));
    exit3_testkit::app::app(repositories, now())
}

fn meeting(outcome: Option<Outcome>) -> Meeting {
    let details = NewMeeting {
        lead: LeadId(7),
        starts_at: now() + TimeDelta::hours(3),
        place: "Zagreb".to_owned(),
        notes: String::new(),
        outcome,
    };
    Meeting { id: MeetingId(1), details, reminded_at: None }
}

fn author() -> Author {
    Actor::command("test").into()
}

fn input(fields: &[(&str, &str)]) -> MeetingInput {
    let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), RawValue::text(*text)));
    MeetingInput::of(fields.collect())
}

#[tokio::test]
async fn a_meeting_with_an_unknown_lead_is_an_error_of_that_field() {
    let mut repository = MockMeetingRepository::new();
    repository.expect_create().times(1).returning(|meeting, act| {
        assert_eq!((meeting.lead, act.at), (LeadId(7), now()));
        Err(StoreError::NotFound)
    });
    let fields = [("lead", "7"), ("starts_at", "2026-12-01T09:30:00Z"), ("place", "Zagreb")];
    let refused = app::create(&app(repository), input(&fields), &author()).await;
    let Err(SaveError::Invalid(invalid)) = refused else { unreachable!("{refused:?}") };
    assert_eq!(invalid.fields().map(|(name, _)| name).collect::<Vec<_>>(), ["lead"]);
}

#[tokio::test]
async fn a_request_that_comes_again_gets_what_it_has_made() {
    let author = Author { batch: Some(BatchId::of_request(1, 2)), ..author() };
    let mut repository = MockMeetingRepository::new();
    repository.expect_create().returning(|_, _| Err(StoreError::Conflict(REQUEST_SENT)));
    let mut events = MockEventRepository::new();
    let act = author.at(now());
    events.expect_of_request().returning(move |_| {
        Ok(Some(Event {
            id: EventId(1),
            act: act.clone(),
            verb: Verb::of("meeting", Verb::CREATED),
            subject: Subject { resource: "meeting".into(), id: 5 },
            changes: Changes::None,
        }))
    });
    let fields = [("lead", "7"), ("starts_at", "2026-12-01T09:30:00Z"), ("place", "Zagreb")];
    let mut app = app(repository);
    app.database.as_mut().ok().unwrap().events = Arc::new(events);
    let made = app::create(&app, input(&fields), &author).await;
    let made = made.unwrap();
    assert_eq!(
        (made.row.id, made.row.details.lead, made.is_repeated),
        (MeetingId(5), LeadId(7), true)
    );
}

#[tokio::test]
async fn a_change_is_applied_to_what_somebody_else_wrote_meanwhile() {
    let mut repository = MockMeetingRepository::new();
    let mut found = [None, Some(Outcome::Moved)].into_iter();
    repository.expect_find().times(2).returning(move |_| Ok(found.next().map(meeting)));
    repository.expect_update().times(2).returning(|seen, details, _| match seen.details.outcome {
        None => Err(StoreError::Conflict(Constraint::Stale)),
        Some(_) => Ok(Meeting { details: details.clone(), ..seen.clone() }),
    });
    let (app, change) = (app(repository), input(&[("place", "Split")]));
    let changed =
        app::change(&app, MeetingId(1), change, &Expected::default(), &author()).await.unwrap();
    let details = changed.details;
    assert_eq!((details.place.as_str(), details.outcome), ("Split", Some(Outcome::Moved)));
}

#[tokio::test]
async fn a_meeting_stays_with_its_lead() {
    let mut repository = MockMeetingRepository::new();
    repository.expect_find().returning(|_| Ok(Some(meeting(None))));
    let (app, change) = (app(repository), input(&[("lead", "8")]));
    let refused = app::change(&app, MeetingId(1), change, &Expected::default(), &author()).await;
    assert!(matches!(refused, Err(UpdateError::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn only_reminders_that_were_noted_count() {
    let mut repository = MockMeetingRepository::new();
    repository.expect_due().times(1).returning(|from, end, most| {
        assert_eq!((from, end - from, most), (now(), TimeDelta::hours(24), 9));
        Ok((1..=3).map(|id| Meeting { id: MeetingId(id), ..meeting(None) }).collect())
    });
    repository.expect_note_reminder().times(3).returning(|seen, _| match seen.id.0 {
        1 => Ok(()),
        2 => Err(StoreError::Conflict(Constraint::Stale)),
        _ => Err(StoreError::NotFound),
    });
    assert_eq!(app::remind(&app(repository), 9, &author()).await.unwrap(), 1);
}
