//! Making a client of a lead.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::clients::{Client, NewClient, RESOURCE};
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::leads::{self, Lead, LeadStatus};
use exit3_domain::staff::StaffId;
use exit3_ports::{Constraint, Kind, StoreError, Value};

use super::row::{ClientRow, DetailsRow, clients};
use crate::error::{from_diesel, from_diesel_about};
use crate::events::EventRow;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::microseconds;

/// Stores the client and converts the lead, in one transaction.
pub(super) async fn convert(
    store: &SqliteStore,
    seen: &Lead,
    owner: Option<StaffId>,
    client: &NewClient,
    act: &Act,
) -> Result<Client, StoreError> {
    let row = DetailsRow::of(&NewClient { lead: Some(seen.id), ..client.clone() })?;
    let created = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
    let changes = Changes::between(&seen.state(), &seen.converted(owner));
    let is_changed = !changes.is_none();
    let converted = EventRow::of(act, leads::RESOURCE, Verb::UPDATED, &changes)?;
    let (lead, seen_at) = (seen.id.0, microseconds(seen.updated_at));
    let updated_at = microseconds(act.at).max(seen_at.saturating_add(1));
    let convert = move |connection: &mut SqliteConnection| {
        check(connection, lead, seen_at)?;
        if is_changed {
            let mut update = Sql::<()>::new("UPDATE leads SET status = ");
            update.text(LeadStatus::Converted.as_str()).sql(", owner_id = ");
            let owner = owner.map_or(Value::Null, |owner| Value::Integer(owner.0));
            update.value(owner, Kind::Integer);
            update.sql(", updated_at = ").int(updated_at);
            update.sql(" WHERE id = ").int(lead);
            update.execute(connection).map_err(from_diesel)?;
            converted.insert(connection, lead)?;
        }
        let client: ClientRow = diesel::insert_into(clients::table)
            .values(row)
            .returning(ClientRow::as_returning())
            .get_result(connection)
            .map_err(from_diesel_about("clients"))?;
        created.insert(connection, client.id)?;
        Ok(client)
    };
    store.write(convert).await?.try_into()
}

/// An error unless the lead still has the version that the caller has seen. No other write can come
/// between this and the end of the transaction.
fn check(connection: &mut SqliteConnection, lead: i64, seen_at: i64) -> Result<(), StoreError> {
    let mut select = Sql::<BigInt>::new("SELECT updated_at FROM leads WHERE id = ");
    select.int(lead);
    let now: Option<i64> = select.get_result(connection).optional().map_err(from_diesel)?;
    match now {
        None => Err(StoreError::NotFound),
        Some(now) if now != seen_at => Err(StoreError::Conflict(Constraint::Stale)),
        Some(_) => Ok(()),
    }
}
