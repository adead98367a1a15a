use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use exit3_domain::events::{Act, BatchId};
use exit3_domain::leads::LeadId;
use exit3_ports::StoreError;
use exit3_ports::leads::ID_TAKEN;
use exit3_ports::spool::{Accepted, Kept, RememberedKeys, Spool, SpoolStatus, Waiting};

use super::{Intake, State};
use crate::App;
use crate::testing::{Mocks, act};

/// A spool in memory.
#[derive(Default)]
pub(super) struct Memory {
    waiting: Mutex<BTreeMap<i64, Waiting>>,
    ids: Mutex<Vec<RangeInclusive<i64>>>,
    keys: Mutex<Option<RememberedKeys>>,
    pub(super) is_full: Mutex<bool>,
    /// Whether no ids can be written.
    pub(super) is_read_only: Mutex<bool>,
    /// How long the disk takes to write ids, and to tell what the spool holds.
    pub(super) delay: Mutex<Duration>,
    reads: AtomicUsize,
}

impl Memory {
    /// Adds an entry behind the others.
    pub(super) fn add(&self, what: Accepted) {
        let mut waiting = self.waiting.lock().unwrap();
        let number = waiting.keys().last().unwrap_or(&0) + 1;
        waiting.insert(number, Waiting { number, what, act: act(), problem: None });
    }

    /// How often entries were read.
    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    async fn wait(&self) {
        let delay = *self.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
    }
}

#[async_trait]
impl Spool for Memory {
    async fn keep(&self, what: &Accepted, act: &Act) -> Result<Kept, StoreError> {
        if *self.is_full.lock().unwrap() {
            return Err(StoreError::Unavailable("full".into()));
        }
        let key =
            |act: &Act| act.author.batch.as_ref().and_then(BatchId::request_key).map(str::to_owned);
        let mut waiting = self.waiting.lock().unwrap();
        let earlier =
            key(act).and_then(|own| waiting.values().find(|it| key(&it.act) == Some(own.clone())));
        if let Some(earlier) = earlier {
            return Ok(Kept::Earlier(Box::new(earlier.clone())));
        }
        if matches!(what, Accepted::Lead(..)) && waiting.values().any(|it| it.what == *what) {
            return Err(StoreError::Conflict(ID_TAKEN));
        }
        let number = waiting.keys().last().unwrap_or(&0) + 1;
        let (what, act) = (what.clone(), act.clone());
        waiting.insert(number, Waiting { number, what, act, problem: None });
        Ok(Kept::New)
    }

    async fn waiting(&self, after: i64, most: u32) -> Result<Vec<Waiting>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let waiting = self.waiting.lock().unwrap();
        Ok(waiting.range(after + 1..).take(most as usize).map(|(_, it)| it.clone()).collect())
    }

    async fn of_request(&self, key: &str) -> Result<Option<Waiting>, StoreError> {
        let waiting = self.waiting.lock().unwrap();
        let mut all = waiting.values();
        let is = |it: &&Waiting| {
            it.act.author.batch.as_ref().and_then(BatchId::request_key) == Some(key)
        };
        Ok(all.find(is).cloned())
    }

    async fn remove(&self, numbers: &[i64]) -> Result<(), StoreError> {
        self.waiting.lock().unwrap().retain(|number, _| !numbers.contains(number));
        Ok(())
    }

    async fn note_problem(&self, number: i64, problem: &str) -> Result<(), StoreError> {
        self.waiting.lock().unwrap().get_mut(&number).unwrap().problem = Some(problem.to_owned());
        Ok(())
    }

    async fn renumber(&self, number: i64, from: LeadId, to: LeadId) -> Result<(), StoreError> {
        match self.waiting.lock().unwrap().get_mut(&number).map(|it| &mut it.what) {
            Some(Accepted::Lead(id, _)) if *id == from => {
                *id = to;
                Ok(())
            }
            _ => Err(StoreError::NotFound),
        }
    }

    async fn take_ids(&self, most: u64) -> Result<Vec<RangeInclusive<i64>>, StoreError> {
        let taken = {
            let mut ids = self.ids.lock().unwrap();
            let all: Vec<i64> = ids.drain(..).flatten().collect();
            let (taken, rest) = all.split_at(all.len().min(most as usize));
            *ids = rest.iter().map(|id| *id..=*id).collect();
            taken.iter().map(|id| *id..=*id).collect()
        };
        self.wait().await;
        Ok(taken)
    }

    async fn put_ids(&self, more: &[RangeInclusive<i64>]) -> Result<(), StoreError> {
        if *self.is_read_only.lock().unwrap() {
            return Err(StoreError::Unavailable("read-only".into()));
        }
        self.ids.lock().unwrap().extend(more.iter().cloned());
        Ok(())
    }

    async fn last_id(&self) -> Result<i64, StoreError> {
        Ok(self.ids.lock().unwrap().iter().map(|it| *it.end()).max().unwrap_or(0))
    }

    async fn forget_ids(&self) -> Result<(), StoreError> {
        self.ids.lock().unwrap().clear();
        Ok(())
    }

    async fn remember_keys(&self, keys: &RememberedKeys) -> Result<(), StoreError> {
        *self.keys.lock().unwrap() = Some(keys.clone());
        Ok(())
    }

    async fn keys(&self) -> Result<Option<RememberedKeys>, StoreError> {
        Ok(self.keys.lock().unwrap().clone())
    }

    async fn status(&self) -> Result<SpoolStatus, StoreError> {
        self.wait().await;
        let waiting = self.waiting.lock().unwrap();
        let ids = self.ids.lock().unwrap().iter().map(|it| it.clone().count() as u64).sum();
        let problems = waiting.values().filter(|it| it.problem.is_some()).count() as u64;
        let (waiting, has_room) = (waiting.len() as u64, !*self.is_full.lock().unwrap());
        Ok(SpoolStatus { waiting, problems, ids, has_room, oldest: None })
    }
}

/// An app with a spool, whose database is in a state.
pub(super) async fn app_over(mocks: Mocks, spool: Arc<Memory>, state: State) -> App {
    spool.put_ids(&[5..=9]).await.unwrap();
    let intake = Intake::open(spool).await.unwrap();
    intake.becomes(state);
    let mut app = mocks.into_app();
    app.intake = Some(Arc::new(intake));
    app
}
