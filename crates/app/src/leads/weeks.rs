//! The numbers of leads by week. They follow from events: a consumer finds the weeks whose leads have
//! changed, and stores a job that counts each of them again.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, DurationRound, NaiveDate, NaiveTime, TimeDelta, Utc};
use exit3_domain::events::{Changes, Event, Subject, Verb};
use exit3_domain::jobs::NewJob;
use exit3_domain::leads::{self, LeadId, LeadWeek, Week};
use exit3_ports::{StoreError, TRACE};
use serde::{Deserialize, Serialize};

use crate::jobs::{JobFailure, Payload, Registry, enqueue};
use crate::{App, events};

/// The name of the consumer.
const CONSUMER: &str = "lead_weeks";

/// A week is counted at the end of such a span at the earliest, so that it is counted once for all
/// changes in it.
const SPAN: TimeDelta = TimeDelta::seconds(10);

/// The numbers of each of the last weeks, the earliest first. A week that was not counted yet has none.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.weeks", skip_all)]
pub async fn weeks(app: &App) -> Result<Vec<LeadWeek>, StoreError> {
    let weeks = Week::last(app.clock.now());
    let counted = stored(app, &weeks).await?;
    let of = |week: Week| {
        let found = counted.iter().find(|counted| counted.week == week);
        found.copied().unwrap_or_else(|| LeadWeek::of(week, 0, Vec::new()))
    };
    Ok(weeks.into_iter().map(of).collect())
}

async fn stored(app: &App, weeks: &[Week]) -> Result<Vec<LeadWeek>, StoreError> {
    let Some(first) = weeks.first() else { return Ok(Vec::new()) };
    app.repositories()?.lead_weeks.list(*first).await
}

/// The job that counts the leads of a week.
#[derive(Debug, Serialize, Deserialize)]
pub struct CountWeek {
    /// A day of the week.
    pub day: NaiveDate,
}

impl Payload for CountWeek {
    const KIND: &'static str = "leads.count_week";
}

/// Counts the leads of a week.
///
/// The numbers replace the stored ones, so running it twice does no harm.
///
/// # Errors
/// The database is unavailable.
pub async fn count_week(app: App, job: CountWeek) -> Result<(), JobFailure> {
    let week = Week::of(job.day.and_time(NaiveTime::MIN).and_utc());
    Ok(app.repositories()?.lead_weeks.count(week).await?)
}

/// Adds the consumer of events that keeps the numbers of the last weeks up to date. Each node looks,
/// because a look that finds nothing stores nothing.
pub fn add(registry: &mut Registry, every: Duration) {
    registry.round(Some(CONSUMER), every, |app| async move {
        if let Err(error) = follow(&app).await {
            tracing::debug!(%error, "the numbers of leads by week could not be brought up to date");
        }
    });
}

/// Lets those of the last weeks be counted whose leads have changed, and those that were never counted.
///
/// # Errors
/// [`StoreError`].
async fn follow(app: &App) -> Result<(), StoreError> {
    events::consume(app, CONSUMER, |events| jobs_after(app, events)).await?;
    // After the events, so that a change after the count is among them.
    let now = app.clock.now();
    let mut missing = Week::last(now);
    let counted = stored(app, &missing).await?;
    missing.retain(|week| counted.iter().all(|counted| counted.week != *week));
    if missing.is_empty() {
        return Ok(());
    }
    enqueue(app, &jobs(missing, now)?).await.map(drop)
}

/// The jobs that follow from these events.
async fn jobs_after(app: &App, events: Vec<Event>) -> Result<Vec<NewJob>, StoreError> {
    let now = app.clock.now();
    let last = Week::last(now);
    // An import, or the removal of a person: nothing tells which leads that were.
    let are_all =
        |event: &Event| [Subject::DATABASE, Subject::PERSON].contains(&&*event.subject.resource);
    if events.iter().any(are_all) {
        return jobs(last, now);
    }
    let mut weeks = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for event in events.iter().filter(|event| &*event.subject.resource == leads::RESOURCE) {
        match (&event.changes, event.verb.action()) {
            (Changes::Row(row), Verb::DELETED) => {
                let received = row.get("created_at").and_then(|at| at.as_str());
                weeks.extend(received.and_then(|at| at.parse().ok()).map(Week::of));
            }
            (Changes::Fields(_), Verb::UPDATED) if event.changes.values_of("status").is_empty() => {
            }
            (_, Verb::CREATED | Verb::UPDATED | Verb::RESTORED) => {
                ids.insert(LeadId(event.subject.id));
            }
            _ => {}
        }
    }
    let ids: Vec<LeadId> = ids.into_iter().collect();
    if !ids.is_empty() {
        weeks.extend(app.repositories()?.lead_weeks.of(&ids).await?);
    }
    jobs(weeks.into_iter().filter(|week| last.contains(week)), now)
}

/// A job for each week, at the end of the present span. If its key belongs to a job that waits already,
/// that one counts later than now.
fn jobs(
    weeks: impl IntoIterator<Item = Week>,
    now: DateTime<Utc>,
) -> Result<Vec<NewJob>, StoreError> {
    let begun = now.duration_trunc(SPAN).unwrap_or(now);
    let job = |week: Week| {
        let day = week.first_day();
        let job = CountWeek { day }.job().map_err(|error| StoreError::Other(error.into()))?;
        Ok(NewJob {
            run_at: Some(begun + SPAN),
            unique_key: Some(format!("{CONSUMER}:{day}:{}", begun.timestamp())),
            ..job
        })
    };
    weeks.into_iter().map(job).collect()
}

#[cfg(test)]
#[path = "weeks_tests.rs"]
mod tests;
