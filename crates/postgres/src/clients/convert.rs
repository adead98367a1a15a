//! Making a client of a lead.

use chrono::TimeDelta;
use diesel::QueryResult;
use diesel::prelude::OptionalExtension;
use diesel_async::RunQueryDsl;
use exit3_domain::clients::{Client, NewClient, RESOURCE};
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::leads::{self, Lead, LeadStatus};
use exit3_domain::staff::StaffId;
use exit3_ports::StoreError;

use super::row::{COLUMNS, ClientColumns, ClientRow, DetailsRow};
use crate::events::{EventRow, Noted};
use crate::pool::PgPool;
use crate::sql::{Sql, Value};
use crate::stale::written;

/// Finds a lead.
const FIND: &str = "SELECT 1 FROM leads WHERE id = ";

/// Stores the client and converts the lead, in one statement.
pub(super) async fn convert(
    pool: &PgPool,
    seen: &Lead,
    owner: Option<StaffId>,
    client: &NewClient,
    act: &Act,
) -> Result<Client, StoreError> {
    let document = client.search_document();
    let changes = Changes::between(&seen.state(), &seen.converted(owner));
    let created = pool.write(|mut connection| {
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
        let query = Noted::new(insert(client, &document), event);
        let query = if changes.is_none() {
            query.after(
                "converted",
                as_seen(Sql::cached("SELECT id FROM leads"), seen).sql(" FOR UPDATE"),
            )
        } else {
            let now = act.at.max(seen.updated_at + TimeDelta::microseconds(1));
            let update = Sql::cached("UPDATE leads SET status = ")
                .value(Value::Text(Some(LeadStatus::Converted.to_string())))
                .sql(", owner_id = ")
                .value(Value::Number(owner.map(|owner| owner.0)))
                .sql(", updated_at = ")
                .value(Value::Time(now));
            let event = EventRow::of(act, leads::RESOURCE, Verb::UPDATED, &changes);
            query.after_write("converted", as_seen(update, seen).sql(" RETURNING id"), event)
        };
        async move {
            let created: QueryResult<ClientRow> = query.get_result(&mut *connection).await;
            connection.done(created.optional())
        }
    });
    let created = created.await?;
    Ok(written(pool, FIND, seen.id.0, created).await?.into())
}

/// The row of the lead, if it still has the version that the caller has seen.
fn as_seen(statement: Sql, seen: &Lead) -> Sql {
    statement
        .sql(" WHERE id = ")
        .value(Value::BigInt(seen.id.0))
        .sql(" AND updated_at = ")
        .value(Value::Time(seen.updated_at))
}

/// Stores the client of the lead `converted`, if there is one.
fn insert(client: &NewClient, document: &str) -> Sql<ClientColumns> {
    let DetailsRow {
        lead_id: _,
        team_id,
        monthly_charge,
        one_time_charge,
        contract_file,
        short_description,
        category,
        search_document,
    } = DetailsRow::of(client, document);
    let text = |text: &str| Value::Text(Some(text.to_owned()));
    let values = [
        text(team_id),
        Value::Number(monthly_charge),
        Value::Number(one_time_charge),
        Value::Text(contract_file.map(str::to_owned)),
        text(short_description),
        text(category),
        text(search_document),
    ];
    let mut insert = Sql::cached(
        "INSERT INTO clients (lead_id, team_id, monthly_charge, one_time_charge, contract_file, \
         short_description, category, search_document) SELECT converted.id",
    );
    for value in values {
        insert = insert.sql(", ").value(value);
    }
    insert.sql(" FROM converted RETURNING ").sql(COLUMNS)
}
