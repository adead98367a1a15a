//! Writes search documents anew that an earlier release wrote.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use exit3_domain::search;
use exit3_ports::StoreError;

use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::Store;

/// A row: its id, and the fields that its document is made of.
type Row = (i64, Option<String>, Option<String>, Option<String>, Option<String>);
type Columns = (BigInt, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>);

/// The rows whose documents are of an earlier release, a hundred at a time: other writes
/// wait for that many, which takes milliseconds.
const LEADS: &str = "SELECT id, full_name, company_name, email, phone_number \
    FROM leads INDEXED BY leads_with_accents \
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document) \
    AND instr(search_document, char(12)) = 0 ORDER BY id LIMIT 100";
const SUBSCRIBERS: &str = "SELECT id, email, NULL, NULL, NULL \
    FROM subscribers INDEXED BY subscribers_with_accents \
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document) \
    AND instr(search_document, char(12)) = 0 ORDER BY id LIMIT 100";

/// Some more documents; returns how many those were.
pub(crate) async fn fold_accents(store: &Store) -> Result<u64, StoreError> {
    // A reader looks first, so that nothing is written where there are none.
    let found = |select| move |connection: &mut SqliteConnection| rows(connection, select);
    for (select, update) in [
        (LEADS, "UPDATE leads SET search_document = "),
        (SUBSCRIBERS, "UPDATE subscribers SET search_document = "),
    ] {
        if store.readers.run(found(select)).await?.is_empty() {
            continue;
        }
        let fold = move |connection: &mut SqliteConnection| {
            let rows = rows(connection, select).map_err(from_diesel)?;
            for (id, one, two, three, four) in &rows {
                let fields = [one, two, three, four].map(|field| field.as_deref());
                let mut update = Sql::<()>::new(update);
                update.text(search::document(fields)).sql(" WHERE id = ").int(*id);
                update.execute(connection).map_err(from_diesel)?;
            }
            Ok(rows.len() as u64)
        };
        return store.writer.write(store.patience, fold).await;
    }
    Ok(0)
}

fn rows(connection: &mut SqliteConnection, select: &'static str) -> QueryResult<Vec<Row>> {
    Sql::<Columns>::new(select).load(connection)
}
