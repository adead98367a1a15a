use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use exit3_domain::events::Act;
use exit3_domain::leads::LeadId;
use exit3_ports::StoreError;
use exit3_ports::spool::{Accepted, Spool};

/// How many requests with a key are remembered.
const MOST: usize = 4096;

/// How many entries of the spool are read at once.
const PAGE: u32 = 500;

/// What a request gets for its lead.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    /// The id of the lead.
    pub(super) id: LeadId,
    /// The request that came first, and when.
    pub(super) act: Act,
    /// What became of the lead.
    pub(super) fate: Fate,
}

/// What became of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits, or nobody knows whether the database has it.
    Open,
    /// The database has said that it has the lead.
    Stored,
    /// Neither the database nor the spool has said that it has the lead, and the client knows.
    Refused,
}

impl Ticket {
    pub(super) fn is_of_same_request(&self, act: &Act) -> bool {
        self.act.author.batch == act.author.batch
    }
}

/// The ids of leads whose requests have a key, so that a repeated one gets the same id.
#[derive(Default)]
pub(super) struct Keyed {
    known: HashMap<Arc<str>, Ticket>,
    /// The keys in the order in which they came.
    order: VecDeque<Arc<str>>,
}

fn key(act: &Act) -> Option<&str> {
    act.author.batch.as_ref().and_then(|batch| batch.request_key())
}

impl Keyed {
    /// Those of requests that wait in the spool.
    pub(super) async fn of(spool: &dyn Spool) -> Result<Self, StoreError> {
        let (mut keyed, mut after) = (Self::default(), 0);
        loop {
            let page = spool.waiting(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(keyed) };
            after = last.number;
            for waiting in &page {
                if let Accepted::Lead(id, _) = waiting.what {
                    keyed.put(&Ticket { id, act: waiting.act.clone(), fate: Fate::Open });
                }
            }
            if keyed.order.len() >= MOST {
                return Ok(keyed);
            }
        }
    }

    /// What an earlier request with the same key got.
    pub(super) fn get(&self, act: &Act) -> Option<Ticket> {
        self.known.get(key(act)?).cloned()
    }

    /// Remembers what a request got, if it has a key.
    pub(super) fn put(&mut self, ticket: &Ticket) {
        let Some(key) = key(&ticket.act) else { return };
        self.remove(&ticket.act);
        while self.order.len() >= MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.known.remove(&oldest);
        }
        let key: Arc<str> = key.into();
        self.order.push_back(Arc::clone(&key));
        self.known.insert(key, ticket.clone());
    }

    /// Notes that a request was refused: its key may be used for another one.
    pub(super) fn refuse(&mut self, act: &Act) {
        let ticket = key(act).and_then(|key| self.known.get_mut(key));
        if let Some(ticket) = ticket.filter(|it| it.is_of_same_request(act)) {
            ticket.fate = Fate::Refused;
        }
    }

    /// Notes that the database was restored: it may lack what it had.
    pub(super) fn doubt_all(&mut self) {
        let stored = self.known.values_mut().filter(|it| it.fate == Fate::Stored);
        stored.for_each(|ticket| ticket.fate = Fate::Open);
    }

    /// Forgets a request, but not another one with the same key.
    pub(super) fn forget(&mut self, act: &Act) {
        if self.get(act).is_some_and(|known| known.is_of_same_request(act)) {
            self.remove(act);
        }
    }

    /// Forgets what is known of a key.
    fn remove(&mut self, act: &Act) {
        if let Some(key) = key(act)
            && self.known.remove(key).is_some()
        {
            self.order.retain(|known| &**known != key);
        }
    }
}

#[cfg(test)]
mod tests;
