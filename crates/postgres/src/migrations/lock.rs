//! Waiting for locks without making others wait, and without keeping silent about it.
//!
//! Whoever asks for a table that is held stands in line before all who come later. So
//! a migration asks for a short time only, gives everything back, and asks again.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// Names the lock that a migrating program holds; the digits mean nothing.
const LOCK: i64 = 0x6578_6974_3300_0001;

/// After how long a migration gives up.
const LONGEST: Duration = Duration::from_secs(600);
/// How long it waits after the first attempt; then twice as long each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a migration queues for the migration lock before it logs that, and how long
/// before it logs that again. No request queues behind it.
const SILENCE: Duration = Duration::from_secs(2);
const LATER_SILENCE: Duration = Duration::from_secs(5);

/// What one waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// That no other program migrates.
    Lock,
    /// Tables.
    Tables,
}

/// How much longer a migration waits.
pub(super) struct Patience {
    end: Instant,
    pause: Duration,
    silence: Duration,
    holders: String,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            end: Instant::now() + LONGEST,
            pause: SHORTEST_PAUSE,
            silence: SILENCE,
            holders: String::new(),
        }
    }

    /// What a transaction begins with that is to migrate alone. A table it may wait for
    /// as long as is well below the time-out of a request.
    pub(super) fn alone(&self) -> String {
        let silence = self.silence.as_millis();
        format!(
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
             SET LOCAL lock_timeout = {silence}; SELECT pg_advisory_xact_lock({LOCK}); \
             SET LOCAL lock_timeout = '500ms'"
        )
    }

    /// Waits, to try again, and tells for whom; false where it has waited long enough. Once
    /// it has the migration lock, it waits for the tables of `migration`.
    pub(super) async fn waits(&mut self, client: &Client, migration: Option<&'static str>) -> bool {
        let what = if migration.is_some() { What::Tables } else { What::Lock };
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

    /// The sessions that it waited for last, to be appended to a sentence.
    pub(super) fn holders(self) -> String {
        self.holders
    }
}

/// The sessions that hold locks which one waits for: those of tables first that
/// have held them longest. Empty where there is none, or the server does not say so.
pub(crate) async fn holders(client: &Client, what: What) -> String {
    let (lock, end) = match what {
        What::Lock => (
            format!(
                "l.locktype = 'advisory' AND l.objsubid = 1 \
                 AND (l.classid::bigint << 32) | l.objid::bigint = {LOCK}"
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

/// Whether others were in the way, and nothing else is wrong.
pub(crate) fn is_busy(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED))
}
