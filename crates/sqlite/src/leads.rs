//! Leads in SQLite.

mod list;
mod page;
mod row;

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use exit3_domain::clients::{self, ClientId};
use exit3_domain::contact::Contact;
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::counts::{SourceCount, of_words};
use exit3_domain::leads::{
    Lead, LeadFilter, LeadId, LeadOrder, LeadPage, LeadWork, NewLead, RESOURCE,
};
use exit3_domain::paging::{Glance, Page, PageRequest, Slice, Step};
use exit3_ports::{Constraint, LeadRepository, StoreError};

use self::row::{DetailsRow, LeadRow, WorkRow, leads};
use crate::error::from_diesel;
use crate::events::EventRow;
use crate::sql::{Cached, Sql};
use crate::store::{PATIENCE_FOR_MANY, SqliteStore};
use crate::values::{microseconds, moment};

/// The most leads that are compared with a contact.
const SAME_CONTACT: i64 = 200;

/// Stores leads.
#[derive(Clone)]
pub(crate) struct SqliteLeadRepository {
    store: SqliteStore,
}

impl SqliteLeadRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl LeadRepository for SqliteLeadRepository {
    async fn create(&self, lead: &NewLead, act: &Act) -> Result<Lead, StoreError> {
        self.store.write(creation(None, lead, act)?).await
    }

    async fn create_as(&self, id: LeadId, lead: &NewLead, act: &Act) -> Result<Lead, StoreError> {
        self.store.write(creation(Some(id), lead, act)?).await
    }

    async fn reserve_ids(&self, count: u32) -> Result<Vec<RangeInclusive<i64>>, StoreError> {
        let reserve = move |connection: &mut SqliteConnection| {
            let mut update = Sql::<BigInt>::new("UPDATE sqlite_sequence SET seq = seq + ");
            update.int(count.into()).sql(" WHERE name = 'leads' RETURNING seq");
            let last = update.get_result(connection).optional().map_err(from_diesel)?;
            let last: i64 = match last {
                Some(last) => last,
                // There was no lead yet.
                None => {
                    let mut insert =
                        Sql::<()>::new("INSERT INTO sqlite_sequence VALUES ('leads', ");
                    insert.int(count.into()).sql(")");
                    insert.execute(connection).map_err(from_diesel)?;
                    count.into()
                }
            };
            Ok(vec![last - i64::from(count) + 1..=last])
        };
        self.store.write(reserve).await
    }

    async fn create_with_work(
        &self,
        lead: &NewLead,
        work: &LeadWork,
        act: &Act,
    ) -> Result<Lead, StoreError> {
        let (row, work_row) = (DetailsRow::of(lead)?, WorkRow::of(work)?);
        let created_at = microseconds(act.at);
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let insert = move |connection: &mut SqliteConnection| {
            let times = (leads::created_at.eq(created_at), leads::updated_at.eq(created_at));
            let insert = diesel::insert_into(leads::table).values((row, work_row, times));
            let id = insert.returning(leads::id).get_result(connection).map_err(from_diesel)?;
            event.insert(connection, id)?;
            Ok(id)
        };
        let id = self.store.write(insert).await?;
        let now = moment(created_at)?;
        let (details, work) = (lead.clone(), work.clone());
        Ok(Lead { id: LeadId(id), details, work, created_at: now, updated_at: now })
    }

