use exit3_domain::events::{Act, Event, EventFilter, Verb};
use exit3_domain::leads::{self, LeadId, NewLead};
use exit3_domain::subscribers::{self, NewSubscriber};
use exit3_ports::events::REQUEST_SENT;
use exit3_ports::leads::ID_TAKEN;
use exit3_ports::spool::{Accepted, Spool, Waiting};
use exit3_ports::{StoreError, with_causes};
use futures_util::{StreamExt, stream};
use metrics::counter;

use crate::once::earlier;
use crate::{App, SaveError, telemetry};

/// How many entries are read from the spool, and removed from it, at once.
const PAGE: u32 = 500;

/// How many of them are stored at the same time.
const AT_ONCE: usize = 32;

/// What became of the entries of a spool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many are in the database now.
    pub stored: u64,
    /// How many of them have another id than the client was told, because that was taken.
    pub renumbered: u64,
    /// How many the database refuses. They stay in the spool.
    pub refused: u64,
}

/// What became of one entry.
enum Outcome {
    Stored,
    Renumbered,
    Refused(String),
}

/// Stores what waits in the spool in the database, in the order in which it came, and removes it
/// from the spool. It may be interrupted at any time, and several may run at the same time: nothing
/// is stored twice. `with_refused` also tries what the database has refused before.
///
/// # Errors
/// [`StoreError`] if the database or the spool is not available. What is left is still in the spool.
pub async fn replay(
    app: &App,
    spool: &dyn Spool,
    with_refused: bool,
) -> Result<Replayed, StoreError> {
    let (mut replayed, mut after) = (Replayed::default(), 0);
    loop {
        let page = spool.waiting(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(replayed) };
        after = last.number;
        let wanted = page.into_iter().filter(|it| with_refused || it.problem.is_none());
        let mut outcomes = stream::iter(wanted)
            .map(async |waiting| (waiting.number, store(app, &waiting).await, waiting.problem))
            .buffer_unordered(AT_ONCE);
        let (mut done, mut failure) = (Vec::new(), None);
        while let Some((number, outcome, known)) = outcomes.next().await {
            match outcome {
                Ok(Outcome::Refused(problem)) => {
                    replayed.refused += 1;
                    if known.as_ref() != Some(&problem) {
                        tracing::error!("entry {number} of the spool cannot be stored: {problem}");
                        spool.note_problem(number, &problem).await?;
                    }
                }
                Ok(outcome) => {
                    replayed.renumbered += u64::from(matches!(outcome, Outcome::Renumbered));
                    done.push(number);
                }
                Err(error) => failure = Some(error),
            }
        }
        replayed.stored += done.len() as u64;
        counter!("exit3_spool_entries_total", "outcome" => "stored").increment(done.len() as u64);
        spool.remove(&done).await?;
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
}

async fn store(app: &App, waiting: &Waiting) -> Result<Outcome, StoreError> {
    let outcome = match &waiting.what {
        Accepted::Lead(id, lead) => store_lead(app, *id, lead, &waiting.act).await,
        Accepted::SignUp(subscriber) => store_sign_up(app, subscriber, &waiting.act).await,
        Accepted::Unknown(_) => {
            return Ok(Outcome::Refused("another version of exit3 has kept it".to_owned()));
        }
    };
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(error @ StoreError::Unavailable(_)) => Err(error),
        Err(error) => Ok(Outcome::Refused(with_causes(&error))),
    }
}

async fn store_lead(
    app: &App,
    id: LeadId,
    lead: &NewLead,
    act: &Act,
) -> Result<Outcome, StoreError> {
    // The database may have stored it before it went away, and somebody may have deleted it since.
    if is_created(app, id, act).await? {
        return Ok(Outcome::Stored);
    }
    let all = app.repositories()?;
    let created = match all.leads.create_as(id, lead, act).await {
        Err(StoreError::Conflict(ID_TAKEN)) => {
            if is_created(app, id, act).await? {
                return Ok(Outcome::Stored);
            }
            all.leads.create(lead, act).await
        }
        created => created,
    };
    match created {
        Ok(stored) => {
            telemetry::count_lead(&Ok::<_, SaveError>(()));
            if stored.id == id {
                return Ok(Outcome::Stored);
            }
            renumbered(id, stored.id.0);
            Ok(Outcome::Renumbered)
        }
        // A node got a request with the same key while the database was there.
        Err(StoreError::Conflict(REQUEST_SENT)) => match earlier_id(app, act).await? {
            Some(stored) if stored != id.0 => {
                renumbered(id, stored);
                Ok(Outcome::Renumbered)
            }
            _ => Ok(Outcome::Stored),
        },
        Err(error) => Err(error),
    }
}

fn renumbered(told: LeadId, stored: i64) {
    counter!("exit3_spool_entries_total", "outcome" => "renumbered").increment(1);
    tracing::error!("a client was told that its lead is {}, but it is {stored}", told.0);
}

async fn earlier_id(app: &App, act: &Act) -> Result<Option<i64>, StoreError> {
    let Some(batch) = &act.author.batch else { return Ok(None) };
    Ok(earlier(app, batch).await?.map(|event| event.subject.id))
}

/// Whether this very lead was stored. A lead of another time with the same id is another one.
async fn is_created(app: &App, id: LeadId, act: &Act) -> Result<bool, StoreError> {
    let created = events_of(app, leads::RESOURCE, id.0, Some(Verb::CREATED)).await?;
    Ok(created.iter().any(|event| event.act.at == act.at))
}

async fn events_of(
    app: &App,
    resource: &str,
    id: i64,
    action: Option<&str>,
) -> Result<Vec<Event>, StoreError> {
    let filter = EventFilter {
        resource: Some(resource.into()),
        id: Some(id),
        verb: action.map(|action| Verb::of(resource, action)),
        ..EventFilter::default()
    };
    app.repositories()?.events.list(&filter, None, 10).await
}

async fn store_sign_up(
    app: &App,
    subscriber: &NewSubscriber,
    act: &Act,
) -> Result<Outcome, StoreError> {
    let subscribers = &app.repositories()?.subscribers;
    // Whoever has left since then does not want the newsletter again.
    if let Some(stored) = subscribers.find_by_email(&subscriber.email).await?
        && !stored.is_subscribed
    {
        let events = events_of(app, subscribers::RESOURCE, stored.id.0, None).await?;
        if events.iter().any(|event| event.act.at > act.at) {
            return Ok(Outcome::Stored);
        }
    }
    subscribers.ensure(subscriber, act).await?;
    telemetry::count_subscriber(&Ok::<_, SaveError>(()));
    Ok(Outcome::Stored)
}
