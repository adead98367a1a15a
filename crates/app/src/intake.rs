//! Takes leads and sign-ups even while the database is away.
//!
//! A lead gets its id before the database is asked to store it: the node has reserved ids. So an
//! answer may name the id although nobody knows whether the database has stored the lead, and storing
//! it again with the same id cannot double it. What the database does not take waits in the spool of
//! the node, and is stored when the database is back.

mod ids;
mod keyed;
mod keys;
#[cfg(test)]
mod memory;
mod replay;
mod tend;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use exit3_domain::events::{Act, Author};
use exit3_domain::leads::{Lead, LeadId, LeadWork, NewLead, RESOURCE};
use exit3_domain::subscribers::NewSubscriber;
use exit3_ports::leads::ID_TAKEN;
use exit3_ports::spool::{Accepted, Kept, Spool, SpoolStatus, Waiting};
use exit3_ports::{StoreError, with_causes};
use metrics::counter;
use tokio::sync::Notify;

use crate::once::{Made, once};
use crate::{App, SaveError};
use ids::Ids;
use keyed::{Fate, Keyed, Ticket};
use keys::Keys;
pub use replay::{ReplayError, Replayed, replay};
pub use tend::tend;

/// How often a lead gets another id because its own is taken.
const MOST_IDS: usize = 3;

/// How long a lead waits for an id. While the database is there, it can do without.
const PATIENCE: Duration = Duration::from_millis(500);
/// The same while it is away: the spool takes as long for a lead.
const PATIENCE_AWAY: Duration = Duration::from_secs(5);

/// The intake of one node. All workers share it.
pub struct Intake {
    spool: Arc<dyn Spool>,
    state: RwLock<State>,
    /// Wakes [`tend`].
    woken: Notify,
    ids: Arc<Ids>,
    keyed: Mutex<Keyed>,
    keys: Keys,
    /// Why the database is away.
    cause: Mutex<String>,
    /// Whether the spool took the last entry that it was given.
    keeps: AtomicBool,
}

/// What is known of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It takes leads, but nobody knows whether the reserved ids are still free.
    Unchecked,
    /// It takes leads under ids of this node.
    There,
    /// It does not answer, or takes no writes.
    Away,
}

impl Intake {
    /// The intake over the spool of this node. It knows the keys and the requests that the spool
    /// remembers.
    ///
    /// # Errors
    /// [`StoreError`] if the spool cannot be read.
    pub async fn open(spool: Arc<dyn Spool>) -> Result<Self, StoreError> {
        let keys = Keys::of(spool.keys().await?);
        let keyed = Mutex::new(Keyed::of(&*spool).await?);
        Ok(Self {
            spool,
            state: RwLock::new(State::Unchecked),
            woken: Notify::new(),
            ids: Arc::default(),
            keyed,
            keys,
            cause: Mutex::default(),
            keeps: AtomicBool::new(true),
        })
    }

    /// What the spool holds.
    ///
    /// # Errors
    /// [`StoreError`] if the spool cannot be read.
    pub async fn status(&self) -> Result<SpoolStatus, StoreError> {
        let mut status = self.spool.status().await?;
        status.ids += self.ids.left();
        Ok(status)
    }

    /// Whether a lead would be kept now.
    pub(crate) async fn takes_leads(&self) -> bool {
        let status = self.status().await;
        self.keeps.load(Ordering::Relaxed) && status.is_ok_and(|it| it.has_room && it.ids > 0)
    }

