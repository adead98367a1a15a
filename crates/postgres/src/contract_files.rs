//! What is known of contract files, in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::{OptionalExtension, Queryable};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use exit3_domain::clients::{ClientId, RESOURCE};
use exit3_domain::contracts::{Contract, ContractName, DOOMED, NewContract, Received};
use exit3_domain::events::{Act, Actor, Verb};
use exit3_ports::contract_files::ARRIVING;
use exit3_ports::{ContractFileRepository, StoreError};

use crate::events::{EventRow, Noted};
use crate::pool::PgPool;
use crate::sql::{Sql, Value};

type FileColumns = (
    Text,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Nullable<Timestamptz>,
);

/// A file as it is read.
#[derive(Queryable)]
struct FileRow {
    file: String,
    name: Option<String>,
    size: Option<i64>,
    sha256: Option<String>,
    received_at: Option<DateTime<Utc>>,
    received_by: Option<String>,
    unused_since: Option<DateTime<Utc>>,
}

impl From<FileRow> for Contract {
    fn from(row: FileRow) -> Self {
        let FileRow { file, name, size, sha256, received_at, received_by, unused_since } = row;
        let received = || {
            let by = Actor::from_words(&received_by?);
            Some(Received { size: size?.unsigned_abs(), sha256: sha256?, at: received_at?, by })
        };
        let name = ContractName::of(name.as_deref().unwrap_or(&file));
        Self { received: received(), file, name, unused_since }
    }
}

/// Stores what is known of contract files in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgContractFileRepository {
    pool: PgPool,
}

impl PgContractFileRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ContractFileRepository for PgContractFileRepository {
    async fn receive(&self, contract: &NewContract) -> Result<(), StoreError> {
        let NewContract { file, client, name, received } = contract;
        let Received { size, sha256, at, by } = received;
        let texts = |text: &str| Value::Text(Some(text.to_owned()));
        let received = self.pool.write(|mut connection| {
            let query = Sql::<()>::cached(
                "INSERT INTO contract_files (file, client_id, name, size, sha256, received_at, \
                 received_by, unused_since) VALUES (",
            )
            .value(texts(file))
            .sql(", ")
            .value(Value::BigInt(client.0))
            .sql(", ")
            .value(texts(name.as_str()))
            .sql(", ")
            .value(Value::BigInt(size.cast_signed()))
            .sql(", ")
            .value(texts(sha256))
            .sql(", ")
            .value(Value::Time(*at))
            .sql(", ")
            .value(texts(&by.to_string()))
            .sql(", ")
            .value(Value::Time(*at))
            .sql(")");
            async move {
                let received = query.execute(&mut *connection).await;
                connection.done(received)
            }
        });
        received.await.map(drop)
    }

    async fn find(&self, file: &str) -> Result<Option<Contract>, StoreError> {
        // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
        if file.contains('\0') {
            return Ok(None);
        }
        let query = Sql::<FileColumns>::cached(
            "SELECT file, name, size, sha256, received_at, received_by, unused_since \
             FROM contract_files WHERE file = ",
        )
        .value(Value::Text(Some(file.to_owned())));
        let found = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                let found: QueryResult<FileRow> = query.get_result(&mut *connection).await;
                connection.done(found.optional())
            }
        });
        Ok(found.await?.map(Contract::from))
    }

    async fn note_download(
        &self,
        client: ClientId,
        contract: &Contract,
        act: &Act,
    ) -> Result<(), StoreError> {
        let noted = self.pool.write(|mut connection| {
            let query = Sql::<BigInt>::cached("SELECT id FROM clients WHERE id = ");
            let query = query.value(Value::BigInt(client.0));
            let changes = contract.downloaded();
            let event = EventRow::of(act, RESOURCE, Verb::CONTRACT_DOWNLOADED, &changes);
            let query = Noted::new(query, event);
            async move {
                let noted: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(noted.optional())
            }
        });
        noted.await?.map(drop).ok_or(StoreError::NotFound)
    }

    async fn discard(&self, file: &str) -> Result<bool, StoreError> {
        let discarded = self.pool.write(|mut connection| {
            let query = Sql::<()>::cached("DELETE FROM contract_files WHERE file = ")
                .value(Value::Text(Some(file.to_owned())))
                .sql(" AND NOT EXISTS (SELECT FROM clients WHERE contract_file = file)");
            async move {
                let discarded = query.execute(&mut *connection).await;
                connection.done(discarded)
            }
        });
        Ok(discarded.await? > 0)
    }

    async fn sweep(
        &self,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        let swept = self.pool.write(|mut connection| {
            let query = Sql::<Text>::cached(SWEEP_BEGIN)
                .value(Value::Time(DOOMED))
                .sql(" WHERE unused_since < ")
                .value(Value::time(end))
                .sql(ARRIVED)
                .value(Value::time(now - ARRIVING))
                .sql(SWEEP_MIDDLE)
                .value(Value::time(now))
                .sql(SWEEP_END);
            async move {
                let swept: QueryResult<Vec<String>> = query.load(&mut *connection).await;
                connection.done(swept)
            }
        });
        swept.await
    }

    async fn needless(&self, files: &[String]) -> Result<Vec<String>, StoreError> {
        let query = Sql::<Text>::cached("SELECT asked.file FROM unnest(")
            .value(Value::Texts(files.iter().cloned().map(Some).collect()))
            .sql(
                ") AS asked (file) WHERE NOT EXISTS (SELECT FROM contract_files \
                 WHERE file = asked.file AND unused_since IS DISTINCT FROM ",
            )
            .value(Value::Time(DOOMED))
            .sql(") AND NOT EXISTS (SELECT FROM clients WHERE contract_file = asked.file)");
        let needless = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                let needless: QueryResult<Vec<String>> = query.load(&mut *connection).await;
                connection.done(needless)
            }
        });
        needless.await
    }
}

/// Dooms unused files; the rest notes others. No row is in both parts.
const SWEEP_BEGIN: &str = "WITH doomed AS (UPDATE contract_files SET unused_since = ";
/// Not a file that was received a moment ago, and that no client has had.
const ARRIVED: &str = " AND (unused_since IS DISTINCT FROM received_at OR received_at < ";
const SWEEP_MIDDLE: &str = ") \
        AND NOT EXISTS (SELECT FROM clients WHERE contract_file = file) RETURNING file), \
    marked AS (UPDATE contract_files SET unused_since = ";
const SWEEP_END: &str = " WHERE unused_since IS NULL \
        AND NOT EXISTS (SELECT FROM clients WHERE contract_file = file)) \
    SELECT file FROM doomed";
