//! Clients in PostgreSQL.

mod row;

use async_trait::async_trait;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::leads::LeadId;
use exit3_domain::paging::{Page, PageRequest};
use exit3_ports::{ClientRepository, StoreError};

use self::row::{COLUMNS, ClientColumns, ClientRow, DetailsRow, clients};
use crate::listing::{Key, Listing, page_of};
use crate::pool::PgPool;

/// Stores clients in PostgreSQL.
#[derive(Clone)]
pub struct PgClientRepository {
    pool: PgPool,
}

impl PgClientRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ClientRepository for PgClientRepository {
    async fn create(&self, client: &NewClient) -> Result<Client, StoreError> {
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(clients::table)
                .values(DetailsRow::from(client))
                .returning(ClientRow::as_returning());
            async move {
                let created = query.get_result(&mut *connection).await;
                connection.done(created)
            }
        });
        created.await.map(Client::from)
    }

    async fn find(&self, id: ClientId) -> Result<Option<Client>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let query = clients::table.find(id.0).select(ClientRow::as_select());
            let found: QueryResult<ClientRow> = query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        Ok(found.await?.map(Client::from))
    }

    async fn find_by_lead(&self, lead: LeadId) -> Result<Option<Client>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let of_lead = clients::table.filter(clients::lead_id.eq(lead.0));
            let query = of_lead.select(ClientRow::as_select());
            let found: QueryResult<ClientRow> = query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        Ok(found.await?.map(Client::from))
    }

    async fn list(&self, page: PageRequest) -> Result<Option<Page<Client>>, StoreError> {
        let listing = Listing::all("clients", COLUMNS, Key(&["id"]), true, None);
        let Some(query) = listing.page::<ClientColumns>(page) else {
            return Ok(None);
        };
        let listed = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                let listed = query.load(&mut *connection).await;
                connection.done(listed)
            }
        });
        let rows: Vec<(i64, ClientRow)> = listed.await?;
        Ok(page_of(page, rows))
    }

    async fn update(&self, id: ClientId, details: &NewClient) -> Result<Client, StoreError> {
        let updated = self.pool.write(|mut connection| {
            let query = diesel::update(clients::table.find(id.0))
                .set(DetailsRow::from(details))
                .returning(ClientRow::as_returning());
            async move {
                let updated = query.get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        updated.await?.map(Client::from).ok_or(StoreError::NotFound)
    }

    async fn delete(&self, id: ClientId) -> Result<(), StoreError> {
        let deleted = self.pool.write(|mut connection| async move {
            let query = diesel::delete(clients::table.find(id.0));
            let deleted = query.execute(&mut *connection).await;
            connection.done(deleted)
        });
        if deleted.await? == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }
}
