//! Keeps the search index of the embedded database up to date while the service runs.

use std::time::{Duration, Instant};

use super::{Backend, Database};

/// The leads that are indexed at once. Writes wait meanwhile, for about 15 ms.
const BATCH: u32 = 500;
/// While others write, the index may use one part in this many of the writer's time.
const SHARE: u32 = 16;
/// How often to look for new leads.
const AGAIN: Duration = Duration::from_millis(500);
/// How often to try if the database cannot be written to.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(10);

impl Backend {
    /// Indexes leads a batch at a time, after they were committed. It hurries while nobody else
    /// writes, and leaves nearly all time to others while they do. Never returns, unless the database
    /// indexes by itself.
    pub async fn index_leads(&self) {
        let Database::Sqlite(database) = &self.database else { return };
        let mut total = 0;
        let mut commits = database.commits();
        loop {
            let begun = Instant::now();
            let indexed = database.index_leads(BATCH).await;
            let now = database.commits();
            let others = now.wrapping_sub(commits).saturating_sub(u64::from(indexed.is_ok()));
            commits = now;
            let wait = match indexed {
                Ok(0) => AGAIN,
                Ok(_) if others > 0 => begun.elapsed() * SHARE,
                Ok(_) => Duration::from_millis(1),
                Err(_) => AGAIN_AFTER_FAILURE,
            };
            match indexed {
                // A few new leads are nothing to tell about.
                Ok(0) => {
                    if total > 20 * u64::from(BATCH) {
                        tracing::info!(leads = total, "the search index is up to date");
                    }
                    total = 0;
                }
                Ok(indexed) => total += indexed,
                Err(error) => tracing::debug!(%error, "leads could not be indexed for searches"),
            }
            tokio::time::sleep(wait).await;
        }
    }
}