    /// Why the database is away, in words for an operator.
    pub(crate) fn cause(&self) -> String {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The spool.
    pub fn spool(&self) -> &dyn Spool {
        &*self.spool
    }

    /// Gives unused ids back to the spool, before the process ends.
    pub async fn close(&self) {
        let ids = self.ids.take_all();
        if !ids.is_empty()
            && let Err(error) = self.spool.put_ids(&ids).await
        {
            tracing::debug!(error = with_causes(&error), "reserved ids are lost");
        }
    }

    /// Whether the database does not take writes now, as far as this node knows.
    pub(crate) fn is_away(&self) -> bool {
        self.state() == State::Away
    }

    fn state(&self) -> State {
        *self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is known of the database now; returns what was known before.
    fn becomes(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.write().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// Notes that the database did not take something.
    fn note_away(&self, cause: &StoreError) {
        if self.becomes(State::Away) != State::Away {
            let cause = with_causes(cause);
            tracing::warn!("new leads and sign-ups wait in the spool of this node: {cause}");
            *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause;
        }
        self.woken.notify_one();
    }

    /// The id and the act of a lead; `None` without ids. A request that comes again gets those of the
    /// first one. The database decides about another one with the same key, unless it is away.
    ///
    /// # Errors
    /// [`SaveError::KeyReused`].
    async fn ticket(&self, act: &Act, is_away: bool) -> Result<Option<Ticket>, SaveError> {
        if let Some(known) = self.keyed().get(act) {
            if known.is_of_same_request(act) {
                return Ok(Some(known));
            }
            if is_away && known.fate != Fate::Refused {
                return Err(SaveError::KeyReused);
            }
        }
        let Some(id) = self.next_id(is_away).await else { return Ok(None) };
        let new = Ticket { id, act: act.clone(), fate: Fate::Open };
        let mut keyed = self.keyed();
        match keyed.get(act) {
            // The same request may have come in between.
            Some(known) if known.is_of_same_request(act) => return Ok(Some(known)),
            // The database decides about this one. Until then the first one stays known.
            Some(known) if known.fate != Fate::Refused => {}
            _ => keyed.put(&new),
        }
        Ok(Some(new))
    }

    /// Whether another request has the key, as far as this node knows.
    fn is_key_used(&self, act: &Act) -> bool {
        let known = self.keyed().get(act);
        known.is_some_and(|known| known.fate != Fate::Refused && !known.is_of_same_request(act))
    }

    async fn next_id(&self, is_away: bool) -> Option<LeadId> {
        let patience = if is_away { PATIENCE_AWAY } else { PATIENCE };
        let id = self.ids.next(&self.spool, patience).await;
        if self.ids.are_few() {
            self.woken.notify_one();
        }
        id
    }

    fn keyed(&self) -> MutexGuard<'_, Keyed> {
        self.keyed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that ids of this node belong to other leads.
    async fn renounce(&self, act: &Act) {
        tracing::error!(
            "ids that were reserved for new leads are taken: was the database restored? The node \
             reserves others"
        );
        self.keyed().forget(act);
        self.forget_ids().await;
    }

    async fn forget_ids(&self) {
        self.keyed().doubt_all();
        self.ids.take_all();
        if let Err(error) = self.spool.forget_ids().await {
            tracing::warn!(error = with_causes(&error), "reserved ids could not be removed");
        }
        self.woken.notify_one();
    }

    /// Keeps something until the database is back.
    async fn keep(&self, what: Accepted, act: Act) -> Result<Option<Waiting>, SaveError> {
        let kept = self.spool.keep(&what, &act).await;
        self.keeps.store(kept.is_ok(), Ordering::Relaxed);
        match kept {
            Ok(Kept::New) => {
                counter!("exit3_spool_entries_total", "outcome" => "kept").increment(1);
                Ok(None)
            }
            Ok(Kept::Earlier(waiting)) if waiting.act.author.batch == act.author.batch => {
                Ok(Some(*waiting))
            }
            Ok(Kept::Earlier(waiting)) => {
                if let Waiting { what: Accepted::Lead(id, _), act, .. } = *waiting {
                    self.keyed().put(&Ticket { id, act, fate: Fate::Open });
                }
                Err(SaveError::KeyReused)
            }
            Err(error) => {
                counter!("exit3_spool_entries_total", "outcome" => "refused").increment(1);
                Err(error.into())
            }
        }
    }

    async fn keep_lead(
        &self,
        id: LeadId,
        lead: NewLead,
        act: Act,
    ) -> Result<Made<Lead>, SaveError> {
        let author = act.author.clone();
        let earlier = self.keep(Accepted::Lead(id, lead.clone()), act.clone()).await;
        if matches!(earlier, Err(SaveError::Store(_))) {
            self.keyed().refuse(&act);
        }
        let earlier = earlier?;
        let is_repeated = earlier.is_some();
        let (id, details, at) = match earlier {
            Some(Waiting { what: Accepted::Lead(id, lead), act, .. }) => (id, lead, act.at),
            _ => (id, lead, act.at),
        };
        // It may have been refused before.
        self.keyed().put(&Ticket { id, act: author.at(at), fate: Fate::Open });
        Ok(Made { row: new(id, details, at), is_repeated, is_spooled: true })
    }
}

fn new(id: LeadId, details: NewLead, at: DateTime<Utc>) -> Lead {
    Lead { id, details, work: LeadWork::default(), created_at: at, updated_at: at }
}

/// Stores a lead, or what the same request has stored before. If the database is away, the lead
/// waits in the spool.
///
/// # Errors
/// [`SaveError::KeyReused`]; [`SaveError::Store`] if neither the database nor the spool takes it.
pub(crate) async fn create_lead(
    app: &App,
    lead: NewLead,
    author: &Author,
) -> Result<Made<Lead>, SaveError> {
    let act = author.at(app.clock.now());
    let Some(intake) = &app.intake else { return store(app, None, &lead, &act).await };
    for _ in 0..MOST_IDS {
        let is_away = app.is_away();
        if !is_away && intake.state() == State::Unchecked {
            break;
        }
        let Some(ticket) = intake.ticket(&act, is_away).await? else { break };
        let act = author.at(ticket.act.at);
        if !is_away {
            match store(app, Some(ticket.id), &lead, &act).await {
                // An operator can find out why, and the visitor cannot.
                Err(SaveError::Store(error)) if error.refuses_row() => {}
                Err(SaveError::Store(error @ StoreError::Unavailable(_))) => {
                    intake.note_away(&error);
                }
                Err(SaveError::Store(StoreError::Conflict(ID_TAKEN))) => {
                    intake.renounce(&act).await;
                    continue;
                }
                Ok(made) => {
                    // Another node may have named another id, which this one names from now on.
                    let (id, act) = (made.row.id, author.at(made.row.created_at));
                    intake.keyed().put(&Ticket { id, act, fate: Fate::Stored });
                    return Ok(made);
                }
                outcome => {
                    if matches!(outcome, Err(SaveError::KeyReused)) {
                        intake.keyed().forget(&act);
                    }
                    return outcome;
                }
            }
        }
        if ticket.fate == Fate::Stored {
            let row = new(ticket.id, lead, act.at);
            return Ok(Made { row, is_repeated: true, is_spooled: false });
        }
        if intake.is_key_used(&act) {
            return Err(SaveError::KeyReused);
        }
        match intake.keep_lead(ticket.id, lead.clone(), act.clone()).await {
            // Only if the database has assigned an id twice.
            Err(SaveError::Store(StoreError::Conflict(ID_TAKEN))) => {
                intake.keyed().forget(&act);
            }
            outcome => return outcome,
        }
    }
    if app.is_away() {
        counter!("exit3_spool_entries_total", "outcome" => "refused").increment(1);
        let none = "the database is away, and no ids are reserved for new leads";
        return Err(StoreError::Unavailable(none.into()).into());
    }
    // Without an id of its own, a lead must not be stored twice, so it does not go to the spool.
    let stored = store(app, None, &lead, &act).await;
    if let Err(SaveError::Store(error @ StoreError::Unavailable(_))) = &stored
        && !error.refuses_row()
    {
        intake.note_away(error);
    }
    stored
}

async fn store(
    app: &App,
    id: Option<LeadId>,
    lead: &NewLead,
    act: &Act,
) -> Result<Made<Lead>, SaveError> {
    let leads = &app.repositories()?.leads;
    let created = match id {
        None => leads.create(lead, act).await,
        Some(id) => leads.create_as(id, lead, act).await,
    };
    let again = |id, at| new(LeadId(id), lead.clone(), at);
    once(app, &act.author, RESOURCE, created.map_err(SaveError::from), again).await
}

/// Stores a sign-up by a caller that must not learn who is subscribed. If the database is away, it
/// waits in the spool.
///
/// # Errors
/// [`SaveError::Store`] if neither the database nor the spool takes it.
pub(crate) async fn sign_up(
    app: &App,
    subscriber: NewSubscriber,
    author: &Author,
) -> Result<Made<NewSubscriber>, SaveError> {
    let act = author.at(app.clock.now());
    let made = |row, is_spooled| Made { row, is_repeated: false, is_spooled };
    let Some(intake) = &app.intake else {
        app.repositories()?.subscribers.ensure(&subscriber, &act).await?;
        return Ok(made(subscriber, false));
    };
    if !app.is_away() {
        match app.repositories()?.subscribers.ensure(&subscriber, &act).await {
            Ok(()) => return Ok(made(subscriber, false)),
            Err(error) if error.refuses_row() => {}
            Err(error @ StoreError::Unavailable(_)) => intake.note_away(&error),
            Err(error) => return Err(error.into()),
        }
    }
    intake.keep(Accepted::SignUp(subscriber.clone()), act).await?;
    Ok(made(subscriber, true))
}

#[cfg(test)]
mod tests;
