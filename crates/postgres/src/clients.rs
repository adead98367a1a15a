//! Clients in PostgreSQL.

use async_trait::async_trait;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::{
    AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable,
};
use diesel::{PgExpressionMethods, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::clients::{Client, ClientId, Money, NewClient, RESOURCE};
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::{LeadCategory, LeadId};
use exit3_domain::paging::{Page, PageRequest};
use exit3_ports::{ClientRepository, Constraint, StoreError};

use crate::events::{EventRow, Noted};
use crate::listing::{Key, Listing, page_of};
use crate::pool::PgPool;
use crate::stale::written;
use crate::word::Word;

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

/// The columns of [`ClientRow`].
type ClientColumns = SqlTypeOf<AsSelect<ClientRow, Pg>>;

/// The columns of [`ClientRow`].
const COLUMNS: &str = "id, lead_id, team_id, monthly_charge, one_time_charge, \
                                  contract_file, short_description, category";

/// A client as it is read.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = clients)]
struct ClientRow {
    id: i64,
    lead_id: Option<i64>,
    team_id: String,
    monthly_charge: Option<i64>,
    one_time_charge: Option<i64>,
    contract_file: Option<String>,
    short_description: String,
    category: Word<LeadCategory>,
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Self {
        Self {
            id: ClientId(row.id),
            details: NewClient {
                lead: row.lead_id.map(LeadId),
                team_id: row.team_id,
                // The table has the same range, so nothing is lost.
                monthly_charge: row.monthly_charge.and_then(Money::kept),
                one_time_charge: row.one_time_charge.and_then(Money::kept),
                contract_file: row.contract_file,
                short_description: row.short_description,
                category: row.category.0,
            },
        }
    }
}

/// The columns that a caller can set.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_default_value = false, treat_none_as_null = true)]
struct DetailsRow<'a> {
    lead_id: Option<i64>,
    team_id: &'a str,
    monthly_charge: Option<i64>,
    one_time_charge: Option<i64>,
    contract_file: Option<&'a str>,
    short_description: &'a str,
    category: &'static str,
}

impl<'a> From<&'a NewClient> for DetailsRow<'a> {
    fn from(client: &'a NewClient) -> Self {
        let NewClient {
            lead,
            team_id,
            monthly_charge,
            one_time_charge,
            contract_file,
            short_description,
            category,
        } = client;
        Self {
            lead_id: lead.map(|lead| lead.0),
            team_id,
            monthly_charge: monthly_charge.map(Money::hundredths),
            one_time_charge: one_time_charge.map(Money::hundredths),
            contract_file: contract_file.as_deref(),
            short_description,
            category: category.as_str(),
        }
    }
}

/// The row of a client, if it still has the values that the caller has seen. A macro, because the
/// type of the query has a line for each column.
macro_rules! as_seen {
    ($seen:expr) => {{
        let DetailsRow {
            lead_id,
            team_id,
            monthly_charge,
            one_time_charge,
            contract_file,
            short_description,
            category,
        } = DetailsRow::from(&$seen.details);
        clients::table
            .filter(clients::id.eq($seen.id.0))
            .filter(clients::lead_id.is_not_distinct_from(lead_id))
            .filter(clients::team_id.eq(team_id))
            .filter(clients::monthly_charge.is_not_distinct_from(monthly_charge))
            .filter(clients::one_time_charge.is_not_distinct_from(one_time_charge))
            .filter(clients::contract_file.is_not_distinct_from(contract_file))
            .filter(clients::short_description.eq(short_description))
            .filter(clients::category.eq(category))
    }};
}

/// Finds a client.
const FIND: &str = "SELECT 1 FROM clients WHERE id = ";

/// Stores clients in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgClientRepository {
    pool: PgPool,
}

impl PgClientRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ClientRepository for PgClientRepository {
    async fn create(&self, client: &NewClient, act: &Act) -> Result<Client, StoreError> {
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(clients::table)
                .values(DetailsRow::from(client))
                .returning(ClientRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
            let query = Noted::new(query, event);
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

    async fn update(
        &self,
        seen: &Client,
        details: &NewClient,
        act: &Act,
    ) -> Result<Client, StoreError> {
        let changes = Changes::between(&seen.details, details);
        let updated = self.pool.write(|mut connection| {
            let query = diesel::update(as_seen!(seen))
                .set(DetailsRow::from(details))
                .returning(ClientRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::UPDATED, &changes);
            let query = Noted::new(query, (!changes.is_none()).then_some(event));
            async move {
                let updated: QueryResult<ClientRow> = query.get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        let updated = updated.await?;
        Ok(written(&self.pool, FIND, seen.id.0, updated).await?.into())
    }

    async fn delete(&self, seen: &Client, act: &Act) -> Result<(), StoreError> {
        let changes = Changes::Row(record(seen));
        let deleted = self.pool.write(|mut connection| {
            let query = diesel::delete(as_seen!(seen)).returning(clients::id);
            let query = Noted::new(query, EventRow::of(act, RESOURCE, Verb::DELETED, &changes));
            async move {
                let deleted: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(deleted.optional())
            }
        });
        let deleted = deleted.await?;
        written(&self.pool, FIND, seen.id.0, deleted).await.map(drop)
    }

    async fn restore(&self, client: &Client, act: &Act) -> Result<(), StoreError> {
        let restored = self.pool.write(|mut connection| {
            let query = diesel::insert_into(clients::table)
                .values((clients::id.eq(client.id.0), DetailsRow::from(&client.details)))
                .on_conflict(clients::id)
                .do_nothing()
                .returning(clients::id);
            let event = EventRow::of(act, RESOURCE, Verb::RESTORED, &Changes::None);
            let query = Noted::new(query, event);
            async move {
                let restored: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(restored.optional())
            }
        });
        restored.await?.map(drop).ok_or(StoreError::Conflict(Constraint::Stale))
    }
}
