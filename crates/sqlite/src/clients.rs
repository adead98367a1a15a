//! Clients in SQLite.

mod row;

use async_trait::async_trait;
use diesel::prelude::*;
use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::leads::LeadId;
use exit3_domain::paging::{Page, PageRequest};
use exit3_ports::{ClientRepository, StoreError};

use self::row::{ClientRow, DetailsRow, clients};
use crate::error::{from_diesel, from_diesel_about};
use crate::store::Store;
use crate::window::Window;

/// Stores clients.
#[derive(Clone)]
pub struct SqliteClientRepository {
    store: Store,
}

impl SqliteClientRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ClientRepository for SqliteClientRepository {
    async fn create(&self, client: &NewClient) -> Result<Client, StoreError> {
        let row = DetailsRow::of(client)?;
        let insert = move |connection: &mut SqliteConnection| {
            diesel::insert_into(clients::table)
                .values(row)
                .returning(ClientRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel_about("clients"))
        };
        self.store.writer.write(self.store.patience, insert).await?.try_into()
    }

    async fn find(&self, id: ClientId) -> Result<Option<Client>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            clients::table.find(id.0).select(ClientRow::as_select()).first(connection).optional()
        };
        self.store.readers.run(find).await?.map(Client::try_from).transpose()
    }

    async fn find_by_lead(&self, lead: LeadId) -> Result<Option<Client>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            let of_lead = clients::table.filter(clients::lead_id.eq(lead.0));
            of_lead.select(ClientRow::as_select()).first(connection).optional()
        };
        self.store.readers.run(find).await?.map(Client::try_from).transpose()
    }

    async fn list(&self, page: PageRequest) -> Result<Option<Page<Client>>, StoreError> {
        let list = move |connection: &mut SqliteConnection| {
            let count: i64 = clients::table.count().get_result(connection)?;
            let Some(window) = Window::of(count.unsigned_abs(), page) else {
                return Ok(None);
            };
            let own = clients::table.select(ClientRow::as_select());
            let own = own.limit(window.limit).offset(window.offset);
            let mut rows: Vec<ClientRow> = if window.backward {
                own.order(clients::id.asc()).load(connection)?
            } else {
                own.order(clients::id.desc()).load(connection)?
            };
            if window.backward {
                rows.reverse();
            }
            Ok(Some(Page { count: count.unsigned_abs(), number: window.number, rows }))
        };
        let Some(page) = self.store.readers.read(list).await? else {
            return Ok(None);
        };
        let rows: Result<_, _> = page.rows.into_iter().map(Client::try_from).collect();
        Ok(Some(Page { count: page.count, number: page.number, rows: rows? }))
    }

    async fn update(&self, id: ClientId, details: &NewClient) -> Result<Client, StoreError> {
        let row = DetailsRow::of(details)?;
        let update = move |connection: &mut SqliteConnection| {
            let updated = diesel::update(clients::table.find(id.0))
                .set(row)
                .returning(ClientRow::as_returning())
                .get_result(connection)
                .optional();
            updated.map_err(from_diesel_about("clients"))?.ok_or(StoreError::NotFound)
        };
        self.store.writer.write(self.store.patience, update).await?.try_into()
    }

    async fn delete(&self, id: ClientId) -> Result<(), StoreError> {
        let delete = move |connection: &mut SqliteConnection| {
            let deleted = diesel::delete(clients::table.find(id.0)).execute(connection);
            match deleted.map_err(from_diesel)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        };
        self.store.writer.write(self.store.patience, delete).await
    }
}
