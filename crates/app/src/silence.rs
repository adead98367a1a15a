//! Notices that no lead has come for so long that it is hardly chance, and tells it once.
//!
//! Each node looks for itself. The first one that finds an alarm stores an event, which the database takes
//! once for each last lead; mails follow from the event.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::email::is_valid;
use exit3_domain::events::{Event, EventFilter};
use exit3_domain::jobs::NewJob;
use exit3_domain::mail::Mail;
use exit3_domain::paging::{MAX_PAGE_SIZE, PageNumber, PageRequest};
use exit3_domain::silence::{Counts, Profile, Silence, Weeks};
use exit3_domain::staff::Role;
use exit3_ports::events::FORM_SENT;
use exit3_ports::{StoreError, with_causes};
use tokio::sync::Mutex;

use crate::jobs::Registry;
use crate::{App, mail, telemetry};

/// The name of the consumer.
const CONSUMER: &str = "silence";

/// How long the counts of a node are good for.
const COUNTS: TimeDelta = TimeDelta::hours(1);

/// A lead may be stored so much later than its time says, without being missed until the next count.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// Who gets a mail about an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarmed {
    /// Nobody: the service sends no mails.
    Nobody,
    /// The active owners whose accounts have an address.
    Owners,
    /// These addresses.
    Addresses(Vec<String>),
}

/// Lets each node look this often, and mails follow from alarms.
pub fn add(registry: &mut Registry, every: Duration, alarmed: Alarmed) {
    let watch = Arc::new(Watch::default());
    registry.on_each_node(every, move |app| {
        let watch = Arc::clone(&watch);
        async move {
            if let Err(error) = watch.look(&app).await {
                let error = with_causes(&error);
                tracing::debug!(error, "whether it is too quiet could not be found out");
            }
        }
    });
    // It reads on if nobody gets a mail, so that no old alarm is told when somebody does again.
    registry.consume(CONSUMER, move |app, events| mails(app, events, alarmed.clone()));
}

/// What a node remembers, so that it need not count at each look.
#[derive(Default)]
struct Watch(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    counted_at: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    learnt: Option<(Weeks, Profile)>,
    /// The last lead of the silence that was told.
    told: Option<DateTime<Utc>>,
}

impl Watch {
    /// Looks whether it is too quiet, sets the metrics, and tells an alarm if nobody has.
    async fn look(&self, app: &App) -> Result<(), StoreError> {
        let mut seen = self.0.lock().await;
        let now = app.clock.now();
        seen.bring_up_to_date(app, now).await?;
        let Some(silence) = seen.silence(now) else {
            telemetry::tell_silence(0.0, false);
            return Ok(());
        };
        telemetry::tell_silence(silence.expected, silence.is_alarm());
        if silence.is_alarm() && seen.told != Some(silence.since) {
            tell(app, &silence, now).await?;
            seen.told = Some(silence.since);
        }
        Ok(())
    }
}

impl Seen {
    async fn bring_up_to_date(&mut self, app: &App, now: DateTime<Utc>) -> Result<(), StoreError> {
        let intake = &app.repositories()?.lead_intake;
        // A clock that was ahead has counted at a time that has not come yet.
        let fresh = self.counted_at.filter(|at| *at <= now && now - *at < COUNTS);
        if let Some(counted_at) = fresh {
            let unseen = self.last.unwrap_or_default().max(counted_at - LATE);
            let last = intake.last(unseen, now).await?;
            self.last = self.last.max(last);
            return Ok(());
        }
        let first = intake.first().await?;
        let last = match first {
            Some(first) => intake.last(first, now).await?,
            None => None,
        };
        let weeks = first.zip(last).and_then(|(first, last)| Weeks::before(first, last, now));
        self.learnt = match (weeks, self.learnt.take()) {
            (Some(weeks), Some(learnt)) if learnt.0 == weeks => Some(learnt),
            (Some(weeks), _) => {
                let mut counts = Counts::default();
                // Each statement reads one week, so that none takes long.
                for (from, until) in weeks.each() {
                    counts = counts + intake.count(from, until).await?;
                }
                Some((weeks, Profile::of(&weeks, &counts)))
            }
            (None, _) => None,
        };
        self.last = last;
        self.counted_at = Some(now);
        Ok(())
    }

