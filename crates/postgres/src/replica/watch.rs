//! Regularly checks the primary and the replica.

use std::time::Duration;

use diesel::sql_types::{BigInt, Bool, Integer, Nullable};
use diesel_async::RunQueryDsl;
use exit3_ports::{Position, StoreError, with_causes};
use tokio::time::{Instant, sleep};

use super::Replica;
use crate::connection::position;
use crate::pool::PgPool;
use crate::sql::Sql;

/// The longest time until a recovered replica is used again.
const SELDOM: Duration = Duration::from_secs(1);

/// Asks a server for its state; every role may run this.
const LOOK: &str = "SELECT s.system_identifier, c.timeline_id, pg_is_in_recovery(), \
                    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
                     ELSE pg_current_wal_insert_lsn() END - '0/0')::bigint \
                    FROM pg_control_system() s, pg_control_checkpoint() c";

type Columns = (BigInt, Integer, Bool, Nullable<BigInt>);

/// The state that a server reports.
#[derive(Debug, Clone, Copy)]
struct Server {
    cluster: i64,
    timeline: i32,
    is_standby: bool,
    position: Position,
}

/// Why the replica is not used.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("it cannot be asked: {}", with_causes(.0))]
    Away(StoreError),
    #[error("it is no standby")]
    NoStandby,
    #[error("it is a copy of another database cluster")]
    Stranger,
    #[error("it is on timeline {0}, the primary on {1}, as of their last checkpoints")]
    Timeline(i32, i32),
    #[error("it is too far behind")]
    Behind,
}

async fn look(pool: &PgPool) -> Result<Server, StoreError> {
    let looked = pool.look(|mut connection| async move {
        let row = Sql::<Columns>::cached(LOOK).get_result(&mut *connection).await;
        connection.done(row)
    });
    let (cluster, timeline, is_standby, at) = looked.await?;
    Ok(Server { cluster, timeline, is_standby, position: position(at) })
}

impl Replica {
    /// Checks both forever, and logs when the source of lists changes.
    pub(crate) async fn watch(&self, primary: &PgPool, copy: &PgPool) {
        let pause = (self.max_lag / 4).min(SELDOM);
        let mut told = None;
        loop {
            let asked = Instant::now();
            let (of_primary, of_copy) = tokio::join!(look(primary), look(copy));
            let verdict = self.judge(asked, of_primary, of_copy).map_err(|fault| fault.to_string());
            if told.as_ref() != Some(&verdict) {
                match &verdict {
                    Ok(()) => tracing::info!("lists come from the replica"),
                    Err(reason) => tracing::warn!(reason, "lists come from the primary database"),
                }
                told = Some(verdict);
            }
            sleep(pause).await;
        }
    }

    fn judge(
        &self,
        asked: Instant,
        primary: Result<Server, StoreError>,
        copy: Result<Server, StoreError>,
    ) -> Result<(), Fault> {
        let mut state = self.state();
        state.writes.retain(|_, (when, _)| when.elapsed() <= self.max_lag);
        state.replayed = None;
        let copy = copy.map_err(Fault::Away)?;
        if !copy.is_standby {
            return Err(Fault::NoStandby);
        }
        if let Ok(primary) = primary {
            if primary.cluster != copy.cluster {
                return Err(Fault::Stranger);
            }
            if primary.timeline != copy.timeline {
                return Err(Fault::Timeline(copy.timeline, primary.timeline));
            }
            state.samples.push_back((asked, primary.position));
        }
        self.forget(&mut state, self.max_lag * 3 / 4);
        state.replayed = Some(copy.position);
        match state.samples.front() {
            Some((_, needed)) if copy.position < *needed => Err(Fault::Behind),
            _ => Ok(()),
        }
    }
}
