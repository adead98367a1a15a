//! Decides where lists are read: from the replica, if it has everything that the client must see,
//! otherwise from the primary.

mod watch;

use std::sync::Arc;

use diesel_async::RunQueryDsl;
use diesel_async::methods::LoadQuery;
use exit3_ports::{Session, StoreError};
use tokio::runtime::Handle;

use crate::connection::{Ask, PgConnection};
use crate::pool::PgPool;
use crate::replica::Replica;
use crate::settings::PgSettings;
use crate::sql::Sql;

/// The fraction of its time limit that a list waits for the replica before it asks the primary.
const PATIENCE: u32 = 8;

/// Reads lists from the replica or from the primary.
#[derive(Clone)]
pub(crate) struct Lists {
    primary: PgPool,
    copy: Option<Copy>,
}

/// The replica, and the connections to it.
#[derive(Clone)]
struct Copy {
    replica: Arc<Replica>,
    pool: PgPool,
}

impl Lists {
    pub(crate) fn new(settings: &PgSettings, primary: PgPool, runtime: Handle) -> Self {
        let patience = settings.timeout / PATIENCE;
        let copy = settings.replica.as_ref().map(|(of_replica, replica)| {
            let mut settings =
                PgSettings { pool_size: settings.pool_size, ..(**of_replica).clone() };
            settings.wait = patience;
            settings.timeout = patience;
            Copy { replica: Arc::clone(replica), pool: PgPool::of_copy(&settings, runtime) }
        });
        Self { primary, copy }
    }

    /// The same for one of `workers` threads.
    pub(crate) fn of_worker(&self, workers: usize, primary: PgPool, runtime: Handle) -> Self {
        let copy = self.copy.as_ref().map(|copy| Copy {
            replica: Arc::clone(&copy.replica),
            pool: copy.pool.of_worker(workers, runtime),
        });
        Self { primary, copy }
    }

    /// Returns the rows of a list.
    pub(crate) async fn load<ST, R>(&self, query: &Sql<ST>) -> Result<Vec<R>, StoreError>
    where
        R: Send,
        ST: Send,
        for<'q> Sql<ST>: LoadQuery<'q, PgConnection, R>,
    {
        if let Some(copy) = &self.copy
            && let Some(rows) = copy.load(query).await
        {
            return Ok(rows);
        }
        self.primary
            .list(|mut connection| {
                let query = query.clone();
                async move {
                    let rows = query.load(&mut *connection).await;
                    connection.done(rows)
                }
            })
            .await
    }

    /// Watches the replica forever.
    pub(crate) async fn watch_replica(&self) {
        match &self.copy {
            Some(copy) => watch::watch(&copy.replica, &self.primary, &copy.pool).await,
            None => std::future::pending().await,
        }
    }
}

impl Copy {
    /// Returns the rows, if the replica has everything that they need.
    async fn load<ST, R>(&self, query: &Sql<ST>) -> Option<Vec<R>>
    where
        R: Send,
        ST: Send,
        for<'q> Sql<ST>: LoadQuery<'q, PgConnection, R>,
    {
        let session = Session::current();
        let needed = self.replica.needed(session.as_ref())?;
        let loading = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                connection.ask_for_place(Ask::Before);
                let rows = query.load(&mut *connection).await;
                let place = connection.place();
                connection.done(rows.map(|rows| (rows, place)))
            }
        });
        let (rows, place) = loading.await.inspect_err(|_| self.replica.set_aside()).ok()?;
        if !self.replica.has(&needed, place) {
            return None;
        }
        if let (Some(session), Some(place)) = (session, place) {
            session.reaches(place.position);
        }
        Some(rows)
    }
}
