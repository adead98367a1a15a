//! Whether writes can succeed, judging by the most recent ones.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Failure;

/// Whether the server has refused a write as impossible at the moment, and has done none since. A
/// full disk cannot be noticed in any other way.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    fail: AtomicBool,
}

impl Writes {
    pub(super) fn note<T>(&self, outcome: &Result<T, Failure>) {
        match outcome {
            Ok(_) if self.fail() => self.fail.store(false, Ordering::Relaxed),
            Err(failure) if failure.lasts => self.fail.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    pub(crate) fn fail(&self) -> bool {
        self.fail.load(Ordering::Relaxed)
    }
}