    async fn create_many(
        &self,
        leads: &[(NewLead, DateTime<Utc>)],
        act: &Act,
    ) -> Result<(), StoreError> {
        let rows: Result<Vec<_>, StoreError> = leads
            .iter()
            .map(|(lead, now)| Ok((DetailsRow::of(lead)?, microseconds(*now))))
            .collect();
        let rows = rows?;
        if rows.is_empty() {
            return Ok(());
        }
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let insert = move |connection: &mut SqliteConnection| {
            for (details, created_at) in &rows {
                let id = insert(connection, None, details, *created_at).map_err(from_diesel)?;
                event.insert(connection, id)?;
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

    async fn find_all(&self, ids: &[LeadId]) -> Result<Vec<Lead>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let find = move |connection: &mut SqliteConnection| {
            let found = leads::table.filter(leads::id.eq_any(ids));
            found.select(LeadRow::as_select()).load(connection)
        };
        self.store.readers.run(find).await?.into_iter().map(Lead::try_from).collect()
    }

    async fn list(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Lead>>, StoreError> {
        self.store.indexed_page(&filter.ordered_by(order.by), order, page).await
    }

    async fn walk(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<Slice<Lead>, StoreError> {
        self.store.indexed_walk(&filter.ordered_by(order.by), order, step).await
    }

    async fn glance(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<Glance<Lead>, StoreError> {
        page::glance(&self.store, filter, order, step).await
    }

    async fn page(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<LeadPage, StoreError> {
        page::page(&self.store, filter, order, step).await
    }

    async fn counts(&self) -> Result<Vec<SourceCount>, StoreError> {
        let count = |connection: &mut SqliteConnection| {
            let select = Sql::<(Text, Text, BigInt)>::new(
                "SELECT status, source, sum(n) FROM lead_counts GROUP BY status, source",
            );
            select.load::<(String, String, i64)>(connection)
        };
        Ok(of_words(self.store.readers.run(count).await?))
    }

    async fn with_contact(
        &self,
        contacts: &[Contact],
        except: Option<LeadId>,
        most: u32,
    ) -> Result<Vec<Lead>, StoreError> {
        let own = contacts.to_vec();
        let find = move |connection: &mut SqliteConnection| {
            let of = |contact| page::resembling(connection, contact, SAME_CONTACT);
            own.iter().map(of).collect::<QueryResult<Vec<_>>>()
        };
        let rows = self.store.read(find).await?.into_iter().flatten();
        let found = rows.map(Lead::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Lead::newest_with(contacts, found, except, most))
    }

    async fn update(
        &self,
        seen: &Lead,
        details: &NewLead,
        work: &LeadWork,
        act: &Act,
    ) -> Result<Lead, StoreError> {
        let (row, work_row) = (DetailsRow::of(details)?, WorkRow::of(work)?);
        let event = EventRow::of_update(act, RESOURCE, &seen.changes(details, work))?;
        let (id, seen_at) = (seen.id.0, microseconds(seen.updated_at));
        let updated_at = microseconds(act.at).max(seen_at.saturating_add(1));
        let update = move |connection: &mut SqliteConnection| {
            let as_seen = leads::table.find(id).filter(leads::updated_at.eq(seen_at));
            let update = diesel::update(as_seen)
                .set((row, work_row, leads::updated_at.eq(updated_at)))
                .returning(leads::created_at);
            let created_at: Option<i64> =
                Cached(update).get_result(connection).optional().map_err(from_diesel)?;
            let Some(created_at) = created_at else {
                return Err(why_not_written(connection, id));
            };
            if let Some(event) = event {
                event.insert(connection, id)?;
            }
            Ok(created_at)
        };
        let created_at = self.store.write(update).await?;
        Ok(Lead {
            id: seen.id,
            details: details.clone(),
            work: work.clone(),
            created_at: moment(created_at)?,
            updated_at: moment(updated_at)?,
        })
    }

    async fn delete(&self, seen: &Lead, act: &Act) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::DELETED, &Changes::Row(record(seen)))?;
        // Its client forgets it, which is a change of the client.
        let forgotten = Changes::one("lead", Some(seen.id), None);
        let of_client = EventRow::of(act, clients::RESOURCE, Verb::UPDATED, &forgotten)?;
        let (id, seen_at) = (seen.id.0, microseconds(seen.updated_at));
        let delete = move |connection: &mut SqliteConnection| {
            if let Some(client) = forget(connection, id).map_err(from_diesel)? {
                of_client.insert(connection, client)?;
            }
            let as_seen = leads::table.find(id).filter(leads::updated_at.eq(seen_at));
            match diesel::delete(as_seen).execute(connection).map_err(from_diesel)? {
                0 => Err(why_not_written(connection, id)),
                _ => event.insert(connection, id),
            }
        };
        self.store.write(delete).await
    }

    async fn restore(
        &self,
        lead: &Lead,
        client: Option<ClientId>,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let Lead { id, details, work, created_at, updated_at } = lead;
        let given = Changes::one("lead", None, Some(*id));
        let of_client = EventRow::of(act, clients::RESOURCE, Verb::UPDATED, &given)?;
        let row = (
            leads::id.eq(id.0),
            DetailsRow::of(details)?,
            WorkRow::of(work)?,
            leads::created_at.eq(microseconds(*created_at)),
            leads::updated_at.eq(microseconds(*updated_at)),
        );
        let (id, event) = (id.0, EventRow::of(act, RESOURCE, Verb::RESTORED, &Changes::None)?);
        let restore = move |connection: &mut SqliteConnection| {
            let insert = diesel::insert_into(leads::table).values(row);
            let insert = insert.on_conflict(leads::id).do_nothing();
            if insert.execute(connection).map_err(from_diesel)? == 0 {
                return Err(StoreError::Conflict(Constraint::Stale));
            }
            event.insert(connection, id)?;
            let Some(ClientId(client)) = client else { return Ok(false) };
            let is_given = give(connection, id, client).map_err(from_diesel)?;
            if is_given {
                of_client.insert(connection, client)?;
            }
            Ok(is_given)
        };
        self.store.write(restore).await
    }
}

/// Inserts a lead and its event, on the connection of the writer.
pub(crate) fn creation(
    id: Option<LeadId>,
    lead: &NewLead,
    act: &Act,
) -> Result<
    impl FnOnce(&mut SqliteConnection) -> Result<Lead, StoreError> + Send + 'static,
    StoreError,
> {
    let (row, details) = (DetailsRow::of(lead)?, lead.clone());
    let created_at = microseconds(act.at);
    let now = moment(created_at)?;
    let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
    Ok(move |connection: &mut SqliteConnection| {
        let id = insert(connection, id, &row, created_at).map_err(from_diesel)?;
        event.insert(connection, id)?;
        let work = LeadWork::default();
        Ok(Lead { id: LeadId(id), details, work, created_at: now, updated_at: now })
    })
}

fn insert(
    connection: &mut SqliteConnection,
    id: Option<LeadId>,
    details: &DetailsRow,
    created_at: i64,
) -> QueryResult<i64> {
    let columns = (details, leads::created_at.eq(created_at), leads::updated_at.eq(created_at));
    let insert = diesel::insert_into(leads::table);
    // An optional id would keep diesel from caching the statement.
    match id {
        None => insert.values(columns).returning(leads::id).get_result(connection),
        Some(id) => {
            let columns = (leads::id.eq(id.0), columns);
            insert.values(columns).returning(leads::id).get_result(connection)
        }
    }
}

/// Clears the lead of the client that it became, if there is one. Returns the id of the client.
fn forget(connection: &mut SqliteConnection, lead: i64) -> QueryResult<Option<i64>> {
    let mut update = Sql::<BigInt>::new("UPDATE clients SET lead_id = NULL WHERE lead_id = ");
    update.int(lead).sql(" RETURNING id");
    update.get_result(connection).optional()
}

/// Gives the lead to a client that has none. Returns whether there is one.
fn give(connection: &mut SqliteConnection, lead: i64, client: i64) -> QueryResult<bool> {
    let mut update = Sql::<()>::new("UPDATE clients SET lead_id = ");
    update.int(lead).sql(" WHERE lead_id IS NULL AND id = ").int(client);
    Ok(update.execute(connection)? > 0)
}

/// Why a lead could not be written in the state that the caller has seen.
fn why_not_written(connection: &mut SqliteConnection, id: i64) -> StoreError {
    match leads::table.find(id).select(leads::id).first::<i64>(connection).optional() {
        Ok(Some(_)) => StoreError::Conflict(Constraint::Stale),
        Ok(None) => StoreError::NotFound,
        Err(error) => from_diesel(error),
    }
}
