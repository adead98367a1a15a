//! Clients in PostgreSQL.

mod convert;
mod list;
mod row;

use async_trait::async_trait;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::{PgExpressionMethods, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::clients::{
    Client, ClientFilter, ClientId, ClientOrder, ClientTotals, NewClient, RESOURCE,
};
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::{Lead, LeadId};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::staff::StaffId;
use exit3_ports::{ClientRepository, Constraint, StoreError};

use crate::events::{EventRow, Noted};
use crate::listing::Beyond;
use crate::lists::Lists;
use crate::pool::PgPool;
use crate::stale::written;
use row::{ClientColumns, ClientRow, DetailsRow, clients};

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
            // It follows from the others.
            search_document: _,
        } = DetailsRow::of(&$seen.details, "");
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
    lists: Lists,
}

impl PgClientRepository {
    pub(crate) fn new(pool: PgPool, lists: Lists) -> Self {
        Self { pool, lists }
    }
}

#[async_trait]
impl ClientRepository for PgClientRepository {
    async fn create(&self, client: &NewClient, act: &Act) -> Result<Client, StoreError> {
        let document = client.search_document();
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(clients::table)
                .values(DetailsRow::of(client, &document))
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

    async fn convert(
        &self,
        seen: &Lead,
        owner: Option<StaffId>,
        client: &NewClient,
        act: &Act,
    ) -> Result<Client, StoreError> {
        convert::convert(&self.pool, seen, owner, client, act).await
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

    async fn list(
        &self,
        filter: &ClientFilter,
        order: ClientOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Client>>, StoreError> {
        let listing = list::listing(filter, order, None);
        self.lists.page::<ClientColumns, ClientRow, _>(&listing, page).await
    }

    async fn walk(
        &self,
        filter: &ClientFilter,
        order: ClientOrder,
        step: &Step,
    ) -> Result<Slice<Client>, StoreError> {
        let listing = list::listing(filter, order, Beyond::of(order, step));
        self.lists.walk::<ClientColumns, ClientRow, _>(&listing, step).await
    }

    async fn totals(&self, filter: &ClientFilter) -> Result<ClientTotals, StoreError> {
        list::totals(&self.lists, filter).await
    }

    async fn update(
        &self,
        seen: &Client,
        details: &NewClient,
        act: &Act,
    ) -> Result<Client, StoreError> {
        let changes = Changes::between(&seen.details, details);
        let document = details.search_document();
        let updated = self.pool.write(|mut connection| {
            let query = diesel::update(as_seen!(seen))
                .set(DetailsRow::of(details, &document))
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
        let document = client.details.search_document();
        let restored = self.pool.write(|mut connection| {
            let query = diesel::insert_into(clients::table)
                .values((clients::id.eq(client.id.0), DetailsRow::of(&client.details, &document)))
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
