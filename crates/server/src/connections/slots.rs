//! Limits the number of connections.

use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Open files that are not connections: the database, the log, files being read.
const OTHER_FILES: u64 = 256;
/// The most connections that are refused at the same time.
pub(super) const GOODBYES: usize = 256;
/// How long a refused client has to read the response.
const LINGER: Duration = Duration::from_secs(1);

/// A limited number of slots for connections.
#[derive(Clone)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    most: usize,
}

/// The slot of one connection, freed on drop.
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

/// Raises the process's limit of open files as far as possible, and returns the number of
/// connections that fit below it.
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
    // "Unlimited" is treated as more than there are ports.
    let files = current.unwrap_or(1 << 20);
    let others = OTHER_FILES + GOODBYES as u64;
    usize::try_from(files.saturating_sub(others).max(16)).unwrap_or(usize::MAX)
}

/// Sends a 503 and closes the connection.
pub(super) async fn refuse(mut stream: TcpStream) -> DispatchError {
    let goodbye = async {
        stream.write_all(&super::bare_answer(503)).await?;
        stream.shutdown().await?;
        // Closing a socket with unread input resets it, and the response would be lost.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // A client that does not read the response goes without.
    let _ = timeout(LINGER, goodbye).await;
    DispatchError::DisconnectTimeout
}
