//! What is known of contract files, in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use exit3_domain::clients::{ClientId, RESOURCE};
use exit3_domain::contracts::{Contract, ContractName, DOOMED, NewContract, Received};
use exit3_domain::events::{Act, Actor, Verb};
use exit3_ports::contract_files::ARRIVING;
use exit3_ports::{ContractFileRepository, StoreError};

use crate::error::{from_diesel, from_diesel_about};
use crate::events::EventRow;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::transfer::overwrite_what_goes;
use crate::values::{microseconds, microseconds_rounded_up, moment, text};

type FileTypes = (
    Text,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<BigInt>,
);

/// A file as it is read.
#[derive(Queryable)]
struct FileRow {
    file: String,
    name: Option<String>,
    size: Option<i64>,
    sha256: Option<String>,
    received_at: Option<i64>,
    received_by: Option<String>,
    unused_since: Option<i64>,
}

impl TryFrom<FileRow> for Contract {
    type Error = StoreError;

    fn try_from(row: FileRow) -> Result<Self, StoreError> {
        let FileRow { file, name, size, sha256, received_at, received_by, unused_since } = row;
        let at = received_at.map(moment).transpose()?;
        let received = || {
            let by = Actor::from_words(&received_by?);
            Some(Received { size: size?.unsigned_abs(), sha256: sha256?, at: at?, by })
        };
        let name = ContractName::of(name.as_deref().unwrap_or(&file));
        let unused_since = unused_since.map(moment).transpose()?;
        Ok(Self { received: received(), file, name, unused_since })
    }
}

/// Stores what is known of contract files.
#[derive(Clone)]
pub(crate) struct SqliteContractFileRepository {
    store: SqliteStore,
}

impl SqliteContractFileRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ContractFileRepository for SqliteContractFileRepository {
    async fn receive(&self, contract: &NewContract) -> Result<(), StoreError> {
        let NewContract { file, client, name, received } = contract;
        let Received { size, sha256, at, by } = received;
        let (file, name, sha256) = (text(file)?, text(name.as_str())?, text(sha256)?);
        let (by, at, size, client) =
            (text(&by.to_string())?, microseconds(*at), size.cast_signed(), client.0);
        let receive = move |connection: &mut SqliteConnection| {
            let mut insert = Sql::<()>::new(
                "INSERT INTO contract_files (file, client_id, name, size, sha256, received_at, \
                 received_by, unused_since) VALUES (",
            );
            insert.text(file).sql(", ").int(client).sql(", ").text(name).sql(", ").int(size);
            insert.sql(", ").text(sha256).sql(", ").int(at).sql(", ").text(by);
            insert.sql(", ").int(at).sql(")");
            insert.execute(connection).map(drop).map_err(from_diesel_about("contract_files"))
        };
        self.store.write(receive).await
    }

    async fn find(&self, file: &str) -> Result<Option<Contract>, StoreError> {
        let file = file.to_owned();
        let find = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<FileTypes>::new(
                "SELECT file, name, size, sha256, received_at, received_by, unused_since \
                 FROM contract_files WHERE file = ",
            );
            select.text(file);
            select.get_result::<FileRow>(connection).optional()
        };
        self.store.readers.run(find).await?.map(Contract::try_from).transpose()
    }

    async fn note_download(
        &self,
        client: ClientId,
        contract: &Contract,
        act: &Act,
    ) -> Result<(), StoreError> {
        let changes = contract.downloaded();
        let event = EventRow::of(act, RESOURCE, Verb::CONTRACT_DOWNLOADED, &changes)?;
        let note = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<BigInt>::new("SELECT id FROM clients WHERE id = ");
            select.int(client.0);
            let found = select.get_result::<i64>(connection).optional().map_err(from_diesel)?;
            event.insert(connection, found.ok_or(StoreError::NotFound)?)
        };
        self.store.write(note).await
    }

    async fn discard(&self, file: &str) -> Result<bool, StoreError> {
        let file = text(file)?;
        let discard = move |connection: &mut SqliteConnection| {
            // The name of a file may be the name of a person who was erased.
            overwrite_what_goes(connection)?;
            let mut delete = Sql::<()>::new("DELETE FROM contract_files WHERE file = ");
            delete.text(file);
            delete.sql(" AND NOT EXISTS (SELECT 1 FROM clients WHERE contract_file = file)");
            let discarded = delete.execute(connection);
            connection.batch_execute("PRAGMA secure_delete = OFF").map_err(from_diesel)?;
            Ok(discarded.map_err(from_diesel)? > 0)
        };
        self.store.write(discard).await
    }

    async fn sweep(
        &self,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        let arriving = microseconds(now - ARRIVING);
        let (now, end) = (microseconds(now), microseconds_rounded_up(end));
        let sweep = move |connection: &mut SqliteConnection| {
            let mut doom = Sql::<Text>::new("UPDATE contract_files SET unused_since = ");
            doom.int(microseconds(DOOMED)).sql(" WHERE unused_since < ").int(end).sql(ARRIVED);
            doom.int(arriving).sql(")").sql(UNUSED).sql(" RETURNING file");
            let doomed = doom.load::<String>(connection).map_err(from_diesel)?;
            let mut mark = Sql::<()>::new("UPDATE contract_files SET unused_since = ");
            mark.int(now).sql(" WHERE unused_since IS NULL").sql(UNUSED);
            mark.execute(connection).map_err(from_diesel)?;
            Ok(doomed)
        };
        self.store.write(sweep).await
    }

    async fn needless(&self, files: &[String]) -> Result<Vec<String>, StoreError> {
        let files = files.to_vec();
        let look = move |connection: &mut SqliteConnection| {
            let mut needless = Vec::new();
            for file in files {
                let mut select =
                    Sql::<BigInt>::new("SELECT EXISTS (SELECT 1 FROM contract_files WHERE file = ");
                select.text(&file).sql(" AND unused_since IS NOT ").int(microseconds(DOOMED));
                select.sql(") OR EXISTS (SELECT 1 FROM clients WHERE contract_file = ");
                select.text(&file).sql(")");
                if select.get_result::<i64>(connection)? == 0 {
                    needless.push(file);
                }
            }
            Ok(needless)
        };
        self.store.readers.run(look).await
    }
}

/// Not a file that was received a moment ago, and that no client has had.
const ARRIVED: &str = " AND (unused_since IS NOT received_at OR received_at < ";

/// No client has the file.
const UNUSED: &str =
    " AND NOT EXISTS (SELECT 1 FROM clients WHERE contract_file = contract_files.file)";
