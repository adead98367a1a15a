use exit3_domain::events::{Act, Event, EventFilter};
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

/// How many of them are stored at the same time. PostgreSQL stores many with one statement.
const AT_ONCE: usize = 200;

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

/// Why a replay, or a check of the reserved ids, has ended early. What is left is still in the spool.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The database is away.
    #[error(transparent)]
    Database(StoreError),
    /// The spool cannot be read or written.
    #[error("the spool cannot be used: {}", with_causes(.0))]
    Spool(StoreError),
}

/// What became of one entry.
enum Outcome {
    Stored,
    Renumbered,
    /// Another process looks after it.
    Left,
    Refused(String),
}

/// Stores what waits in the spool in the database, in the order in which it came, and removes it
/// from the spool. It may be interrupted at any time, and several may run at the same time: nothing
/// is stored twice. `with_refused` also tries what the database has refused before.
///
/// # Errors
/// [`ReplayError`].
pub async fn replay(
    app: &App,
    spool: &dyn Spool,
    with_refused: bool,
) -> Result<Replayed, ReplayError> {
    let (mut replayed, mut after) = (Replayed::default(), 0);
    while let Some(last) = replay_page(app, spool, after, with_refused, &mut replayed).await? {
        after = last;
    }
    Ok(replayed)
}

/// Like [`replay`], for the first entries behind the number `after`. Returns the number of the last of
/// them; `None` if there are none.
pub(super) async fn replay_page(
    app: &App,
    spool: &dyn Spool,
    after: i64,
    with_refused: bool,
    replayed: &mut Replayed,
) -> Result<Option<i64>, ReplayError> {
    let page = spool.waiting(after, PAGE).await.map_err(ReplayError::Spool)?;
    let Some(last) = page.last().map(|last| last.number) else { return Ok(None) };
    let wanted = page.into_iter().filter(|it| with_refused || it.problem.is_none());
    let wanted: Vec<Waiting> = wanted.collect();
    // The database may have stored some before it went away, and somebody may have deleted them.
    let ids: Vec<i64> = wanted.iter().filter_map(lead_id).collect();
    let known = created(app, &ids).await.map_err(ReplayError::Database)?;
    let known = &known;
    let mut outcomes = stream::iter(wanted)
        .map(async |waiting| {
            let outcome = match lead_id(&waiting) {
                Some(id) if is_among(known, id, &waiting.act) => Ok(Outcome::Stored),
                _ => store(app, spool, &waiting).await,
            };
            (waiting.number, outcome, waiting.problem)
        })
        .buffer_unordered(AT_ONCE);
    let (mut done, mut failure) = (Vec::new(), None);
    while let Some((number, outcome, known)) = outcomes.next().await {
        match outcome {
            Ok(Outcome::Refused(problem)) => {
                replayed.refused += 1;
                if known.as_ref() != Some(&problem) {
                    tracing::error!("entry {number} of the spool cannot be stored: {problem}");
                    let noted = spool.note_problem(number, &problem).await;
                    noted.map_err(ReplayError::Spool)?;
                }
            }
            Ok(Outcome::Left) => {}
            Ok(outcome) => {
                replayed.renumbered += u64::from(matches!(outcome, Outcome::Renumbered));
                done.push(number);
            }
            Err(error) => failure = Some(error),
        }
    }
    replayed.stored += done.len() as u64;
    counter!("exit3_spool_entries_total", "outcome" => "stored").increment(done.len() as u64);
    spool.remove(&done).await.map_err(ReplayError::Spool)?;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Some(last)),
    }
}

async fn store(app: &App, spool: &dyn Spool, waiting: &Waiting) -> Result<Outcome, ReplayError> {
    let outcome = match &waiting.what {
        Accepted::Lead(id, lead) => {
            store_lead(app, spool, waiting.number, *id, lead, &waiting.act).await
        }
        Accepted::SignUp(subscriber) => {
            store_sign_up(app, subscriber, &waiting.act).await.map_err(ReplayError::Database)
        }
        Accepted::Unknown(_) => {
            return Ok(Outcome::Refused("another version of exit3 has kept it".to_owned()));
        }
    };
    match outcome {
        Err(ReplayError::Database(error))
            if error.refuses_row() || !matches!(error, StoreError::Unavailable(_)) =>
        {
            Ok(Outcome::Refused(with_causes(&error)))
        }
        outcome => outcome,
    }
}

