//! The spool of a node, in a file of its own.

mod row;

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Nullable};
use exit3_domain::api_keys::ApiKey;
use exit3_domain::events::Act;
use exit3_domain::leads::LeadId;
use exit3_ports::StoreError;
use exit3_ports::leads::ID_TAKEN;
use exit3_ports::spool::{Accepted, Kept, RememberedKeys, Spool, SpoolStatus, Waiting};

use self::row::{KEYS, WaitingColumns, WaitingRow, insert_key};
use crate::api_keys::{ApiKeyRow, api_keys};
use crate::connection::OpenError;
use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::{microseconds, moment, text};
use crate::{SqliteDatabase, SqliteSettings};

/// The tables. A later version may add columns that may be NULL, so that each version can read the
/// file of the other.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS waiting (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        lead_id INTEGER UNIQUE,
        content TEXT NOT NULL,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        batch TEXT,
        request TEXT,
        request_key TEXT UNIQUE,
        problem TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS waiting_problem ON waiting (number) WHERE problem IS NOT NULL;
    CREATE TABLE IF NOT EXISTS reserved (
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL CHECK (last >= first)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS known_keys (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        prefix TEXT NOT NULL,
        digest BLOB NOT NULL,
        scopes TEXT NOT NULL,
        origins TEXT NOT NULL,
        rate TEXT,
        forwards_visitors INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER,
        last_used_at INTEGER,
        known_at INTEGER NOT NULL
    ) STRICT;";

/// Overwrites what is removed with zeros.
const FORGETS: &str = "PRAGMA secure_delete = ON";

const WAITING: &str =
    "SELECT number, kind, lead_id, content, at, actor, batch, request, problem FROM waiting ";

/// How long a call waits before it fails. The disk may be slow just when much waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// The spool of a node, in a file of its own.
#[derive(Clone)]
pub struct SqliteSpool {
    store: SqliteStore,
    /// The most bytes of the file's pages in use.
    most_bytes: i64,
}

impl SqliteSpool {
    /// Opens the spool at `path`, whose directory must exist, and creates it if it is missing. Only
    /// the owner can read it. It takes no more entries once it has `most_bytes`. Blocks.
    ///
    /// # Errors
    /// [`OpenError`], in one sentence.
    pub fn open(path: &Path, most_bytes: u64) -> Result<Self, OpenError> {
        let settings = SqliteSettings { readers: 1, patience: PATIENCE, ..Default::default() };
        let database = SqliteDatabase::open(path, &settings)?;
        database.connector.writer()?.batch_execute(SCHEMA)?;
        let most_bytes = i64::try_from(most_bytes).unwrap_or(i64::MAX);
        Ok(Self { store: database.store(), most_bytes })
    }

    /// Writes so that no personal data stays in parts of the file that are free, also when an entry
    /// moves to another place in it.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = move |connection: &mut SqliteConnection| {
            connection.batch_execute(FORGETS).map_err(from_diesel)?;
            work(connection)
        };
        self.store.write(work).await
    }

    async fn load_waiting(&self, query: Sql<WaitingColumns>) -> Result<Vec<Waiting>, StoreError> {
        let rows: Vec<WaitingRow> = self.store.read(move |it| query.load(it)).await?;
        rows.into_iter().map(Waiting::try_from).collect()
    }
}

/// Whether the pages in use leave room for another entry.
fn has_room(connection: &mut SqliteConnection, most_bytes: i64) -> QueryResult<bool> {
    let used = "SELECT (page_count - freelist_count) * page_size \
                FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    Ok(Sql::<BigInt>::new(used).get_result::<i64>(connection)? < most_bytes)
}

fn of_key(key: &str) -> Sql<WaitingColumns> {
    let mut query = Sql::new(WAITING);
    query.sql("WHERE request_key = ").text(key);
    query
}

