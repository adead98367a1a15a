//! Rewrites search documents of an earlier release while the service runs.

use std::time::Duration;

use super::{Backend, Database};

/// The pause between two batches, so that other writes get through.
const FOLD_MORE: Duration = Duration::from_millis(20);
/// How often to look for rows that nodes of an earlier release have written.
const FOLD_AGAIN: Duration = Duration::from_secs(60);

impl Backend {
    /// Rewrites search documents of an earlier release, a batch at a time, and repeats that: nodes
    /// of that release may still be writing. Never returns.
    pub async fn fold_accents(&self) {
        let postgres = match &self.database {
            Database::Postgres(settings) => Some(self.connections(settings).clone()),
            Database::Sqlite(_) => None,
        };
        let mut total = 0;
        loop {
            let folded = match (&self.database, &postgres) {
                (Database::Sqlite(database), _) => database.fold_accents().await,
                (_, Some(database)) => database.fold_accents().await,
                (_, None) => return,
            };
            let wait = match folded {
                Ok(0) | Err(_) => FOLD_AGAIN,
                Ok(_) => FOLD_MORE,
            };
            match folded {
                Ok(0) if total > 0 => {
                    tracing::info!(rows = total, "searches find all rows without accents now");
                    total = 0;
                }
                Ok(folded) => total += folded,
                // The database is unavailable or read-only, or the migration is missing.
                Err(error) => tracing::debug!(%error, "search documents could not be rewritten"),
            }
            tokio::time::sleep(wait).await;
        }
    }
}
