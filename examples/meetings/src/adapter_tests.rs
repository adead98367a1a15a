//! The rules that both adapters keep, over real databases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::events::{Act, EventFilter, Verb};
use exit3_domain::leads::LeadId;
use exit3_domain::order::Order;
use exit3_domain::paging::{Direction, PageNumber, PageRequest, Step};
use exit3_ports::{Constraint, ModuleSchema, Repositories, Rows, StoreError, Target};
use exit3_postgres::{PgDatabase, PgSettings};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders::{at, lead, some_act};
use exit3_testkit::postgres::{self, TestDatabase};
use exit3_testkit::unique;

use crate::domain::{
    Meeting, MeetingFilter, MeetingId, MeetingOrder, MeetingSort, NewMeeting, Outcome, REMINDED,
};
use crate::ports::{MeetingRepository, POSTGRES, SQLITE, TABLE};
use crate::postgres::PgMeetingRepository;
use crate::sqlite::SqliteMeetingRepository;

const SCHEMA: ModuleSchema =
    ModuleSchema { module: "meetings", tables: &[TABLE], postgres: POSTGRES, sqlite: SQLITE };

/// Meetings in a database of their own, with one lead.
struct Scene {
    meetings: Box<dyn MeetingRepository>,
    all: Repositories,
    lead: LeadId,
    _guard: Box<dyn std::any::Any>,
}

async fn of_lead(
    meetings: Box<dyn MeetingRepository>,
    all: Repositories,
    guard: Box<dyn std::any::Any>,
) -> Scene {
    let lead = all.leads.create(&lead().build(), &some_act()).await.unwrap().id;
    Scene { meetings, all, lead, _guard: guard }
}

async fn in_sqlite() -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exit3.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
    database.migrate_to(Target::Newest, Rows::Keep).unwrap();
    database.migrate_module(SCHEMA, Target::Newest, Rows::Keep).unwrap();
    let meetings = SqliteMeetingRepository::new(database.store());
    of_lead(Box::new(meetings), database.repositories(), Box::new(directory)).await
}

async fn migrated_postgres() -> (TestDatabase, PgDatabase) {
    let kept = postgres::shared().create_database().await;
    let settings = PgSettings::parse(kept.url()).unwrap();
    let database = exit3_postgres::connect(&settings, tokio::runtime::Handle::current());
    database.migrate().await.unwrap();
    database.migrate_module(SCHEMA, Target::Newest, Rows::Keep).await.unwrap();
    (kept, database)
}

async fn in_postgres() -> Scene {
    let (kept, database) = migrated_postgres().await;
    let meetings = PgMeetingRepository::new(database.handle());
    of_lead(Box::new(meetings), database.repositories(), Box::new(kept)).await
}

/// Otherwise a duplicate would be answered with 503.
#[tokio::test(flavor = "multi_thread")]
async fn every_unique_value_has_a_rule() {
    let (kept, _database) = migrated_postgres().await;
    let without = unique::without_rule(kept.url(), SCHEMA.tables).await;
    assert!(without.is_empty(), "{without:?}");
}

/// Makes a test of each rule over each database.
macro_rules! rules {
    ($($rule:ident),+ $(,)?) => {
        mod sqlite_database {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                super::$rule(super::in_sqlite().await).await;
            })+
        }
        mod postgres_database {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                super::$rule(super::in_postgres().await).await;
            })+
        }
    };
}

rules!(
    keeps_what_it_stored_together_with_its_event,
    refuses_a_lead_that_does_not_exist,
    changes_only_what_was_seen,
    lists_by_lead_and_time,
    notes_a_reminder_once,
);

fn starting(scene: &Scene, minutes: i64) -> NewMeeting {
    NewMeeting {
        lead: scene.lead,
        starts_at: at(0) + TimeDelta::minutes(minutes),
        place: "Čakovec".to_owned(),
        notes: String::new(),
        outcome: None,
    }
}

fn act() -> Act {
    some_act()
}

async fn verbs(scene: &Scene, id: MeetingId) -> Vec<String> {
    let filter =
        EventFilter { resource: Some("meeting".into()), id: Some(id.0), ..EventFilter::default() };
    let events = scene.all.events.list(&filter, None, 10).await.unwrap();
    events.into_iter().map(|event| event.verb.to_string()).collect()
}

