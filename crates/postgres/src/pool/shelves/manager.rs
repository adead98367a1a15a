//! Opens connections for a pool.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, QueueMode, RecycleError, RecycleResult};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

use super::Shelves;
use crate::connection::PgConnection;
use crate::pool::{ConnectError, open};

pub(super) type Pool = managed::Pool<Manager>;

type Opening = JoinHandle<Result<PgConnection, Arc<ConnectError>>>;

pub(crate) struct Manager {
    shelves: Weak<Shelves>,
    pub(super) runtime: Handle,
    /// Connections whose callers went away before they were open. They serve the next.
    left: Mutex<Vec<Opening>>,
}

impl Manager {
    pub(super) fn pool(shelves: &Arc<Shelves>, size: usize, runtime: Handle) -> Pool {
        let left = Mutex::default();
        Pool::builder(Self { shelves: Arc::downgrade(shelves), runtime, left })
            .max_size(size)
            // The connection that was used last has the most in its caches.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .unwrap_or_else(|_| unreachable!("a runtime is given"))
    }

    fn left(&self) -> Option<Opening> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn wait(&self, opening: Opening) -> Result<PgConnection, Arc<ConnectError>> {
        let mut waiting = Waiting { manager: self, opening: Some(opening) };
        let Some(opening) = &mut waiting.opening else { return Err(ConnectError::Runtime.into()) };
        let opened = opening.await;
        waiting.opening = None;
        opened.unwrap_or_else(|_| Err(ConnectError::Runtime.into()))
    }
}

impl managed::Manager for Manager {
    type Type = PgConnection;
    type Error = Arc<ConnectError>;

    async fn create(&self) -> Result<PgConnection, Arc<ConnectError>> {
        // A caller that wants only an idle connection gives up here.
        yield_now().await;
        while let Some(left) = self.left() {
            if let Ok(connection) = self.wait(left).await
                && !connection.is_closed()
            {
                return Ok(connection);
            }
        }
        let ended = || Arc::new(ConnectError::Runtime);
        let shelves = self.shelves.upgrade().ok_or_else(ended)?;
        let permit = Arc::clone(&shelves.budget).acquire_owned().await.map_err(|_| ended())?;
        let of = Arc::clone(&shelves);
        let opening = self.runtime.spawn(async move {
            let Shelves { settings, connections, .. } = &*of;
            let opening = open(settings.clone(), connections.clone(), permit);
            let opened = timeout(settings.timeout, opening).await;
            let opened = opened.unwrap_or(Err(ConnectError::Slow(settings.timeout)));
            let opened = opened.map_err(Arc::new);
            match &opened {
                Ok(_) => of.opened(),
                Err(error) => of.refuse(error),
            }
            opened
        });
        let opened = self.wait(opening).await;
        if let Err(error) = &opened
            && matches!(**error, ConnectError::Runtime)
        {
            shelves.refuse(error);
        }
        opened
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        _: &Metrics,
    ) -> RecycleResult<Arc<ConnectError>> {
        if connection.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

/// A caller that waits for a connection to open.
struct Waiting<'a> {
    manager: &'a Manager,
    opening: Option<Opening>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(opening) = self.opening.take() {
            self.manager.left.lock().unwrap_or_else(PoisonError::into_inner).push(opening);
        }
    }
}
