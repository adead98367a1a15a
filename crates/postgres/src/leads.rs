//! Leads in PostgreSQL.

mod bulk;
mod create;
mod list;
mod page;
mod row;

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::clients::{self, ClientId};
use exit3_domain::contact::Contact;
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::counts::SourceCount;
use exit3_domain::leads::{
    Lead, LeadFilter, LeadId, LeadOrder, LeadPage, LeadWork, NewLead, RESOURCE,
};
use exit3_domain::paging::{Glance, Page, PageRequest, Slice, Step};
use exit3_ports::{Constraint, LeadRepository, StoreError};

use crate::events::{EventRow, Noted, NotedBoth};
use crate::lane::{Entered, Grouped, Lane};
use crate::lists::Lists;
use crate::pool::PgPool;
use crate::sql::{Sql, Value};
use crate::stale::written;
use create::{Creates, Row};
pub(crate) use create::{assigned, insert};
use row::{DetailsRow, LeadColumns, LeadRow, WorkRow, leads};

/// Finds a lead.
const FIND: &str = "SELECT 1 FROM leads WHERE id = ";

/// Stores leads in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgLeadRepository {
    pool: PgPool,
    lists: Lists,
    creates: Lane<Creates>,
    /// Of leads with an id.
    creates_as: Lane<Creates>,
}

impl PgLeadRepository {
    pub(crate) fn new(pool: PgPool, lists: Lists) -> Self {
        let lane = || Lane::new(pool.clone());
        let (creates, creates_as) = (lane(), lane());
        Self { pool, lists, creates, creates_as }
    }

    async fn store_one(
        &self,
        id: Option<LeadId>,
        lead: &NewLead,
        act: &Act,
    ) -> Result<Lead, StoreError> {
        let row = || Row { id, lead: lead.clone(), act: act.clone() };
        // One that is refused would undo the statement of all, and two nodes with the same keys in
        // another order would lock each other.
        if act.author.batch.as_ref().is_some_and(|batch| batch.request_key().is_some()) {
            return Creates::one(&self.pool, &row()).await;
        }
        let lane = if id.is_some() { &self.creates_as } else { &self.creates };
        match lane.enter(row) {
            Entered::Turn(_turn) => Creates::one(&self.pool, &row()).await,
            Entered::Waits(answer) => answer.stored().await,
        }
    }

    fn reader<'a>(
        &'a self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &'a Step,
    ) -> page::Reader<'a> {
        page::Reader { lists: &self.lists, filter: filter.ordered_by(order.by), order, step }
    }
}

#[async_trait]
impl LeadRepository for PgLeadRepository {
    async fn create(&self, lead: &NewLead, act: &Act) -> Result<Lead, StoreError> {
        self.store_one(None, lead, act).await
    }

    async fn create_as(&self, id: LeadId, lead: &NewLead, act: &Act) -> Result<Lead, StoreError> {
        self.store_one(Some(id), lead, act).await
    }

    async fn reserve_ids(&self, count: u32) -> Result<Vec<RangeInclusive<i64>>, StoreError> {
        create::reserve(&self.pool, count).await
    }

    async fn create_with_work(
        &self,
        lead: &NewLead,
        work: &LeadWork,
        act: &Act,
    ) -> Result<Lead, StoreError> {
        create::with_work(&self.pool, lead, work, act).await
    }

    async fn create_many(
        &self,
        leads: &[(NewLead, DateTime<Utc>)],
        act: &Act,
    ) -> Result<(), StoreError> {
        bulk::create(&self.pool, leads, act).await
    }

    async fn find(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let query = leads::table.find(id.0).select(LeadRow::as_select());
            let found = query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        Ok(found.await?.map(LeadRow::into))
    }

