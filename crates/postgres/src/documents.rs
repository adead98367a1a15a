//! Rewrites search documents of an earlier release.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use exit3_domain::search;
use exit3_ports::StoreError;

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// The number of rows that are locked at a time, for milliseconds.
const BATCH: usize = 100;

/// A row: its id, its document, and the fields of the document.
type Row = (i64, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);
type Columns =
    (BigInt, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>);

/// Rows whose documents are from an earlier release. The condition is that of a partial index.
const LEADS: &str = "SELECT id, search_document, full_name, company_name, email, phone_number \
    FROM leads WHERE octet_length(search_document) <> char_length(search_document) \
    AND position(chr(12) IN search_document) = 0 ORDER BY id LIMIT ";
const SUBSCRIBERS: &str = "SELECT id, search_document, email, NULL, NULL, NULL \
    FROM subscribers WHERE octet_length(search_document) <> char_length(search_document) \
    AND position(chr(12) IN search_document) = 0 ORDER BY id LIMIT ";

/// Clients of a release that wrote no documents.
const CLIENTS: &str = "SELECT id, search_document, team_id, short_description, NULL, NULL \
    FROM clients WHERE search_document IS NULL ORDER BY id LIMIT ";

/// Rewrites one batch of documents; returns their number.
pub(crate) async fn fold_accents(pool: &PgPool) -> Result<u64, StoreError> {
    for (select, update) in [
        (LEADS, "UPDATE leads AS kept SET search_document = given.folded"),
        (SUBSCRIBERS, "UPDATE subscribers AS kept SET search_document = given.folded"),
        (CLIENTS, "UPDATE clients AS kept SET search_document = given.folded"),
    ] {
        let folded = fold(pool, select, update).await?;
        if folded > 0 {
            return Ok(folded);
        }
    }
    Ok(0)
}

async fn fold(
    pool: &PgPool,
    select: &'static str,
    update: &'static str,
) -> Result<u64, StoreError> {
    let found = pool.read(|mut connection| async move {
        let limit = Value::BigInt(i64::try_from(BATCH).unwrap_or(i64::MAX));
        let found = Sql::<Columns>::planned(select).value(limit).load(&mut *connection).await;
        connection.done(found)
    });
    let found: Vec<Row> = found.await?;
    if found.is_empty() {
        return Ok(0);
    }
    let (mut ids, mut olds, mut folded) = (Vec::new(), Vec::new(), Vec::new());
    for (id, old, one, two, three, four) in &found {
        let fields = [one, two, three, four].map(|field| field.as_deref());
        ids.push(*id);
        olds.push(old.clone());
        folded.push(Some(search::document(fields)));
    }
    // A row that was changed meanwhile has another document, and is skipped.
    let written = pool.write(|mut connection| {
        let update = Sql::<()>::planned(update)
            .sql(" FROM unnest(")
            .value(Value::BigInts(ids.clone()))
            .sql(", ")
            .value(Value::Texts(olds.clone()))
            .sql(", ")
            .value(Value::Texts(folded.clone()))
            .sql(") AS given (id, old, folded) WHERE kept.id = given.id")
            .sql(" AND kept.search_document IS NOT DISTINCT FROM given.old");
        async move {
            let written = update.execute(&mut *connection).await;
            connection.done(written)
        }
    });
    // Another node may have been faster; there may be more.
    written.await.map(|_| found.len() as u64)
}