#[async_trait]
impl Spool for SqliteSpool {
    async fn keep(&self, what: &Accepted, act: &Act) -> Result<Kept, StoreError> {
        let (kind, id, content) = row::stored(what);
        let (content, author) = (text(&content)?, &act.author);
        let key = author.batch.as_ref().and_then(|batch| batch.request_key());
        let key = key.map(str::to_owned);
        let optional = |text: Option<&str>| text.map(str::to_owned);
        let batch = optional(author.batch.as_ref().map(|batch| &*batch.0));
        let request = optional(author.request.as_deref());
        let (at, actor) = (microseconds(act.at), text(&author.actor.to_string())?);
        let most = self.most_bytes;
        let keep = move |connection: &mut SqliteConnection| {
            if let Some(key) = &key {
                let earlier = of_key(key).get_result::<WaitingRow>(connection).optional();
                if let Some(earlier) = earlier.map_err(from_diesel)? {
                    return Ok(Kept::Earlier(Box::new(earlier.try_into()?)));
                }
            }
            if !has_room(connection, most).map_err(from_diesel)? {
                return Err(StoreError::Unavailable("the spool is full: see SPOOL_MAX_MB".into()));
            }
            let mut insert = Sql::<()>::new(
                "INSERT INTO waiting \
                 (kind, lead_id, content, at, actor, batch, request, request_key) VALUES (",
            );
            insert.text(kind).sql(", ").int_or_null(id).sql(", ").text(content).sql(", ").int(at);
            insert.sql(", ").text(actor);
            for text in [batch, request, key] {
                insert.sql(", ").text_or_null(text);
            }
            insert.sql(")");
            match insert.execute(connection) {
                // The key was looked up above, so it is the id.
                Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
                    Err(StoreError::Conflict(ID_TAKEN))
                }
                outcome => outcome.map(|_| Kept::New).map_err(from_diesel),
            }
        };
        self.write(keep).await
    }

    async fn waiting(&self, after: i64, most: u32) -> Result<Vec<Waiting>, StoreError> {
        let mut query = Sql::new(WAITING);
        query.sql("WHERE number > ").int(after).sql(" ORDER BY number LIMIT ").int(most.into());
        self.load_waiting(query).await
    }

    async fn of_request(&self, key: &str) -> Result<Option<Waiting>, StoreError> {
        Ok(self.load_waiting(of_key(key)).await?.pop())
    }

    async fn remove(&self, numbers: &[i64]) -> Result<(), StoreError> {
        let numbers = numbers.to_vec();
        let remove = move |connection: &mut SqliteConnection| {
            for number in numbers {
                let mut delete = Sql::<()>::new("DELETE FROM waiting WHERE number = ");
                delete.int(number);
                delete.execute(connection).map_err(from_diesel)?;
            }
            Ok(())
        };
        self.write(remove).await
    }

    async fn note_problem(&self, number: i64, problem: &str) -> Result<(), StoreError> {
        let problem = text(problem)?;
        let note = move |connection: &mut SqliteConnection| {
            let mut update = Sql::<()>::new("UPDATE waiting SET problem = ");
            update.text(problem).sql(" WHERE number = ").int(number);
            update.execute(connection).map(drop).map_err(from_diesel)
        };
        self.write(note).await
    }

    async fn renumber(&self, number: i64, from: LeadId, to: LeadId) -> Result<(), StoreError> {
        let renumber = move |connection: &mut SqliteConnection| {
            let mut update = Sql::<()>::new("UPDATE waiting SET lead_id = ");
            update.int(to.0).sql(" WHERE number = ").int(number).sql(" AND lead_id = ").int(from.0);
            match update.execute(connection).map_err(from_diesel)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        };
        self.write(renumber).await
    }

    async fn take_ids(&self, most: u64) -> Result<Vec<RangeInclusive<i64>>, StoreError> {
        let take = move |connection: &mut SqliteConnection| {
            take_ids(connection, most).map_err(from_diesel)
        };
        self.write(take).await
    }

    async fn put_ids(&self, ids: &[RangeInclusive<i64>]) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        let put = move |connection: &mut SqliteConnection| {
            for range in ids {
                let mut insert = Sql::<()>::new("INSERT OR IGNORE INTO reserved VALUES (");
                insert.int(*range.start()).sql(", ").int(*range.end()).sql(")");
                insert.execute(connection).map_err(from_diesel)?;
            }
            Ok(())
        };
        self.write(put).await
    }

    async fn last_id(&self) -> Result<i64, StoreError> {
        let query = "SELECT max(coalesce((SELECT max(last) FROM reserved), 0), \
                     coalesce((SELECT max(lead_id) FROM waiting), 0))";
        let last = move |connection: &mut SqliteConnection| {
            Sql::<BigInt>::new(query).get_result(connection)
        };
        self.store.read(last).await
    }

    async fn forget_ids(&self) -> Result<(), StoreError> {
        let forget = |connection: &mut SqliteConnection| {
            let all = Sql::<()>::new("DELETE FROM reserved").execute(connection);
            all.map(drop).map_err(from_diesel)
        };
        self.write(forget).await
    }

    async fn remember_keys(&self, keys: &RememberedKeys) -> Result<(), StoreError> {
        let RememberedKeys { keys, at } = keys.clone();
        let remember = move |connection: &mut SqliteConnection| {
            let all = Sql::<()>::new("DELETE FROM known_keys");
            all.execute(connection).map_err(from_diesel)?;
            for key in &keys {
                insert_key(key, at).execute(connection).map_err(from_diesel)?;
            }
            Ok(())
        };
        self.write(remember).await
    }

    async fn keys(&self) -> Result<Option<RememberedKeys>, StoreError> {
        let read = |connection: &mut SqliteConnection| {
            let at = Sql::<Nullable<BigInt>>::new("SELECT max(known_at) FROM known_keys");
            let at: Option<i64> = at.get_result(connection)?;
            let rows: Vec<ApiKeyRow> = Sql::<api_keys::SqlType>::new(KEYS).load(connection)?;
            Ok((rows, at))
        };
        let (rows, at) = self.store.read(read).await?;
        let keys: Result<Vec<ApiKey>, _> = rows.into_iter().map(ApiKey::try_from).collect();
        at.map(|at| Ok(RememberedKeys { keys: keys?, at: moment(at)? })).transpose()
    }

    async fn status(&self) -> Result<SpoolStatus, StoreError> {
        let most = self.most_bytes;
        let status = move |connection: &mut SqliteConnection| {
            // Each part reads an index, or one row.
            let waiting = "SELECT (SELECT count(*) FROM waiting), \
                (SELECT count(*) FROM waiting WHERE problem IS NOT NULL), \
                (SELECT at FROM waiting ORDER BY number LIMIT 1), \
                (SELECT coalesce(sum(last - first + 1), 0) FROM reserved)";
            let found = Sql::<(BigInt, BigInt, Nullable<BigInt>, BigInt)>::new(waiting);
            let found: (i64, i64, Option<i64>, i64) = found.get_result(connection)?;
            Ok((found, has_room(connection, most)?))
        };
        let ((waiting, problems, oldest, ids), has_room) = self.store.read(status).await?;
        Ok(SpoolStatus {
            waiting: waiting.unsigned_abs(),
            problems: problems.unsigned_abs(),
            oldest: oldest.map(moment).transpose()?,
            ids: ids.unsigned_abs(),
            has_room,
        })
    }
}

fn take_ids(connection: &mut SqliteConnection, most: u64) -> QueryResult<Vec<RangeInclusive<i64>>> {
    let (mut taken, mut wanted) = (Vec::new(), i64::try_from(most).unwrap_or(i64::MAX));
    while wanted > 0 {
        let lowest = "SELECT first, last FROM reserved ORDER BY first LIMIT 1";
        let lowest = Sql::<(BigInt, BigInt)>::new(lowest).get_result::<(i64, i64)>(connection);
        let Some((first, last)) = lowest.optional()? else { break };
        let until = last.min(first.saturating_add(wanted - 1));
        let mut remove = Sql::<()>::new("DELETE FROM reserved WHERE first = ");
        remove.int(first);
        remove.execute(connection)?;
        if until < last {
            let mut rest = Sql::<()>::new("INSERT INTO reserved VALUES (");
            rest.int(until + 1).sql(", ").int(last).sql(")");
            rest.execute(connection)?;
        }
        wanted -= until - first + 1;
        taken.push(first..=until);
    }
    Ok(taken)
}
