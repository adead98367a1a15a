use std::sync::atomic::{AtomicU32, Ordering};

use exit3_domain::events::{EventId, NewEvent};
use exit3_domain::paging::Page;
use exit3_domain::silence::RESOURCE;
use exit3_domain::staff::{PasswordHash, Staff, StaffId, StaffProfile};
use exit3_ports::events::{EventPosition, Unread};

use super::*;
use crate::mail::SendMail;
use crate::testing::{Mocks, now};

/// Some years before the silence.
fn first() -> DateTime<Utc> {
    now() - TimeDelta::days(1000)
}

/// Counts after which 168 leads are to be expected in a week, one each hour.
fn each_hour() -> Counts {
    (0..168).map(|hour| (hour, 1)).collect()
}

/// The last lead so many hours before the time of the tests.
fn last(hours: i64) -> DateTime<Utc> {
    now() - TimeDelta::hours(hours)
}

/// The consumer has its place before the event is stored.
fn place_consumer(mocks: &mut Mocks) {
    mocks.repositories.events.expect_unread().returning(|consumer, _| {
        assert_eq!(consumer, CONSUMER);
        let start = EventPosition { transaction: 0, id: 0 };
        Ok(Unread { from: start, to: start, events: vec![] })
    });
}

/// Mocks of a steady intake, and how often the leads of a week are counted.
fn steady(last: DateTime<Utc>) -> (Mocks, Arc<AtomicU32>) {
    let mut mocks = Mocks::new();
    let counted = Arc::new(AtomicU32::new(0));
    let intake = &mut mocks.repositories.lead_intake;
    intake.expect_first().returning(|| Ok(Some(first())));
    intake
        .expect_last()
        .returning(move |from, until| Ok(Some(last).filter(|at| (from..=until).contains(at))));
    let counts = Arc::clone(&counted);
    intake.expect_count().returning(move |from, until| {
        assert_eq!(until - from, TimeDelta::weeks(1));
        assert!(until <= last, "the silence counts as a time without leads");
        counts.fetch_add(1, Ordering::Relaxed);
        Ok(each_hour())
    });
    (mocks, counted)
}

/// The node looks so many hours after the time of the tests.
async fn look(watch: &Watch, mocks: Mocks, hours: &[i64]) {
    let app = mocks.into_app_at(hours.iter().map(|hours| now() + TimeDelta::hours(*hours)));
    for _ in hours {
        watch.look(&app).await.unwrap();
    }
}

#[tokio::test]
async fn a_silence_is_told_once() {
    let (mut mocks, _) = steady(last(9));
    place_consumer(&mut mocks);
    let events = &mut mocks.repositories.events;
    events.expect_list().times(1).returning(|filter, _, _| {
        assert!(filter.batch.is_some() && filter.verb.is_some());
        Ok(vec![])
    });
    events.expect_note().times(1).returning(|NewEvent { verb, subject, .. }, act| {
        assert_eq!((verb.as_str(), &*subject.resource), ("intake.silent", RESOURCE));
        assert_eq!(act.author.batch, Silence { since: last(9), expected: 10.0 }.event().1.batch);
        assert_eq!(act.at, now() + TimeDelta::hours(1));
        Ok(())
    });
    // Nine leads were to be expected, then ten, and then ever more.
    look(&Watch::default(), mocks, &[0, 1, 2, 3, 200]).await;
}

#[tokio::test]
async fn what_another_node_has_told_is_not_told_again() {
    let (mut mocks, _) = steady(last(10));
    place_consumer(&mut mocks);
    let events = &mut mocks.repositories.events;
    events.expect_list().times(1).returning(|_, _, _| Ok(vec![]));
    events.expect_note().times(1).returning(|_, _| Err(StoreError::Conflict(FORM_SENT)));
    look(&Watch::default(), mocks, &[0, 1]).await;

    // After a restart.
    let (mut mocks, _) = steady(last(10));
    let told = alarm(last(10));
    mocks
        .repositories
        .events
        .expect_list()
        .times(1)
        .returning(move |_, _, _| Ok(vec![told.clone()]));
    mocks.repositories.events.expect_note().never();
    look(&Watch::default(), mocks, &[0, 1]).await;
}

#[tokio::test]
async fn a_failure_to_tell_is_made_good_at_the_next_look() {
    let (mut mocks, _) = steady(last(10));
    place_consumer(&mut mocks);
    let events = &mut mocks.repositories.events;
    events.expect_list().times(2).returning(|_, _, _| Ok(vec![]));
    events.expect_note().times(1).returning(|_, _| Err(crate::testing::away()));
    events.expect_note().times(1).returning(|_, _| Ok(()));
    let app = mocks.into_app();
    let watch = Watch::default();
    watch.look(&app).await.unwrap_err();
    watch.look(&app).await.unwrap();
    watch.look(&app).await.unwrap();
}

