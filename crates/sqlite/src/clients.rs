//! Clients in SQLite.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use exit3_domain::clients::{Client, ClientId, Money, NewClient, RESOURCE};
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::{LeadCategory, LeadId};
use exit3_domain::paging::{Page, PageRequest};
use exit3_ports::{ClientRepository, Constraint, StoreError};

use crate::error::{from_diesel, from_diesel_about};
use crate::events::EventRow;
use crate::store::{Store, check_seen};
use crate::values::{text, unreadable};
use crate::window::Window;

diesel::table! {
    clients (id) {
        id -> BigInt,
        lead_id -> Nullable<BigInt>,
        team_id -> Text,
        monthly_charge -> Nullable<BigInt>,
        one_time_charge -> Nullable<BigInt>,
        contract_file -> Nullable<Text>,
        short_description -> Text,
        category -> Text,
    }
}

/// A client as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = clients, check_for_backend(Sqlite))]
struct ClientRow {
    id: i64,
    lead_id: Option<i64>,
    team_id: String,
    monthly_charge: Option<i64>,
    one_time_charge: Option<i64>,
    contract_file: Option<String>,
    short_description: String,
    category: String,
}

impl TryFrom<ClientRow> for Client {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ClientId(row.id),
            details: NewClient {
                lead: row.lead_id.map(LeadId),
                team_id: row.team_id,
                // The table has the same range, so nothing is lost.
                monthly_charge: row.monthly_charge.and_then(Money::kept),
                one_time_charge: row.one_time_charge.and_then(Money::kept),
                contract_file: row.contract_file,
                short_description: row.short_description,
                category: LeadCategory::from_word(&row.category).ok_or_else(unreadable)?,
            },
        })
    }
}

/// The columns that a caller can set.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_default_value = false, treat_none_as_null = true)]
struct DetailsRow {
    lead_id: Option<i64>,
    team_id: String,
    monthly_charge: Option<i64>,
    one_time_charge: Option<i64>,
    contract_file: Option<String>,
    short_description: String,
    category: &'static str,
}

impl DetailsRow {
    /// An error for a text with a NUL, which PostgreSQL cannot store.
    fn of(client: &NewClient) -> Result<Self, StoreError> {
        let NewClient {
            lead,
            team_id,
            monthly_charge,
            one_time_charge,
            contract_file,
            short_description,
            category,
        } = client;
        Ok(Self {
            lead_id: lead.map(|lead| lead.0),
            team_id: text(team_id)?,
            monthly_charge: monthly_charge.map(Money::hundredths),
            one_time_charge: one_time_charge.map(Money::hundredths),
            contract_file: contract_file.as_deref().map(text).transpose()?,
            short_description: text(short_description)?,
            category: category.as_str(),
        })
    }
}

/// Stores clients.
#[derive(Clone)]
pub(crate) struct SqliteClientRepository {
    store: Store,
}

impl SqliteClientRepository {
    pub(crate) fn new(store: Store) -> Self {
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
        self.store.writer.write(self.store.patience, insert).await?.try_into()
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
        self.store.writer.write(self.store.patience, update).await?.try_into()
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
        self.store.writer.write(self.store.patience, delete).await
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
        self.store.writer.write(self.store.patience, restore).await
    }
}

/// The row with this id.
fn stored(connection: &mut SqliteConnection, id: ClientId) -> QueryResult<Option<ClientRow>> {
    clients::table.find(id.0).select(ClientRow::as_select()).first(connection).optional()
}
