//! Regularly checks the primary and the replica.

use std::time::Duration;

use diesel::sql_types::{BigInt, Bool, Integer, Nullable};
use diesel_async::RunQueryDsl;
use exit3_ports::StoreError;
use tokio::time::{Instant, sleep};

use crate::pool::PgPool;
use crate::position::position;
use crate::replica::{Replica, Server};
use crate::sql::Sql;

/// The longest time until a recovered replica is used again.
const SELDOM: Duration = Duration::from_secs(1);

/// Asks a server for its state; every role may run this.
const LOOK: &str = "SELECT s.system_identifier, c.timeline_id, pg_is_in_recovery(), \
                    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
                     ELSE pg_current_wal_insert_lsn() END - '0/0')::bigint \
                    FROM pg_control_system() s, pg_control_checkpoint() c";

type Columns = (BigInt, Integer, Bool, Nullable<BigInt>);

async fn look(pool: &PgPool) -> Result<Server, StoreError> {
    let looked = pool.look(|mut connection| async move {
        let row = Sql::<Columns>::cached(LOOK).get_result(&mut *connection).await;
        connection.done(row)
    });
    let (cluster, timeline, is_standby, at) = looked.await?;
    Ok(Server { cluster, timeline, is_standby, position: position(at) })
}

/// Checks both forever, and logs when the source of lists changes.
pub(super) async fn watch(replica: &Replica, primary: &PgPool, standby: &PgPool) {
    let pause = (replica.max_lag() / 4).min(SELDOM);
    let mut told = None;
    loop {
        let asked = Instant::now();
        let (of_primary, of_standby) = tokio::join!(look(primary), look(standby));
        let verdict =
            replica.judge(asked, of_primary, of_standby).map_err(|fault| fault.to_string());
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
