//! Consumers of events: what is sent, scheduled or indexed follows from an event, as a job.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use exit3_domain::events::Event;
use exit3_domain::jobs::NewJob;
use exit3_ports::{Constraint, StoreError, with_causes};
use tokio::time::{Instant, sleep};

use crate::App;
use crate::jobs::Registry;

/// How often each node looks for events that a consumer has not read.
const LOOK: Duration = Duration::from_secs(10);

/// Events that are read together.
const STEP: u32 = 500;

/// After some events, a consumer rests for so many times as long as it took to read them. So it costs
/// those who write at the same time next to nothing.
const REST: u32 = 50;

impl Registry {
    /// Adds a consumer of events: `jobs` says which jobs follow from some of them. Each event leads to
    /// its jobs exactly once, as in [`consume`]. Each node looks for new events, because a look that
    /// finds nothing stores nothing. The name of a module's consumer begins with that of the module and
    /// a dot, such as `meetings.notify`.
    pub fn consume<F>(
        &mut self,
        name: &'static str,
        jobs: impl Fn(App, Vec<Event>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<Vec<NewJob>, StoreError>> + Send + 'static,
    {
        let jobs = Arc::new(jobs);
        self.round(Some(name), LOOK, move |app| {
            let jobs = Arc::clone(&jobs);
            async move {
                match consume(&app, name, |events| jobs(app.clone(), events)).await {
                    Ok(()) => {}
                    Err(StoreError::Unavailable(error)) => {
                        let error = with_causes(error.as_ref());
                        tracing::debug!(consumer = name, error, "events cannot be read now");
                    }
                    Err(error) => {
                        let error = with_causes(&error);
                        tracing::warn!(consumer = name, error, "events could not be consumed");
                    }
                }
            }
        });
    }
}

/// Stores the jobs that follow from the events that `consumer` has not read yet, and moves its
/// position, together. Each event leads to its jobs exactly once, even if several nodes do this at
/// the same time. The first call for a name places the consumer behind all stored events.
///
/// # Errors
/// [`StoreError`], also from `jobs`.
pub async fn consume<F>(
    app: &App,
    consumer: &str,
    jobs: impl Fn(Vec<Event>) -> F,
) -> Result<(), StoreError>
where
    F: Future<Output = Result<Vec<NewJob>, StoreError>>,
{
    let events = &app.repositories()?.events;
    loop {
        let begun = Instant::now();
        let mut unread = events.unread(consumer, STEP).await?;
        if unread.events.is_empty() {
            return Ok(());
        }
        let jobs = jobs(mem::take(&mut unread.events)).await?;
        match events.note_read(consumer, &unread, &jobs).await {
            // Another node was faster.
            Err(StoreError::Conflict(Constraint::Stale)) => {}
            noted => {
                noted?;
                app.bell.ring();
            }
        }
        sleep(begun.elapsed() * REST).await;
    }
}

#[cfg(test)]
mod tests {
    use exit3_domain::events::{Actor, Author, Changes, EventId, Subject, Verb};
    use exit3_ports::events::{EventPosition, Unread};

    use super::*;
    use crate::testing::{Mocks, now};

    fn event(id: i64) -> Event {
        Event {
            id: EventId(id),
            act: Author::from(Actor::Service).at(now()),
            verb: Verb::from_word("lead.created"),
            subject: Subject { resource: "lead".into(), id },
            changes: Changes::None,
        }
    }

    fn unread(ids: &[i64]) -> Unread {
        let at = |id| EventPosition { transaction: 0, id };
        let last = ids.last().copied().unwrap_or_default();
        Unread { from: at(0), to: at(last), events: ids.iter().map(|id| event(*id)).collect() }
    }

    fn mail(event: &Event) -> Vec<NewJob> {
        let job = NewJob {
            kind: "mail".to_owned(),
            payload: event.id.0.to_string(),
            run_at: None,
            unique_key: None,
        };
        if event.id.0 == 2 { Vec::new() } else { vec![job] }
    }

    async fn mails(events: Vec<Event>) -> Result<Vec<NewJob>, StoreError> {
        Ok(events.iter().flat_map(mail).collect())
    }

    #[tokio::test]
    async fn stores_the_jobs_of_all_events_and_tries_again_after_another_node() {
        let mut mocks = Mocks::new();
        let events = &mut mocks.repositories.events;
        events.expect_unread().times(1).returning(|_, _| Ok(unread(&[1, 2, 3])));
        events
            .expect_note_read()
            .times(1)
            .withf(|consumer, read, jobs| {
                let payloads: Vec<_> = jobs.iter().map(|job| job.payload.as_str()).collect();
                consumer == "mail" && read.to.id == 3 && payloads == ["1", "3"]
            })
            .returning(|_, _, _| Err(StoreError::Conflict(Constraint::Stale)));
        events.expect_unread().times(1).returning(|_, _| Ok(unread(&[3])));
        events
            .expect_note_read()
            .times(1)
            .withf(|_, _, jobs| jobs.len() == 1)
            .returning(|_, _, _| Ok(()));
        events.expect_unread().times(1).returning(|_, _| Ok(unread(&[])));
        consume(&mocks.into_app(), "mail", mails).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn rests_after_reading() {
        let mut mocks = Mocks::new();
        let events = &mut mocks.repositories.events;
        events.expect_unread().times(1).returning(|_, _| Ok(unread(&[1])));
        events.expect_note_read().returning(|_, _, _| Ok(()));
        events.expect_unread().times(1).returning(|_, _| Ok(unread(&[])));
        let (app, begun) = (mocks.into_app(), Instant::now());
        let slow = async |events| {
            sleep(std::time::Duration::from_millis(10)).await;
            mails(events).await
        };
        consume(&app, "mail", slow).await.unwrap();
        assert!(begun.elapsed().as_millis() >= 510, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_failure_ends_it_without_a_loss() {
        let mut mocks = Mocks::new();
        let events = &mut mocks.repositories.events;
        events.expect_unread().times(1).returning(|_, _| Ok(unread(&[1])));
        let away = || StoreError::Unavailable("away".into());
        events.expect_note_read().times(1).returning(move |_, _, _| Err(away()));
        assert!(consume(&mocks.into_app(), "mail", mails).await.is_err());
    }
}
