//! The database as a whole.

use tokio::runtime::Handle;

use crate::api_keys::PgApiKeyRepository;
use crate::clients::PgClientRepository;
use crate::health::PgHealth;
use crate::leads::PgLeadRepository;
use crate::migrations::{self, MigrationError};
use crate::pool::PgPool;
use crate::settings::PgSettings;
use crate::staff::PgStaffRepository;
use crate::subscribers::PgSubscriberRepository;

/// A PostgreSQL database, and the repositories that keep their rows in it.
#[derive(Clone)]
pub struct PgDatabase {
    settings: PgSettings,
    runtime: Handle,
    pool: PgPool,
}

/// Makes a database of its settings. No connection is made yet, so that this
/// works while the database is away. Connections will live on `runtime`, which
/// must outlive every use of the repositories.
pub fn connect(settings: &PgSettings, runtime: Handle) -> PgDatabase {
    let pool = PgPool::new(settings, runtime.clone());
    PgDatabase { settings: settings.clone(), runtime, pool }
}

impl PgDatabase {
    /// The leads.
    pub fn leads(&self) -> PgLeadRepository {
        PgLeadRepository::new(self.pool.clone())
    }

    /// The newsletter subscribers.
    pub fn subscribers(&self) -> PgSubscriberRepository {
        PgSubscriberRepository::new(self.pool.clone())
    }

    /// The keys of the API.
    pub fn api_keys(&self) -> PgApiKeyRepository {
        PgApiKeyRepository::new(self.pool.clone())
    }

    /// The clients.
    pub fn clients(&self) -> PgClientRepository {
        PgClientRepository::new(self.pool.clone())
    }

    /// The accounts of staff.
    pub fn staff(&self) -> PgStaffRepository {
        PgStaffRepository::new(self.pool.clone())
    }

    /// Whether the database can be used.
    pub fn health(&self) -> PgHealth {
        PgHealth::new(self.pool.clone())
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