    async fn find_all(&self, ids: &[LeadId]) -> Result<Vec<Lead>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let found = self.pool.read(|mut connection| {
            let query = leads::table.filter(leads::id.eq_any(ids.clone()));
            let query = query.select(LeadRow::as_select());
            async move {
                let found: QueryResult<Vec<LeadRow>> = query.load(&mut *connection).await;
                connection.done(found)
            }
        });
        Ok(found.await?.into_iter().map(LeadRow::into).collect())
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
        self.reader(filter, order, step).walk().await
    }

    async fn glance(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<Glance<Lead>, StoreError> {
        self.reader(filter, order, step).glance().await
    }

    async fn page(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<LeadPage, StoreError> {
        self.reader(filter, order, step).page().await
    }

    async fn counts(&self) -> Result<Vec<SourceCount>, StoreError> {
        page::counts(&self.lists).await
    }

    async fn with_contact(
        &self,
        contacts: &[Contact],
        except: Option<LeadId>,
        most: u32,
    ) -> Result<Vec<Lead>, StoreError> {
        let mut found = Vec::new();
        for contact in contacts {
            found.extend(page::resembling(&self.lists, contact).await?);
        }
        Ok(Lead::newest_with(contacts, found, except, most))
    }

    async fn update(
        &self,
        seen: &Lead,
        details: &NewLead,
        work: &LeadWork,
        act: &Act,
    ) -> Result<Lead, StoreError> {
        let changes = seen.changes(details, work);
        let now = act.at.max(seen.updated_at + TimeDelta::microseconds(1));
        let document = details.search_document();
        let updated = self.pool.write(|mut connection| {
            let as_seen = leads::table
                .filter(leads::id.eq(seen.id.0))
                .filter(leads::updated_at.eq(seen.updated_at));
            let query = diesel::update(as_seen)
                .set((
                    DetailsRow::of(details, &document),
                    WorkRow::of(work),
                    leads::updated_at.eq(now),
                ))
                .returning(LeadRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::UPDATED, &changes);
            let query = Noted::new(query, (!changes.is_none()).then_some(event));
            async move {
                let updated = query.get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        let updated = updated.await?;
        Ok(written(&self.pool, FIND, seen.id.0, updated).await?.into())
    }

    async fn delete(&self, seen: &Lead, act: &Act) -> Result<(), StoreError> {
        let changes = Changes::Row(record(seen));
        // Its client loses it, which is a change of the client.
        let lost = Changes::one("lead", Some(seen.id), None);
        let id = seen.id.0;
        let deleted = self.pool.write(|mut connection| {
            let as_seen = leads::table
                .filter(leads::id.eq(seen.id.0))
                .filter(leads::updated_at.eq(seen.updated_at));
            let query = diesel::delete(as_seen).returning(leads::id);
            let query = NotedBoth::new(
                query,
                EventRow::of(act, RESOURCE, Verb::DELETED, &changes),
                Sql::cached(
                    "UPDATE clients SET lead_id = NULL FROM written \
                     WHERE lead_id = written.id RETURNING clients.id",
                ),
                EventRow::of(act, clients::RESOURCE, Verb::UPDATED, &lost),
            );
            async move {
                // Nobody can give the lead a client that the statement does not see.
                connection.lock_first(format!("SELECT FROM leads WHERE id = {id} FOR UPDATE"));
                let deleted: QueryResult<(i64, bool)> = query.get_result(&mut *connection).await;
                connection.done(deleted.optional())
            }
        });
        let deleted = deleted.await?;
        written(&self.pool, FIND, seen.id.0, deleted).await.map(drop)
    }

    async fn restore(
        &self,
        lead: &Lead,
        client: Option<ClientId>,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let Lead { id, details, work, created_at, updated_at } = lead;
        let given = Changes::one("lead", None, Some(*id));
        let client: Vec<i64> = client.iter().map(|client| client.0).collect();
        let document = details.search_document();
        let restored = self.pool.write(|mut connection| {
            let query = diesel::insert_into(leads::table)
                .values((
                    leads::id.eq(id.0),
                    DetailsRow::of(details, &document),
                    WorkRow::of(work),
                    leads::created_at.eq(created_at),
                    leads::updated_at.eq(updated_at),
                ))
                .on_conflict_do_nothing()
                .returning(leads::id);
            let query = NotedBoth::new(
                query,
                EventRow::of(act, RESOURCE, Verb::RESTORED, &Changes::None),
                Sql::cached(
                    "UPDATE clients SET lead_id = written.id FROM written \
                     WHERE lead_id IS NULL AND clients.id = ANY (",
                )
                .value(Value::BigInts(client.clone()))
                .sql(") RETURNING clients.id"),
                EventRow::of(act, clients::RESOURCE, Verb::UPDATED, &given),
            );
            async move {
                let restored: QueryResult<(i64, bool)> = query.get_result(&mut *connection).await;
                connection.done(restored.optional())
            }
        });
        restored.await?.map(|(_, given)| given).ok_or(StoreError::Conflict(Constraint::Stale))
    }
}