async fn keeps_what_it_stored_together_with_its_event(scene: Scene) {
    let new = NewMeeting {
        notes: "'; DROP TABLE meetings --\n😀".to_owned(),
        outcome: Some(Outcome::Moved),
        ..starting(&scene, 1)
    };
    let made = scene.meetings.create(&new, &act()).await.unwrap();
    assert_eq!(made.details, new);
    assert_eq!(scene.meetings.find(made.id).await.unwrap(), Some(made.clone()));
    assert_eq!(verbs(&scene, made.id).await, [Verb::of("meeting", Verb::CREATED).to_string()]);
    scene.meetings.delete(&made, &act()).await.unwrap();
    assert_eq!(scene.meetings.find(made.id).await.unwrap(), None);
    assert_eq!(verbs(&scene, made.id).await.len(), 2);
}

async fn refuses_a_lead_that_does_not_exist(scene: Scene) {
    let missing = NewMeeting { lead: LeadId(scene.lead.0 + 1), ..starting(&scene, 1) };
    let refused = scene.meetings.create(&missing, &act()).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}

async fn changes_only_what_was_seen(scene: Scene) {
    let seen = scene.meetings.create(&starting(&scene, 1), &act()).await.unwrap();
    let held = NewMeeting { outcome: Some(Outcome::Held), ..seen.details.clone() };
    let changed = scene.meetings.update(&seen, &held, &act()).await.unwrap();
    assert_eq!(changed, Meeting { details: held.clone(), ..seen.clone() });
    let late = scene.meetings.update(&seen, &held, &act()).await;
    assert!(matches!(late, Err(StoreError::Conflict(Constraint::Stale))), "{late:?}");
    let late = scene.meetings.delete(&seen, &act()).await;
    assert!(matches!(late, Err(StoreError::Conflict(Constraint::Stale))), "{late:?}");
    scene.meetings.delete(&changed, &act()).await.unwrap();
    let gone = scene.meetings.update(&changed, &held, &act()).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
}

async fn lists_by_lead_and_time(scene: Scene) {
    let other = scene.all.leads.create(&lead().build(), &act()).await.unwrap().id;
    for minutes in [3, 1, 2] {
        scene.meetings.create(&starting(&scene, minutes), &act()).await.unwrap();
    }
    let of_other = NewMeeting { lead: other, ..starting(&scene, 9) };
    scene.meetings.create(&of_other, &act()).await.unwrap();
    let filter = MeetingFilter { lead: Some(scene.lead), from: None };
    let request = PageRequest { number: PageNumber::Number(1), size: 2 };
    let page = scene.meetings.list(&filter, MeetingOrder::NEWEST, request).await.unwrap().unwrap();
    let minutes = |meeting: &Meeting| (meeting.details.starts_at - at(0)).num_minutes();
    assert_eq!((page.count, page.rows.iter().map(minutes).collect()), (3, vec![3, 2]));
    let order = Order { by: MeetingSort::StartsAt, descending: false };
    let step = Step {
        from: Some(order.position(page.rows.last().unwrap())),
        direction: Direction::Forward,
        size: 5,
    };
    let rest = scene.meetings.walk(&filter, order, &step).await.unwrap();
    assert_eq!(rest.rows.iter().map(minutes).collect::<Vec<_>>(), [3]);
    let later = MeetingFilter { lead: None, from: Some(at(0) + TimeDelta::minutes(3)) };
    let step = Step { from: None, ..step };
    let found = scene.meetings.walk(&later, order, &step).await.unwrap();
    assert_eq!(found.rows.iter().map(minutes).collect::<Vec<_>>(), [3, 9]);
}

async fn notes_a_reminder_once(scene: Scene) {
    let meeting = scene.meetings.create(&starting(&scene, 5), &act()).await.unwrap();
    let over = NewMeeting { outcome: Some(Outcome::Held), ..starting(&scene, 5) };
    scene.meetings.create(&over, &act()).await.unwrap();
    let due = async |minutes: [i64; 2]| {
        let [now, end]: [DateTime<Utc>; 2] = minutes.map(|it| at(0) + TimeDelta::minutes(it));
        scene.meetings.due(now, end, 10).await.unwrap()
    };
    assert_eq!(due([0, 5]).await, std::slice::from_ref(&meeting));
    assert_eq!((due([0, 4]).await, due([6, 9]).await), (vec![], vec![]));
    scene.meetings.note_reminder(&meeting, &act()).await.unwrap();
    assert_eq!(due([0, 5]).await, []);
    let again = scene.meetings.note_reminder(&meeting, &act()).await;
    assert!(matches!(again, Err(StoreError::Conflict(Constraint::Stale))), "{again:?}");
    let reminded = Verb::of("meeting", REMINDED).to_string();
    assert_eq!(verbs(&scene, meeting.id).await.iter().filter(|it| **it == reminded).count(), 1);
}
