//! The database as a whole.

use tokio::runtime::Handle;

use crate::api_keys::PgApiKeyRepository;
use crate::health::PgHealth;
use crate::leads::PgLeadRepository;
use crate::lists::Lists;
use crate::migrations::{self, MigrationError};
use crate::pool::PgPool;
use crate::settings::PgSettings;
use crate::subscribers::PgSubscriberRepository;

/// A PostgreSQL database, and the repositories that keep their rows in it.
#[derive(Clone)]
pub struct PgDatabase {
    settings: PgSettings,
    runtime: Handle,
    pool: PgPool,
    lists: Lists,
}

/// Makes a database of its settings. No connection is made yet, so that this
/// works while the database is away. Connections will live on `runtime`, which
/// must outlive every use of the repositories.
pub fn connect(settings: &PgSettings, runtime: Handle) -> PgDatabase {
    let pool = PgPool::new(settings, runtime.clone());
    let lists = Lists::new(settings, pool.clone(), runtime.clone());
    PgDatabase { settings: settings.clone(), runtime, pool, lists }
}

impl PgDatabase {
    /// The leads.
    pub fn leads(&self) -> PgLeadRepository {
        PgLeadRepository::new(self.pool.clone(), self.lists.clone())
    }

    /// The newsletter subscribers.
    pub fn subscribers(&self) -> PgSubscriberRepository {
        PgSubscriberRepository::new(self.pool.clone(), self.lists.clone())
    }

    /// The keys of the API.
    pub fn api_keys(&self) -> PgApiKeyRepository {
        PgApiKeyRepository::new(self.pool.clone())
    }

    /// Whether the database can be used.
    pub fn health(&self) -> PgHealth {
        PgHealth::new(self.pool.clone())
    }

    /// Finds out, again and again, whether lists may come from the replica of the
    /// settings. Never ends. One of these serves all that was made of the same settings,
    /// and without it lists come from the primary.
    pub async fn watch_replica(&self) {
        self.lists.watch_replica().await;
    }

    /// Which database this is, for a person: `PostgreSQL at host:port/name`.
    pub fn describe(&self) -> String {
        self.settings.describe()
    }

    /// Applies the migrations that have not been applied yet, each wholly or not
    /// at all, and returns how many those were. Several programs may do this at
    /// the same time: one works, the others wait for it.
    ///
    /// # Errors
    /// Where there is no database, or none that this program can use.
    pub async fn migrate(&self) -> Result<usize, MigrationError> {
        migrations::run(&self.settings, &self.runtime).await
    }
}
