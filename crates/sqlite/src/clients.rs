//! Clients in SQLite.

mod convert;
mod list;
mod row;

use async_trait::async_trait;
use diesel::prelude::*;
use exit3_domain::clients::{
    Client, ClientFilter, ClientId, ClientOrder, ClientTotals, NewClient, RESOURCE,
};
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::{Lead, LeadId};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::staff::StaffId;
use exit3_ports::{ClientRepository, Constraint, StoreError};

use self::row::{ClientRow, DetailsRow, clients};
use crate::error::{from_diesel, from_diesel_about};
use crate::events::EventRow;
use crate::store::{SqliteStore, check_seen};

/// Stores clients.
#[derive(Clone)]
pub(crate) struct SqliteClientRepository {
    store: SqliteStore,
}

impl SqliteClientRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ClientRepository for SqliteClientRepository {
    async fn create(&self, client: &NewClient, act: &Act) -> Result<Client, StoreError> {
        let row = DetailsRow::of(client)?;
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let insert = move |connection: &mut SqliteConnection| {
            let created: ClientRow = diesel::insert_into(clients::table)
                .values(row)
                .returning(ClientRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel_about("clients"))?;
            event.insert(connection, created.id)?;
            Ok(created)
        };
        self.store.write(insert).await?.try_into()
    }

    async fn convert(
        &self,
        seen: &Lead,
        owner: Option<StaffId>,
        client: &NewClient,
        act: &Act,
    ) -> Result<Client, StoreError> {
        convert::convert(&self.store, seen, owner, client, act).await
    }

    async fn find(&self, id: ClientId) -> Result<Option<Client>, StoreError> {
        let find = move |connection: &mut SqliteConnection| stored(connection, id);
        self.store.readers.run(find).await?.map(Client::try_from).transpose()
    }

    async fn find_by_lead(&self, lead: LeadId) -> Result<Option<Client>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            let of_lead = clients::table.filter(clients::lead_id.eq(lead.0));
            of_lead.select(ClientRow::as_select()).first(connection).optional()
        };
        self.store.readers.run(find).await?.map(Client::try_from).transpose()
    }

    async fn list(
        &self,
        filter: &ClientFilter,
        order: ClientOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Client>>, StoreError> {
        self.store.indexed_page(filter, order, page).await
    }

    async fn walk(
        &self,
        filter: &ClientFilter,
        order: ClientOrder,
        step: &Step,
    ) -> Result<Slice<Client>, StoreError> {
        self.store.indexed_walk(filter, order, step).await
    }

    async fn totals(&self, filter: &ClientFilter) -> Result<ClientTotals, StoreError> {
        list::totals(&self.store, filter).await
    }

    async fn update(
        &self,
        seen: &Client,
        details: &NewClient,
        act: &Act,
    ) -> Result<Client, StoreError> {
        let row = DetailsRow::of(details)?;
        let event = EventRow::of_update(act, RESOURCE, &Changes::between(&seen.details, details))?;
        let seen = seen.clone();
        let update = move |connection: &mut SqliteConnection| {
            let stored = stored(connection, seen.id).map_err(from_diesel)?;
            check_seen(stored.map(Client::try_from).transpose()?, &seen)?;
            let updated: ClientRow = diesel::update(clients::table.find(seen.id.0))
                .set(row)
                .returning(ClientRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel_about("clients"))?;
            if let Some(event) = event {
                event.insert(connection, updated.id)?;
            }
            Ok(updated)
        };
        self.store.write(update).await?.try_into()
    }

    async fn delete(&self, seen: &Client, act: &Act) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::DELETED, &Changes::Row(record(seen)))?;
        let seen = seen.clone();
        let delete = move |connection: &mut SqliteConnection| {
            let stored = stored(connection, seen.id).map_err(from_diesel)?;
            check_seen(stored.map(Client::try_from).transpose()?, &seen)?;
            let delete = diesel::delete(clients::table.find(seen.id.0));
            delete.execute(connection).map_err(from_diesel)?;
            event.insert(connection, seen.id.0)
        };
        self.store.write(delete).await
    }

    async fn restore(&self, client: &Client, act: &Act) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::RESTORED, &Changes::None)?;
        let (id, row) = (client.id, DetailsRow::of(&client.details)?);
        let restore = move |connection: &mut SqliteConnection| {
            if stored(connection, id).map_err(from_diesel)?.is_some() {
                return Err(StoreError::Conflict(Constraint::Stale));
            }
            let insert = diesel::insert_into(clients::table);
            let insert = insert.values((clients::id.eq(id.0), row));
            insert.execute(connection).map_err(from_diesel_about("clients"))?;
            event.insert(connection, id.0)
        };
        self.store.write(restore).await
    }
}

/// The row with this id.
fn stored(connection: &mut SqliteConnection, id: ClientId) -> QueryResult<Option<ClientRow>> {
    clients::table.find(id.0).select(ClientRow::as_select()).first(connection).optional()
}
