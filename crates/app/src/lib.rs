//! The use cases, called by the API, the back office and the command line: one file per resource,
//! with plain functions over the ports.

pub mod access;
pub mod api_keys;
pub mod backups;
pub mod canaries;
pub mod clients;
pub mod contracts;
pub mod erasure;
mod error;
pub mod events;
pub mod exports;
pub mod health;
pub mod intake;
pub mod jobs;
pub mod leads;
pub mod mail;
pub mod modules;
pub mod once;
mod passed;
pub mod quotas;
pub mod seen;
pub mod sign_ins;
pub mod silence;
pub mod staff;
pub mod subscribers;
mod telemetry;
#[cfg(test)]
mod testing;
pub mod timeline;

use std::any::{Any, type_name};
use std::sync::Arc;

use exit3_domain::email::DisposableDomains;
use exit3_ports::{Clock, Quotas, Repositories, StoreError};

use crate::api_keys::Keyring;
use crate::contracts::Contracts;
use crate::health::ModuleCheck;
use crate::intake::Intake;
use crate::jobs::Bell;
use crate::quotas::Limits;
use crate::sign_ins::Entrance;

pub use error::{EditError, FindError, ListError, SaveError, UpdateError};

/// Tells why there is no database yet, to follow a colon.
pub type NoDatabase = Arc<dyn Fn() -> String + Send + Sync>;

/// Everything that the use cases need.
#[derive(Clone)]
pub struct App {
    /// The repositories, or what tells why there is no database yet. Use cases call
    /// [`App::repositories`].
    pub database: Result<Repositories, NoDatabase>,
    /// The cache of recently seen keys.
    pub keyring: Arc<Keyring>,
    /// Wakes the runner of jobs in this process.
    pub bell: Arc<Bell>,
    /// Counts rate limits.
    pub quotas: Arc<dyn Quotas>,
    /// The rate limits.
    pub limits: Limits,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long sign-ins last, and where passwords are hashed.
    pub entrance: Arc<Entrance>,
    /// The domains of disposable e-mail addresses, which are refused.
    pub disposable: DisposableDomains,
    /// Where contract files are kept.
    pub contracts: Contracts,
    /// Takes leads while the database is away, if this node has a spool.
    pub intake: Option<Arc<Intake>>,
    /// The modules whose health is shown.
    pub modules: Arc<[ModuleCheck]>,
}

impl App {
    /// The repositories.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while there is no database yet.
    pub fn repositories(&self) -> Result<&Repositories, StoreError> {
        self.database.as_ref().map_err(|reason| StoreError::Unavailable(reason().into()))
    }

    /// Whether new leads wait in the spool of this node, because the database is away.
    pub(crate) fn is_away(&self) -> bool {
        self.intake.as_ref().is_some_and(|intake| self.database.is_err() || intake.is_away())
    }

    /// What a module keeps: the use cases of the module find their repositories and settings here.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use exit3_app::App;
    /// use exit3_ports::{MockRepositories, StoreError};
    ///
    /// struct Tags {
    ///     at_most: usize,
    /// }
    ///
    /// fn may_have(app: &App, tags: usize) -> Result<bool, StoreError> {
    ///     Ok(tags <= app.kept::<Tags>()?.at_most)
    /// }
    ///
    /// let mut repositories = MockRepositories::default();
    /// repositories.kept.keep(Arc::new(Tags { at_most: 10 }));
    /// # let day = chrono::TimeDelta::days(1);
    /// # let store = Arc::new(exit3_ports::MockContractStore::new());
    /// let app = App {
    ///     database: Ok(repositories.into()),
    /// #   keyring: Arc::default(),
    /// #   bell: Arc::default(),
    /// #   quotas: Arc::new(exit3_ports::MockQuotas::new()),
    /// #   limits: exit3_app::quotas::Limits::default(),
    /// #   clock: Arc::new(exit3_ports::MockClock::new()),
    /// #   entrance: Arc::new(exit3_app::sign_ins::Entrance::new(day, day, |bytes| bytes.fill(7))),
    /// #   disposable: exit3_domain::email::DisposableDomains::default(),
    /// #   contracts: exit3_app::contracts::Contracts { store, scanner: None },
    /// #   intake: None,
    /// #   modules: Arc::default(),
    ///     // and the rest
    /// };
    /// assert!(may_have(&app, 10)?);
    /// # Ok::<_, StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while there is no database yet; [`StoreError::Other`] if nobody
    /// keeps a value of this type.
    pub fn kept<T: Any>(&self) -> Result<&T, StoreError> {
        let missing = || format!("no module keeps {}", type_name::<T>());
        self.repositories()?.kept.get().ok_or_else(|| StoreError::Other(missing().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Mocks;

    #[derive(Debug, PartialEq)]
    struct Meetings(u32);

    #[tokio::test]
    async fn a_module_finds_what_it_keeps_unless_there_is_no_database() {
        let mut mocks = Mocks::new();
        mocks.repositories.kept.keep(Arc::new(Meetings(1)));
        mocks.repositories.kept.keep(Arc::new(Meetings(2)));
        let mut app = mocks.into_app();
        assert_eq!(app.kept::<Meetings>().unwrap(), &Meetings(2));
        let error = exit3_ports::with_causes(&app.kept::<u64>().unwrap_err());
        assert_eq!(error, "the database refused: no module keeps u64");
        app.database = Err(Arc::new(|| "it starts".to_owned()));
        assert!(matches!(app.kept::<Meetings>(), Err(StoreError::Unavailable(_))));
    }
}
