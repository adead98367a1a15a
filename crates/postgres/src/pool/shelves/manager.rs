//! Opens connections for a pool.

use std::pin::pin;
use std::sync::{Arc, Weak};

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, QueueMode, RecycleError, RecycleResult};
use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::yield_now;

use super::Shelves;
use crate::connection::PgConnection;
use crate::opening::ConnectError;

pub(super) type Pool = managed::Pool<Manager>;

type Opened = Result<PgConnection, Arc<ConnectError>>;

pub(crate) struct Manager {
    shelves: Weak<Shelves>,
    pub(super) runtime: Handle,
}

impl Manager {
    pub(super) fn pool(shelves: &Arc<Shelves>, size: usize, runtime: Handle) -> Pool {
        Pool::builder(Self { shelves: Arc::downgrade(shelves), runtime })
            .max_size(size)
            // The most recently used connection has the warmest caches.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .unwrap_or_else(|_| unreachable!("a runtime is given"))
    }

    /// Opens a connection. If its caller goes away meanwhile, another caller gets it.
    fn open(&self, shelves: Arc<Shelves>, permit: OwnedSemaphorePermit) -> Coming {
        let (tell, told) = oneshot::channel();
        let coming = Coming { shelves: Arc::clone(&shelves), told };
        self.runtime.spawn(async move {
            let opened = shelves.open(permit).await;
            match &opened {
                Ok(_) => shelves.opened(),
                Err(error) => shelves.refuse(error),
            }
            if let Err(Ok(unwanted)) = tell.send(opened) {
                shelves.leave(unwanted);
            }
        });
        coming
    }
}

impl managed::Manager for Manager {
    type Type = PgConnection;
    type Error = Arc<ConnectError>;

    async fn create(&self) -> Opened {
        // A caller that only wants an idle connection gives up here.
        yield_now().await;
        let ended = || Arc::new(ConnectError::Runtime);
        let shelves = self.shelves.upgrade().ok_or_else(ended)?;
        let permit = loop {
            let arrival = shelves.arrival.notified();
            if let Some(left) = shelves.left() {
                return Ok(left);
            }
            // Connections left by others count towards the limit, so take one of these if there is
            // no permit.
            let permit = Arc::clone(&shelves.budget).acquire_owned();
            if let Either::Left((permit, _)) = select(pin!(permit), pin!(arrival)).await {
                break permit.map_err(|_| ended())?;
            }
        };
        let mut coming = self.open(Arc::clone(&shelves), permit);
        (&mut coming.told).await.unwrap_or_else(|_| {
            let error = ended();
            shelves.refuse(&error);
            Err(error)
        })
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

/// A connection that is being opened for a caller.
struct Coming {
    shelves: Arc<Shelves>,
    told: oneshot::Receiver<Opened>,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.told.close();
        if let Ok(Ok(unwanted)) = self.told.try_recv() {
            self.shelves.leave(unwanted);
        }
    }
}
