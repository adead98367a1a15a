//! A connection that is out.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::Object;

use super::Shelves;
use super::manager::Manager;
use crate::connection::PgConnection;

/// A connection that is out. It goes back where it came from.
pub(crate) struct Held {
    pub(super) object: Option<Object<Manager>>,
    /// Since when it has not been heard of, where it has yet to prove itself.
    rested: Option<Instant>,
    shelves: Arc<Shelves>,
}

impl Held {
    pub(super) fn new(
        shelves: &Arc<Shelves>,
        object: Object<Manager>,
        rested: Option<Instant>,
    ) -> Self {
        Self { object: Some(object), rested, shelves: Arc::clone(shelves) }
    }

    /// Whether it answers within this time, where it has rested. If it does not, nor will
    /// those that have rested as long.
    pub(crate) async fn proves_itself(&mut self, within: Duration) -> bool {
        let Some(heard) = self.rested else { return true };
        if !self.answers(within).await {
            self.shelves.close_silent(heard);
            return false;
        }
        self.rested = None;
        true
    }

    pub(crate) fn shelves(&self) -> &Shelves {
        &self.shelves
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
            if self.rested.is_some() {
                // It has not proved itself.
                object.give_up();
            }
            self.shelves.put(object);
        }
    }
}
