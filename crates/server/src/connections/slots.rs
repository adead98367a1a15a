//! How many connections there may be.

use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Files that are open beside connections: the database, the log, what is being read.
const OTHER_FILES: u64 = 256;
/// Connections that are told at the same time that there is no room for them.
pub(super) const GOODBYES: usize = 256;
/// How long one of them has to take the answer.
const LINGER: Duration = Duration::from_secs(1);

/// Room for so many connections.
#[derive(Clone)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    most: usize,
}

/// The place of one connection, free again when it is dropped.
pub(super) struct Slot(#[allow(dead_code, reason = "held, not used")] OwnedSemaphorePermit);

impl Slots {
    pub(crate) fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), most }
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn take(&self) -> Option<Slot> {
        Arc::clone(&self.free).try_acquire_owned().ok().map(Slot)
    }
}

/// Raises the process's limit of open files as far as it goes, and returns how many
/// connections there is room for below it.
pub(crate) fn room() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let mut raised = limit;
    raised.current = limit.maximum;
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            limit.current
        }
    };
    // No limit at all stands for more than there are ports.
    let files = current.unwrap_or(1 << 20);
    let others = OTHER_FILES + GOODBYES as u64;
    usize::try_from(files.saturating_sub(others).max(16)).unwrap_or(usize::MAX)
}

/// Tells a client that there is no room for it, and closes the connection.
pub(super) async fn refuse(mut stream: TcpStream) -> DispatchError {
    let goodbye = async {
        stream.write_all(&super::bare_answer(503)).await?;
        stream.shutdown().await?;
        // What is closed with something unread is reset, and its answer lost.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Who does not take the answer does without.
    let _ = timeout(LINGER, goodbye).await;
    DispatchError::DisconnectTimeout
}