    fn silence(&self, now: DateTime<Utc>) -> Option<Silence> {
        let (since, (_, profile)) = (self.last?, self.learnt.as_ref()?);
        Some(Silence { since, expected: profile.expected(since, now) })
    }
}

/// Stores the event of an alarm, unless it is stored.
async fn tell(app: &App, silence: &Silence, now: DateTime<Utc>) -> Result<(), StoreError> {
    let events = &app.repositories()?.events;
    let (event, author) = silence.event();
    let verb = Some(event.verb.clone());
    let same = EventFilter { batch: author.batch.clone(), verb, ..EventFilter::default() };
    if !events.list(&same, None, 1).await?.is_empty() {
        return Ok(());
    }
    // The consumer gets its place before the event, or it would never read it.
    events.unread(CONSUMER, 1).await?;
    match events.note(&event, &author.at(now)).await {
        Ok(()) => {
            let (since, expected) = (text_of(silence.since), silence.expected.round());
            tracing::warn!(%since, expected, "no lead has come for so long that it is hardly chance");
            Ok(())
        }
        // Another node was faster.
        Err(StoreError::Conflict(FORM_SENT)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The jobs that send mails about the alarms among these events.
async fn mails(app: App, events: Vec<Event>, alarmed: Alarmed) -> Result<Vec<NewJob>, StoreError> {
    let silences: Vec<Silence> = events.iter().filter_map(Silence::of_event).collect();
    if silences.is_empty() {
        return Ok(Vec::new());
    }
    let to = match alarmed {
        Alarmed::Nobody => return Ok(Vec::new()),
        Alarmed::Addresses(addresses) => addresses,
        Alarmed::Owners => owners(&app).await?,
    };
    if to.is_empty() {
        tracing::warn!("nobody gets a mail about the alarm: no active owner has an address");
    }
    let mail = |silence: &Silence, (number, to): (usize, &String)| {
        mail::job(Mail {
            id: format!("silence.{}.{number}", silence.since.timestamp_micros()),
            to: to.clone(),
            subject: format!("No lead since {}", text_of(silence.since)),
            text: text(silence),
        })
    };
    let each = silences
        .iter()
        .flat_map(|silence| to.iter().enumerate().map(move |numbered| mail(silence, numbered)));
    each.collect()
}

/// The addresses of the active owners.
async fn owners(app: &App) -> Result<Vec<String>, StoreError> {
    let staff = &app.repositories()?.staff;
    let mut addresses = Vec::new();
    for number in 1.. {
        let number = PageNumber::Number(number);
        let Some(page) = staff.list(PageRequest { number, size: MAX_PAGE_SIZE }).await? else {
            break;
        };
        let is_last = page.rows.len() < MAX_PAGE_SIZE as usize;
        let profiles = page.rows.into_iter().map(|staff| staff.profile);
        let owners = profiles.filter(|it| it.is_active && it.works_as() == Some(Role::Owner));
        addresses.extend(owners.map(|it| it.email).filter(|email| is_valid(email)));
        if is_last {
            break;
        }
    }
    Ok(addresses)
}

fn text(silence: &Silence) -> String {
    format!(
        "No lead has come through the API since {}.\n\
         \n\
         As many came in the weeks before, about {:.0} were to be expected since then. The chance that \
         none came is less than 1 in 10,000, if everything works.\n\
         \n\
         Please look whether the website, its form and its API key work, and whether the service can be \
         reached. A holiday can be the reason too.\n\
         \n\
         No further message comes about this silence.\n",
        text_of(silence.since),
        silence.expected,
    )
}

fn text_of(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
#[path = "silence_tests.rs"]
mod tests;
