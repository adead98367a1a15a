//! Rewrites search documents of an earlier release.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use exit3_domain::search;
use exit3_ports::StoreError;

use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::SqliteStore;

/// A row: its id, and the fields of its document.
type Row = (i64, Option<String>, Option<String>, Option<String>, Option<String>);
type Columns = (BigInt, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>);

/// A hundred rows whose documents are from an earlier release. Other writes wait while a batch is
/// written, which takes milliseconds.
const LEADS: &str = "SELECT id, full_name, company_name, email, phone_number \
    FROM leads INDEXED BY leads_with_accents \
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document) \
    AND instr(search_document, char(12)) = 0 ORDER BY id LIMIT 100";
const SUBSCRIBERS: &str = "SELECT id, email, NULL, NULL, NULL \
    FROM subscribers INDEXED BY subscribers_with_accents \
    WHERE length(CAST(search_document AS BLOB)) <> length(search_document) \
    AND instr(search_document, char(12)) = 0 ORDER BY id LIMIT 100";
/// Clients of a release that wrote no documents.
const CLIENTS: &str = "SELECT id, team_id, short_description, NULL, NULL \
    FROM clients INDEXED BY clients_unfolded WHERE search_document IS NULL ORDER BY id LIMIT 100";

/// Rewrites one batch of documents; returns their number.
pub(crate) async fn fold_accents(store: &SqliteStore) -> Result<u64, StoreError> {
    // Reads first, so that nothing is written if there is nothing to do.
    let found = |select| move |connection: &mut SqliteConnection| rows(connection, select);
    for (select, update) in [
        (LEADS, "UPDATE leads SET search_document = "),
        (SUBSCRIBERS, "UPDATE subscribers SET search_document = "),
        (CLIENTS, "UPDATE clients SET search_document = "),
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
        return store.write(fold).await;
    }
    Ok(0)
}

fn rows(connection: &mut SqliteConnection, select: &'static str) -> QueryResult<Vec<Row>> {
    Sql::<Columns>::new(select).load(connection)
}