async fn store_lead(
    app: &App,
    spool: &dyn Spool,
    number: i64,
    id: LeadId,
    lead: &NewLead,
    act: &Act,
) -> Result<Outcome, ReplayError> {
    let of_database = ReplayError::Database;
    match create(app, id, lead, act).await.map_err(of_database)? {
        Created::Stored => Ok(Outcome::Stored),
        Created::Elsewhere => Ok(Outcome::Renumbered),
        Created::Taken => {
            let known = created(app, &[id.0]).await.map_err(of_database)?;
            if is_among(&known, id.0, act) {
                return Ok(Outcome::Stored);
            }
            let leads = &app.repositories().map_err(of_database)?.leads;
            let reserved = leads.reserve_ids(1).await.map_err(of_database)?;
            let Some(new) = reserved.first().map(|range| LeadId(*range.start())) else {
                let none = "another lead has its id, and no other one can be reserved";
                return Ok(Outcome::Refused(none.to_owned()));
            };
            // Before it is stored, so that another attempt uses the same id.
            match spool.renumber(number, id, new).await {
                Err(StoreError::NotFound) => return Ok(Outcome::Left),
                renumbered => renumbered.map_err(ReplayError::Spool)?,
            }
            renumbered(id, new.0);
            match create(app, new, lead, act).await.map_err(of_database)? {
                Created::Taken => Ok(Outcome::Left),
                _ => Ok(Outcome::Renumbered),
            }
        }
    }
}

/// What became of a lead that was given to the database.
enum Created {
    /// It has its id.
    Stored,
    /// An earlier request with the same key was stored with another id.
    Elsewhere,
    /// Another lead has its id.
    Taken,
}

async fn create(app: &App, id: LeadId, lead: &NewLead, act: &Act) -> Result<Created, StoreError> {
    let all = app.repositories()?;
    let mut created = all.leads.create_as(id, lead, act).await;
    if let (Err(StoreError::Conflict(REQUEST_SENT)), Some(batch)) = (&created, &act.author.batch) {
        match earlier(app, batch).await? {
            // The same request was stored while this node did not know it.
            Some(event) if event.act.author.batch.as_ref() == Some(batch) => {
                if event.subject.id == id.0 {
                    return Ok(Created::Stored);
                }
                renumbered(id, event.subject.id);
                return Ok(Created::Elsewhere);
            }
            // Another request has used the key. The answer to this one was 201, so it is stored.
            _ => {
                let mut act = act.clone();
                act.author.batch = None;
                created = all.leads.create_as(id, lead, &act).await;
            }
        }
    }
    match created {
        Ok(_) => {
            telemetry::count_lead(&Ok::<_, SaveError>(()));
            Ok(Created::Stored)
        }
        Err(StoreError::Conflict(ID_TAKEN)) => Ok(Created::Taken),
        Err(error) => Err(error),
    }
}

fn renumbered(told: LeadId, stored: i64) {
    counter!("exit3_spool_entries_total", "outcome" => "renumbered").increment(1);
    tracing::error!("a client was told that its lead is {}, but it is {stored}", told.0);
}

fn lead_id(waiting: &Waiting) -> Option<i64> {
    match waiting.what {
        Accepted::Lead(id, _) => Some(id.0),
        _ => None,
    }
}

/// The events of the creations of leads with these ids.
async fn created(app: &App, ids: &[i64]) -> Result<Vec<Event>, StoreError> {
    match ids {
        [] => Ok(Vec::new()),
        ids => app.repositories()?.events.of_creations(leads::RESOURCE, ids).await,
    }
}

/// Whether this very lead was stored. One of another time, or of another request, is another one.
fn is_among(created: &[Event], id: i64, act: &Act) -> bool {
    created.iter().any(|event| {
        let batch = &event.act.author.batch;
        event.subject.id == id
            && event.act.at == act.at
            // It was stored without its key if another request had used that.
            && (*batch == act.author.batch || batch.is_none())
    })
}

async fn store_sign_up(
    app: &App,
    subscriber: &NewSubscriber,
    act: &Act,
) -> Result<Outcome, StoreError> {
    let subscribers = &app.repositories()?.subscribers;
    // If the person has left the newsletter since then, the sign-up must not undo that.
    if let Some(stored) = subscribers.find_by_email(&subscriber.email).await?
        && !stored.is_subscribed
    {
        let filter = EventFilter {
            resource: Some(subscribers::RESOURCE.into()),
            id: Some(stored.id.0),
            ..EventFilter::default()
        };
        let events = app.repositories()?.events.list(&filter, None, 10).await?;
        if events.iter().any(|event| event.act.at > act.at) {
            return Ok(Outcome::Stored);
        }
    }
    subscribers.ensure(subscriber, act).await?;
    telemetry::count_subscriber(&Ok::<_, SaveError>(()));
    Ok(Outcome::Stored)
}
