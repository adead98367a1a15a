//! Leads in PostgreSQL.

mod bulk;
mod create;
mod list;
mod row;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::SelectableHelper;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOrder, NewLead};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::{Constraint, LeadRepository, StoreError};

use crate::lane::{Entered, Lane};
use crate::listing::Beyond;
use crate::lists::Lists;
use crate::pool::PgPool;
use crate::sql::{Cached, Sql, Value};
use create::Creates;
use row::{DetailsRow, LeadColumns, LeadRow, leads};

/// Stores leads in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgLeadRepository {
    pool: PgPool,
    lists: Lists,
    creates: Lane<Creates>,
}

impl PgLeadRepository {
    pub(crate) fn new(pool: PgPool, lists: Lists) -> Self {
        let creates = Lane::new(pool.clone());
        Self { pool, lists, creates }
    }

    async fn exists(&self, id: LeadId) -> Result<bool, StoreError> {
        self.pool
            .read(|mut connection| async move {
                let query = Sql::<Integer>::cached("SELECT 1 FROM leads WHERE id = ")
                    .value(Value::BigInt(id.0));
                let found = query.load(&mut *connection).await;
                connection.done(found.map(|rows: Vec<i32>| !rows.is_empty()))
            })
            .await
    }
}

#[async_trait]
impl LeadRepository for PgLeadRepository {
    async fn create(&self, lead: &NewLead, now: DateTime<Utc>) -> Result<Lead, StoreError> {
        let created = match self.creates.enter(|| (lead.clone(), now)) {
            Entered::Turn(_turn) => create::one(&self.pool, lead, now).await?,
            Entered::Waits(answer) => answer.stored().await?,
        };
        Ok(created)
    }

    async fn create_many(&self, leads: &[(NewLead, DateTime<Utc>)]) -> Result<(), StoreError> {
        bulk::create(&self.pool, leads).await
    }

    async fn find(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let query = leads::table.find(id.0).select(LeadRow::as_select());
            let found = query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        Ok(found.await?.map(LeadRow::into))
    }

    async fn list(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Lead>>, StoreError> {
        let listing = list::listing(filter, order, None);
        self.lists.page::<LeadColumns, LeadRow, _>(&listing, page).await
    }

    async fn walk(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<Slice<Lead>, StoreError> {
        let listing = list::listing(filter, order, Beyond::of(order, step));
        self.lists.walk::<LeadColumns, LeadRow, _>(&listing, step).await
    }

    async fn update(
        &self,
        seen: &Lead,
        details: &NewLead,
        now: DateTime<Utc>,
    ) -> Result<Lead, StoreError> {
        let now = now.max(seen.updated_at + TimeDelta::microseconds(1));
        let document = details.search_document();
        let updated = self.pool.write(|mut connection| {
            let as_seen = leads::table
                .filter(leads::id.eq(seen.id.0))
                .filter(leads::updated_at.eq(seen.updated_at));
            let query = diesel::update(as_seen)
                .set((DetailsRow::of(details, &document), leads::updated_at.eq(now)))
                .returning(LeadRow::as_returning());
            async move {
                let updated = Cached(query).get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        match updated.await? {
            Some(updated) => Ok(updated.into()),
            None if self.exists(seen.id).await? => Err(StoreError::Conflict(Constraint::Stale)),
            None => Err(StoreError::NotFound),
        }
    }

    async fn delete(&self, id: LeadId) -> Result<(), StoreError> {
        let deleted = self.pool.write(|mut connection| async move {
            let query = diesel::delete(leads::table.find(id.0));
            let deleted = Cached(query).execute(&mut *connection).await;
            connection.done(deleted)
        });
        if deleted.await? == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }
}
