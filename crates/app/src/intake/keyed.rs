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

/// The ids of leads whose requests have a key, so that a repeated one gets the same id.
#[derive(Default)]
pub(super) struct Keyed {
    known: HashMap<Arc<str>, (LeadId, Act)>,
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
                    keyed.put(id, &waiting.act);
                }
            }
            if keyed.order.len() >= MOST {
                return Ok(keyed);
            }
        }
    }

    /// The id of an earlier request with the same key, and that request.
    pub(super) fn get(&self, act: &Act) -> Option<(LeadId, Act)> {
        self.known.get(key(act)?).cloned()
    }

    /// Remembers the id of a request that has a key.
    pub(super) fn put(&mut self, id: LeadId, act: &Act) {
        let Some(key) = key(act) else { return };
        self.remove(act);
        while self.order.len() >= MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.known.remove(&oldest);
        }
        let key: Arc<str> = key.into();
        self.order.push_back(Arc::clone(&key));
        self.known.insert(key, (id, act.clone()));
    }

    /// Forgets a request.
    pub(super) fn remove(&mut self, act: &Act) {
        if let Some(key) = key(act)
            && self.known.remove(key).is_some()
        {
            self.order.retain(|known| &**known != key);
        }
    }
}
