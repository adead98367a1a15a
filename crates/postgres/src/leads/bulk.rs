//! Stores many leads at once.

use chrono::{DateTime, Utc};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::leads::NewLead;
use exit3_ports::StoreError;

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Stores all leads or none, in one statement whose values are arrays.
pub(super) async fn create(
    pool: &PgPool,
    leads: &[(NewLead, DateTime<Utc>)],
) -> Result<(), StoreError> {
    if leads.is_empty() {
        return Ok(());
    }
    let begin = pool.begin_bulk();
    pool.write_many(|mut connection| {
        let insert = insert(leads);
        let begin = &begin;
        async move {
            let stored = async {
                connection.batch_execute(begin).await?;
                insert.execute(&mut *connection).await?;
                connection.batch_execute("COMMIT").await
            };
            let stored = stored.await;
            connection.done_in_transaction(stored)
        }
    })
    .await
}

fn insert(leads: &[(NewLead, DateTime<Utc>)]) -> Sql {
    let texts = |text: fn(&NewLead) -> Option<&str>| {
        Value::Texts(leads.iter().map(|(lead, _)| text(lead).map(str::to_owned)).collect())
    };
    let words = |word: fn(&NewLead) -> &'static str| {
        Value::Words(leads.iter().map(|(lead, _)| word(lead)).collect())
    };
    let documents = leads.iter().map(|(lead, _)| Some(lead.search_document())).collect();
    let times = leads.iter().map(|(_, created_at)| *created_at).collect();
    Sql::planned(
        "INSERT INTO leads (full_name, \"position\", company_name, phone_number, email, source, \
         status, notes, category, search_document, created_at, updated_at) \
         SELECT given.*, given.created_at FROM unnest(",
    )
    .value(texts(|lead| Some(&lead.full_name)))
    .sql(", ")
    .value(texts(|lead| Some(&lead.position)))
    .sql(", ")
    .value(texts(|lead| lead.company_name.as_deref()))
    .sql(", ")
    .value(texts(|lead| lead.phone_number.as_deref()))
    .sql(", ")
    .value(texts(|lead| lead.email.as_deref()))
    .sql(", ")
    .value(words(|lead| lead.source.as_str()))
    .sql(", ")
    .value(words(|lead| lead.status.as_str()))
    .sql(", ")
    .value(texts(|lead| lead.notes.as_deref()))
    .sql(", ")
    .value(words(|lead| lead.category.as_str()))
    .sql(", ")
    .value(Value::Texts(documents))
    .sql(", ")
    .value(Value::Times(times))
    .sql(
        ") AS given (full_name, \"position\", company_name, phone_number, email, source, status, \
         notes, category, search_document, created_at)",
    )
}