#[tokio::test]
async fn a_lead_ends_the_silence_and_the_next_one_is_told_again() {
    let mut mocks = Mocks::new();
    place_consumer(&mut mocks);
    let leads = [last(10), now() + TimeDelta::minutes(30)];
    let intake = &mut mocks.repositories.lead_intake;
    intake.expect_first().returning(|| Ok(Some(first())));
    intake.expect_last().returning(move |from, until| {
        Ok(leads.into_iter().filter(|at| (from..=until).contains(at)).max())
    });
    intake.expect_count().returning(|_, _| Ok(each_hour()));
    let events = &mut mocks.repositories.events;
    events.expect_list().times(2).returning(|_, _, _| Ok(vec![]));
    events.expect_note().times(2).returning(|_, _| Ok(()));
    look(&Watch::default(), mocks, &[0, 1, 9, 10, 11]).await;
}

#[tokio::test]
async fn leads_are_counted_once_an_hour_at_most() {
    let (mut mocks, counted) = steady(last(2));
    mocks.repositories.events.expect_list().never();
    let app = mocks.into_app_at((0..180).map(|minute| now() + TimeDelta::minutes(minute)));
    let watch = Watch::default();
    for _ in 0..180 {
        watch.look(&app).await.unwrap();
    }
    // Without a lead since, there is nothing new to learn.
    assert_eq!(counted.load(Ordering::Relaxed), 8);

    // A lead has just come at each look.
    let counted = Arc::new(AtomicU32::new(0));
    let counts = Arc::clone(&counted);
    let mut mocks = Mocks::new();
    let intake = &mut mocks.repositories.lead_intake;
    intake.expect_first().times(3).returning(|| Ok(Some(first())));
    intake.expect_last().returning(|_, until| Ok(Some(until)));
    intake.expect_count().returning(move |_, _| {
        counts.fetch_add(1, Ordering::Relaxed);
        Ok(each_hour())
    });
    let app = mocks.into_app_at((0..180).map(|minute| now() + TimeDelta::minutes(minute)));
    let watch = Watch::default();
    for _ in 0..180 {
        watch.look(&app).await.unwrap();
    }
    assert_eq!(counted.load(Ordering::Relaxed), 3 * 8);
}

#[tokio::test]
async fn there_is_no_alarm_without_leads_or_in_the_first_two_weeks() {
    for first in [None, Some(now() - TimeDelta::days(13)), Some(now() + TimeDelta::days(1))] {
        let mut mocks = Mocks::new();
        let intake = &mut mocks.repositories.lead_intake;
        intake.expect_first().returning(move || Ok(first));
        intake
            .expect_last()
            .returning(move |from, until| Ok(first.filter(|at| (from..=until).contains(at))));
        intake.expect_count().never();
        look(&Watch::default(), mocks, &[0, 1]).await;
    }
}

/// The stored event of an alarm.
fn alarm(since: DateTime<Utc>) -> Event {
    let (NewEvent { verb, subject, changes }, author) = Silence { since, expected: 9.5 }.event();
    Event { id: EventId(7), act: author.at(now()), verb, subject, changes }
}

fn account(id: i64, email: &str, is_active: bool, is_superuser: bool) -> Staff {
    let empty = String::new;
    let profile = StaffProfile {
        username: format!("person {id}"),
        first_name: empty(),
        last_name: empty(),
        email: email.to_owned(),
        is_staff: true,
        is_active,
        is_superuser,
        role: None,
    };
    let password = PasswordHash::none();
    let preferences = Default::default();
    let (date_joined, last_login) = (now(), None);
    Staff { id: StaffId(id), profile, password, preferences, date_joined, last_login }
}

async fn sent(mocks: Mocks, alarmed: Alarmed) -> Vec<Mail> {
    let mut created = alarm(last(1));
    created.verb = exit3_domain::events::Verb::of("lead", "created");
    let events = vec![created, alarm(last(10))];
    let jobs = mails(mocks.into_app(), events, alarmed).await.unwrap();
    let mail = |job: &NewJob| serde_json::from_str::<SendMail>(&job.payload).unwrap().mail;
    jobs.iter().map(mail).collect()
}

#[tokio::test]
async fn an_alarm_is_mailed_to_each_address() {
    let addresses = ["ana@example.com", "iva@example.com"].map(str::to_owned);
    let mails = sent(Mocks::new(), Alarmed::Addresses(addresses.to_vec())).await;
    let to: Vec<_> = mails.iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(to, addresses);
    assert_ne!(mails[0].id, mails[1].id);
    let since = text_of(last(10));
    assert_eq!(mails[0].subject, format!("No lead since {since}"));
    assert!(mails[0].text.contains(&since) && mails[0].text.contains("about 10"), "{mails:?}");
    assert_eq!(sent(Mocks::new(), Alarmed::Nobody).await, []);
}

#[tokio::test]
async fn an_alarm_is_mailed_to_active_owners_with_an_address() {
    let mut mocks = Mocks::new();
    mocks.repositories.staff.expect_list().returning(|_| {
        let rows = vec![
            account(1, "ana@example.com", true, true),
            account(2, "", true, true),
            account(3, "manager@example.com", true, false),
            account(4, "gone@example.com", false, true),
            account(5, "iva@example.com", true, true),
        ];
        Ok(Some(Page { count: 5, number: 1, rows }))
    });
    let mails = sent(mocks, Alarmed::Owners).await;
    let to: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["ana@example.com", "iva@example.com"]);
}
