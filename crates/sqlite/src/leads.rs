//! Leads in SQLite.

mod list;
mod row;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOrder, NewLead};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::{Constraint, LeadRepository, StoreError};

use self::row::{DetailsRow, LeadRow, leads, microseconds};
pub(crate) use self::row::{moment, text, unreadable};
use crate::error::from_diesel;
use crate::sql::Cached;
use crate::store::Store;

/// The patience for storing many rows at once.
pub(crate) const PATIENCE_FOR_MANY: Duration = Duration::from_secs(120);

/// Stores leads.
#[derive(Clone)]
pub(crate) struct SqliteLeadRepository {
    store: Store,
}

impl SqliteLeadRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl LeadRepository for SqliteLeadRepository {
    async fn create(&self, lead: &NewLead, now: DateTime<Utc>) -> Result<Lead, StoreError> {
        let details = DetailsRow::of(lead)?;
        let created_at = microseconds(now);
        let insert = move |connection: &mut SqliteConnection| {
            insert(connection, &details, created_at).map_err(from_diesel)
        };
        let id = self.store.writer.write(self.store.patience, insert).await?;
        let now = moment(created_at)?;
        Ok(Lead { id: LeadId(id), details: lead.clone(), created_at: now, updated_at: now })
    }

    async fn create_many(&self, leads: &[(NewLead, DateTime<Utc>)]) -> Result<(), StoreError> {
        let rows: Result<Vec<_>, StoreError> = leads
            .iter()
            .map(|(lead, now)| Ok((DetailsRow::of(lead)?, microseconds(*now))))
            .collect();
        let rows = rows?;
        if rows.is_empty() {
            return Ok(());
        }
        let insert = move |connection: &mut SqliteConnection| {
            for (details, created_at) in &rows {
                insert(connection, details, *created_at).map_err(from_diesel)?;
            }
            Ok(())
        };
        self.store.writer.write(PATIENCE_FOR_MANY, insert).await
    }

    async fn find(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            leads::table.find(id.0).select(LeadRow::as_select()).first(connection).optional()
        };
        self.store.readers.run(find).await?.map(Lead::try_from).transpose()
    }

    async fn list(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Lead>>, StoreError> {
        self.store.page(filter, order, page).await
    }

    async fn walk(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<Slice<Lead>, StoreError> {
        self.store.walk(filter, order, step).await
    }

    async fn update(
        &self,
        seen: &Lead,
        details: &NewLead,
        now: DateTime<Utc>,
    ) -> Result<Lead, StoreError> {
        let row = DetailsRow::of(details)?;
        let (id, seen_at) = (seen.id.0, microseconds(seen.updated_at));
        let updated_at = microseconds(now).max(seen_at.saturating_add(1));
        let update = move |connection: &mut SqliteConnection| {
            let unchanged = leads::table.find(id).filter(leads::updated_at.eq(seen_at));
            let update = diesel::update(unchanged)
                .set((row, leads::updated_at.eq(updated_at)))
                .returning(leads::created_at);
            let created_at: Option<i64> =
                Cached(update).get_result(connection).optional().map_err(from_diesel)?;
            match created_at {
                Some(created_at) => Ok(created_at),
                None => Err(why_not_updated(connection, id)),
            }
        };
        let created_at = self.store.writer.write(self.store.patience, update).await?;
        Ok(Lead {
            id: seen.id,
            details: details.clone(),
            created_at: moment(created_at)?,
            updated_at: moment(updated_at)?,
        })
    }

    async fn delete(&self, id: LeadId) -> Result<(), StoreError> {
        let delete = move |connection: &mut SqliteConnection| {
            let deleted = diesel::delete(leads::table.find(id.0)).execute(connection);
            match deleted.map_err(from_diesel)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        };
        self.store.writer.write(self.store.patience, delete).await
    }
}

fn insert(
    connection: &mut SqliteConnection,
    details: &DetailsRow,
    created_at: i64,
) -> QueryResult<i64> {
    diesel::insert_into(leads::table)
        .values((details, leads::created_at.eq(created_at), leads::updated_at.eq(created_at)))
        .returning(leads::id)
        .get_result(connection)
}

fn why_not_updated(connection: &mut SqliteConnection, id: i64) -> StoreError {
    match leads::table.find(id).select(leads::id).first::<i64>(connection).optional() {
        Ok(Some(_)) => StoreError::Conflict(Constraint::Stale),
        Ok(None) => StoreError::NotFound,
        Err(error) => from_diesel(error),
    }
}
