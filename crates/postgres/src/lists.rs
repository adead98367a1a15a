//! Decides where lists are read: from the replica, if it has everything that the caller must see,
//! otherwise from the primary.

mod watch;

use std::sync::Arc;

use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use diesel_async::methods::LoadQuery;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::{Consistency, StoreError};
use tokio::runtime::Handle;

use crate::connection::{Ask, PgConnection};
use crate::listing::{Listing, page_of};
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
    replica: Option<ReplicaPool>,
    /// How many rows a search looks at before it asks the trigram index.
    pub(crate) ahead: usize,
}

/// The replica, and the connections to it.
#[derive(Clone)]
struct ReplicaPool {
    known: Arc<Replica>,
    pool: PgPool,
}

impl Lists {
    pub(crate) fn new(settings: &PgSettings, primary: PgPool, runtime: Handle) -> Self {
        let patience = settings.timeout / PATIENCE;
        let replica = settings.replica.as_ref().map(|(of_replica, known)| {
            let mut settings =
                PgSettings { pool_size: settings.pool_size, ..(**of_replica).clone() };
            settings.wait = patience;
            settings.timeout = patience;
            ReplicaPool { known: Arc::clone(known), pool: PgPool::of_replica(&settings, runtime) }
        });
        Self { primary, replica, ahead: settings.ahead }
    }

    /// The same for one of `workers` threads.
    pub(crate) fn of_worker(&self, workers: usize, primary: PgPool, runtime: Handle) -> Self {
        let replica = self.replica.as_ref().map(|replica| ReplicaPool {
            known: Arc::clone(&replica.known),
            pool: replica.pool.of_worker(workers, runtime),
        });
        Self { primary, replica, ahead: self.ahead }
    }

    /// One page of a list, with its exact count; `None` past the last page. `ST` are the types of
    /// the list's columns, and `R` is the row that they make.
    pub(crate) async fn page<ST, R, T>(
        &self,
        listing: &Listing,
        request: PageRequest,
    ) -> Result<Option<Page<T>>, StoreError>
    where
        ST: Send,
        R: Send,
        T: From<R>,
        for<'q> Sql<(BigInt, ST)>: LoadQuery<'q, PgConnection, (i64, R)>,
    {
        let Some(query) = listing.page::<ST>(request) else {
            return Ok(None);
        };
        Ok(page_of(request, self.load(&query).await?))
    }

    /// One step of a walk through a list.
    pub(crate) async fn walk<ST, R, T>(
        &self,
        listing: &Listing,
        step: &Step,
    ) -> Result<Slice<T>, StoreError>
    where
        ST: Send,
        R: Send,
        T: From<R>,
        for<'q> Sql<ST>: LoadQuery<'q, PgConnection, R>,
    {
        let rows = self.load(&listing.step::<ST>(step)).await?;
        Ok(Slice::of(step, rows.into_iter().map(T::from).collect()))
    }

    /// Returns the rows of a statement.
    pub(crate) async fn load<ST, R>(&self, query: &Sql<ST>) -> Result<Vec<R>, StoreError>
    where
        R: Send,
        ST: Send,
        for<'q> Sql<ST>: LoadQuery<'q, PgConnection, R>,
    {
        if let Some(replica) = &self.replica
            && let Some(rows) = replica.load(query).await
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
        match &self.replica {
            Some(replica) => watch::watch(&replica.known, &self.primary, &replica.pool).await,
            None => std::future::pending().await,
        }
    }
}

impl ReplicaPool {
    /// Returns the rows, if the replica has everything that they need.
    async fn load<ST, R>(&self, query: &Sql<ST>) -> Option<Vec<R>>
    where
        R: Send,
        ST: Send,
        for<'q> Sql<ST>: LoadQuery<'q, PgConnection, R>,
    {
        let consistency = Consistency::current();
        let needed = self.known.needed(consistency.as_ref())?;
        let loading = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                connection.ask_for_position(Ask::Before);
                let rows = query.load(&mut *connection).await;
                let at = connection.server_position();
                connection.done(rows.map(|rows| (rows, at)))
            }
        });
        let (rows, at) = loading.await.inspect_err(|_| self.known.set_aside()).ok()?;
        if !self.known.has(&needed, at) {
            return None;
        }
        if let (Some(consistency), Some(at)) = (consistency, at) {
            consistency.reaches(at.position);
        }
        Some(rows)
    }
}
