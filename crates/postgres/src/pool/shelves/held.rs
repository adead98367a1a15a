//! A connection in use by a caller.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::Object;

use super::Shelves;
use super::manager::Manager;
use crate::connection::PgConnection;

/// A connection in use. Dropping it gives it back.
pub(crate) struct Held {
    pub(super) object: Option<Object<Manager>>,
    /// Whether it must be tested before use.
    rested: bool,
    /// Whether it has done a write.
    wrote: bool,
    shelves: Arc<Shelves>,
}

impl Held {
    pub(super) fn new(shelves: &Arc<Shelves>, object: Object<Manager>, rested: bool) -> Self {
        Self { object: Some(object), rested, wrote: false, shelves: Arc::clone(shelves) }
    }

    /// Whether it answers within this time, if it was idle. If it does not, connections that have
    /// been silent for longer are closed as well.
    pub(crate) async fn proves_itself(&mut self, within: Duration) -> bool {
        if !self.rested {
            return true;
        }
        let asked = Instant::now();
        if !self.answers(within).await {
            self.shelves.close_silent(self.heard(), asked);
            return false;
        }
        self.rested = false;
        true
    }

    /// Records that it has done a write.
    pub(crate) fn note_write(&mut self) {
        self.wrote = true;
    }

    /// Gives the connection back once its last statement has ended, or closes it if that takes
    /// longer than `patience`.
    pub(crate) fn drain(mut self, patience: Duration) {
        // A runtime that has ended drops the task, which closes the connection.
        self.rested = true;
        let Some(pool) = self.object.as_ref().and_then(Object::pool) else { return };
        pool.manager().runtime.spawn(async move {
            self.rested = !self.answers(patience).await;
            drop(self);
        });
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &Self::Target {
        self.object.as_deref().unwrap_or_else(|| unreachable!("it is there until the end"))
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.object.as_deref_mut().unwrap_or_else(|| unreachable!("it is there until the end"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(mut object) = self.object.take() {
            if self.rested {
                // It failed its test.
                object.give_up();
            }
            self.shelves.put(object, self.wrote);
        }
    }
}
