//! Writing search documents anew while the service runs.

use std::time::Duration;

use super::{Backend, Database};

/// The pause between two steps, so that other writes come through.
const FOLD_MORE: Duration = Duration::from_millis(20);
/// How often the service looks for rows that nodes of an earlier release wrote.
const FOLD_AGAIN: Duration = Duration::from_secs(60);

impl Backend {
    /// Writes search documents anew that an earlier release wrote, a few at a time, now and
    /// again: nodes of that release may still be writing some. Never ends.
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
                // The database is away, can only be read, or lacks the migration.
                Err(error) => tracing::debug!(%error, "search documents are not written anew"),
            }
            tokio::time::sleep(wait).await;
        }
    }
}
