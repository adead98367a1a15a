//! Waits for locks without making others wait, and logs what it waits for.
//!
//! A request for a locked table blocks all later requests for it. So a migration waits for a short
//! time only, releases everything, and tries again.

use std::fmt::Write as _;
use std::time::Duration;

use exit3_ports::Ladder;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// The key of the advisory lock that a program holds while it migrates the service's own tables; the
/// number is arbitrary.
const LOCK: i64 = 0x6578_6974_3300_0001;

/// An advisory lock. Each module has its own, so that a module whose migration does not end delays
/// neither others nor the service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Own,
    Module(&'static str),
}

impl Key {
    pub(super) fn of(ladder: &Ladder) -> Self {
        ladder.module.map_or(Self::Own, |module| Self::Module(module.module))
    }

    /// The key, as SQL.
    fn sql(self) -> String {
        match self {
            Self::Own => LOCK.to_string(),
            Self::Module(_) => format!("hashtextextended({}, 0)", self.quoted()),
        }
    }

    /// What a migrating session does, as an SQL string.
    fn quoted(self) -> String {
        let whose = match self {
            Self::Own => "the service",
            Self::Module(module) => module,
        };
        format!("'exit3 migration of {}'", whose.replace('\'', "''"))
    }
}

/// How long a migration waits altogether.
const LONGEST: Duration = Duration::from_secs(600);
/// The pause after the first attempt, which doubles each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a migration waits for the migration lock before it logs that, and before it logs that
/// again. Requests do not need this lock.
const SILENCE: Duration = Duration::from_secs(2);
const LATER_SILENCE: Duration = Duration::from_secs(5);

/// What a migration waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// The migration lock of another program.
    Lock(Key),
    /// Locks on tables.
    Tables,
}

/// The remaining time to wait.
pub(super) struct Patience {
    key: Key,
    end: Instant,
    pause: Duration,
    silence: Duration,
    holders: String,
}

impl Patience {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            end: Instant::now() + LONGEST,
            pause: SHORTEST_PAUSE,
            silence: SILENCE,
            holders: String::new(),
        }
    }

    /// The statements at the start of a migrating transaction. It waits for tables for less than a
    /// request's time limit.
    pub(super) fn alone(&self) -> String {
        let (silence, key) = (self.silence.as_millis(), self.key.sql());
        let name = match self.key {
            Key::Own => String::new(),
            // Administrators see which module another session waits for.
            Key::Module(_) => format!("SET LOCAL application_name = {}; ", self.key.quoted()),
        };
        format!(
            "{name}SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
             SET LOCAL lock_timeout = {silence}; SELECT pg_advisory_xact_lock({key}); \
             SET LOCAL lock_timeout = '500ms'"
        )
    }

    /// Waits before the next attempt, and logs which sessions hold the lock; false if it has waited long enough.
    /// `migration` is set once the migration lock is held: it then waits for tables.
    pub(super) async fn waits(&mut self, client: &Client, migration: Option<&str>) -> bool {
        let what = if migration.is_some() { What::Tables } else { What::Lock(self.key) };
        self.holders = holders(client, what).await;
        if Instant::now() >= self.end {
            return false;
        }
        let holders = &self.holders;
        match migration {
            // The holder may have released it meanwhile.
            None if holders.is_empty() => {}
            None => {
                tracing::warn!(
                    "waiting for another program that holds the migration lock{holders}"
                );
                self.silence = LATER_SILENCE;
            }
            Some(migration) => {
                tracing::warn!(
                    migration,
                    "others hold what the migration needs; it waits{holders}"
                );
                sleep(self.pause).await;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
        true
    }

    /// The sessions that it waited for last, to append to a sentence.
    pub(super) fn holders(self) -> String {
        self.holders
    }
}

/// Describes the sessions that hold the locks; for tables, those that have held them longest come
/// first. Empty if there are none, or the server does not tell.
pub(crate) async fn holders(client: &Client, what: What) -> String {
    let (lock, end) = match what {
        What::Lock(key) => (
            format!(
                "l.locktype = 'advisory' AND l.objsubid = 1 \
                 AND (l.classid::bigint << 32) | l.objid::bigint = {}",
                key.sql()
            ),
            "', which SELECT pg_terminate_backend(' || pid || ') ends'",
        ),
        What::Tables => (
            "l.relation IN (SELECT oid FROM pg_class \
             WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace)"
                .to_owned(),
            "''",
        ),
    };
    let sql = format!(
        "SELECT 'process ' || pid || ' of ' || coalesce('role ' || usename, backend_type) \
         || ' (' || concat_ws(', ', nullif(application_name, ''), host(client_addr), state \
         || ' for ' || extract(epoch FROM clock_timestamp() - state_change)::bigint || ' s') \
         || ')' || {end} \
         FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND pid IN ( \
             SELECT pid FROM pg_locks l WHERE l.granted AND {lock} AND l.database = ( \
                 SELECT oid FROM pg_database WHERE datname = current_database())) \
         ORDER BY xact_start LIMIT 3"
    );
    let rows = client.query_typed(&sql, &[]).await.unwrap_or_default();
    let mut holders = String::new();
    for row in rows {
        let separator = if holders.is_empty() { ':' } else { ';' };
        if let Ok(holder) = row.try_get::<_, String>(0) {
            let _ = write!(holders, "{separator} {holder}");
        }
    }
    holders
}

/// Whether the only problem was a lock that others hold.
pub(crate) fn is_busy(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED))
}
