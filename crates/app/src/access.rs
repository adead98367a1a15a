//! Who does something, and whether the rules of the back office allow it.

use exit3_domain::access::{Action, Record, Worker, may};
use exit3_domain::events::Author;

/// The rules of the back office do not allow this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not allowed")]
pub struct Forbidden;

/// Who does something: the author of the events, and the worker whose role decides.
#[derive(Debug, Clone)]
pub struct Doer {
    /// The author of the events.
    pub author: Author,
    worker: Option<Worker>,
}

impl Doer {
    /// An operator at the command line, who may do everything.
    pub fn operator(author: impl Into<Author>) -> Self {
        Self { author: author.into(), worker: None }
    }

    /// A worker of the back office.
    pub fn worker(author: Author, worker: Worker) -> Self {
        Self { author, worker: Some(worker) }
    }

    /// Checks that the worker may do this.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn check(&self, action: Action, record: Record) -> Result<(), Forbidden> {
        match &self.worker {
            Some(worker) if !may(worker, action, record) => Err(Forbidden),
            _ => Ok(()),
        }
    }
}
