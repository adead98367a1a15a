use std::sync::{Arc, Mutex};

use chrono::Days;
use exit3_domain::events::{Actor, Author, EventId, record};
use exit3_ports::events::{EventPosition, Unread};

use super::*;
use crate::testing::{Mocks, now, stored};

/// A Monday, in the week before that of [`now`].
fn before() -> Week {
    let weeks = Week::last(now());
    weeks[weeks.len() - 2]
}

fn event(id: i64, verb: &str, changes: Changes) -> Event {
    let verb = Verb::from_word(verb);
    let subject = Subject { resource: verb.resource().into(), id };
    let act = Author::from(Actor::Service).at(now());
    Event { id: EventId(id), act, verb, subject, changes }
}

fn status() -> Changes {
    Changes::one("status", "new", "contacted")
}

/// Mocks of a consumer that reads these events, while the weeks in `counted` have numbers already. The
/// returned list gets the jobs.
fn mocks(events: Vec<Event>, counted: Vec<Week>) -> (Mocks, Arc<Mutex<Vec<NewJob>>>) {
    let mut mocks = Mocks::new();
    let jobs = Arc::new(Mutex::new(Vec::new()));
    let at = |id| EventPosition { transaction: 0, id };
    let repositories = &mut mocks.repositories;
    let mut unread = vec![Vec::new(), events];
    repositories.events.expect_unread().returning(move |_, _| {
        Ok(Unread { from: at(0), to: at(1), events: unread.pop().unwrap_or_default() })
    });
    let noted = Arc::clone(&jobs);
    repositories.events.expect_note_read().returning(move |consumer, _, jobs| {
        assert_eq!(consumer, "lead_weeks");
        noted.lock().unwrap().extend(jobs.to_vec());
        Ok(())
    });
    let enqueued = Arc::clone(&jobs);
    repositories.jobs.expect_enqueue().returning(move |jobs| {
        enqueued.lock().unwrap().extend(jobs.to_vec());
        Ok(jobs.len() as u64)
    });
    repositories.lead_weeks.expect_list().returning(move |from| {
        assert_eq!(from, Week::last(now())[0]);
        Ok(counted.iter().map(|week| LeadWeek::of(*week, 7, Vec::new())).collect())
    });
    (mocks, jobs)
}

fn days(jobs: &Mutex<Vec<NewJob>>) -> Vec<NaiveDate> {
    let jobs = jobs.lock().unwrap();
    jobs.iter().map(|job| serde_json::from_str::<CountWeek>(&job.payload).unwrap().day).collect()
}

#[tokio::test]
async fn weeks_whose_leads_have_changed_are_counted_again() {
    let long_ago = now() - TimeDelta::days(365);
    let deleted = |at: DateTime<Utc>| {
        Changes::Row(record(&exit3_domain::leads::Lead { created_at: at, ..stored(3) }))
    };
    let events = vec![
        event(1, "lead.created", Changes::None),
        event(2, "lead.updated", status()),
        event(2, "lead.updated", Changes::one("full_name", "Ana", "Eva")),
        event(3, "lead.deleted", deleted(before().begin())),
        event(4, "lead.deleted", deleted(long_ago)),
        event(5, "lead.restored", Changes::None),
        event(6, "lead.updated", Changes::one("position", "CTO", "CEO")),
        event(7, "lead.noted", Changes::None),
        event(8, "subscriber.created", Changes::None),
    ];
    let (mut mocks, jobs) = mocks(events, Week::last(now()));
    let found = vec![Week::of(now()), Week::of(long_ago)];
    mocks
        .repositories
        .lead_weeks
        .expect_of()
        .times(1)
        .withf(|ids| *ids == [1, 2, 5].map(LeadId))
        .returning(move |_| Ok(found.clone()));
    follow(&mocks.into_app()).await.unwrap();
    assert_eq!(days(&jobs), [before().first_day(), Week::of(now()).first_day()]);
    let jobs = jobs.lock().unwrap();
    for job in &*jobs {
        let wait = job.run_at.unwrap() - now();
        assert!(wait > TimeDelta::zero() && wait <= SPAN, "{wait}");
        assert_eq!(job.kind, "leads.count_week");
    }
    assert_ne!(jobs[0].unique_key, jobs[1].unique_key);
}

#[tokio::test]
async fn after_an_import_or_an_erasure_all_weeks_are_counted() {
    for verb in ["database.imported", "person.erased"] {
        let (mocks, jobs) = mocks(vec![event(0, verb, Changes::None)], Week::last(now()));
        follow(&mocks.into_app()).await.unwrap();
        let expected: Vec<_> = Week::last(now()).into_iter().map(Week::first_day).collect();
        assert_eq!(days(&jobs), expected, "{verb}");
    }
}

#[tokio::test]
async fn a_week_that_was_never_counted_is_counted_once_for_all_changes_of_a_while() {
    let mut counted = Week::last(now());
    counted.remove(4);
    let (mocks, jobs) = mocks(Vec::new(), counted);
    let app = mocks.into_app();
    follow(&app).await.unwrap();
    follow(&app).await.unwrap();
    let jobs = jobs.lock().unwrap();
    let keys: Vec<_> = jobs.iter().map(|job| job.unique_key.clone().unwrap()).collect();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}

#[tokio::test]
async fn pages_show_all_weeks() {
    let (mocks, _) = mocks(Vec::new(), vec![before()]);
    let shown = weeks(&mocks.into_app()).await.unwrap();
    let received: Vec<_> = shown.iter().map(|week| week.received).collect();
    assert_eq!(received, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0]);
}

#[tokio::test]
async fn the_job_counts_the_week_of_its_day() {
    let mut mocks = Mocks::new();
    let counted = &mut mocks.repositories.lead_weeks;
    counted.expect_count().times(1).withf(|week| *week == before()).returning(|_| Ok(()));
    let day = before().first_day().checked_add_days(Days::new(3)).unwrap();
    count_week(mocks.into_app(), CountWeek { day }).await.unwrap();
}
