//! What use cases over every database share.

use std::sync::Arc;

use exit3_app::api_keys::Keyring;
use exit3_app::contracts::Contracts;
use exit3_app::intake::Intake;
use exit3_app::jobs::Bell;
use exit3_app::quotas::Limits;
use exit3_app::sign_ins::Entrance;
use exit3_app::{App, NoDatabase};
use exit3_domain::email::DisposableDomains;
use exit3_ports::{Quotas, Repositories};
use exit3_quotas::{LocalQuotas, PATIENCE, SharedQuotas};
use secrecy::SecretString;

use crate::clock::SystemClock;
use crate::module::{self, Configured};
use crate::secrets::fill_random;
use crate::settings::Settings;

/// The parts of use cases that do not depend on the database. Clones share their state.
#[derive(Clone)]
pub(crate) struct Shared {
    disposable: DisposableDomains,
    keyring: Arc<Keyring>,
    bell: Arc<Bell>,
    entrance: Arc<Entrance>,
    limits: Limits,
    /// Counts in this process.
    quotas: Arc<LocalQuotas>,
    /// The Redis that counts for all nodes.
    redis_url: Option<SecretString>,
    contracts: Contracts,
    /// Takes leads while the database is away; only in a process that serves.
    intake: Option<Arc<Intake>>,
    pub(super) modules: Arc<[Configured]>,
}

impl Shared {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            disposable: settings.disposable.clone(),
            keyring: Arc::default(),
            bell: Arc::default(),
            entrance: Arc::new(Entrance::new(
                settings.admin.idle,
                settings.admin.longest,
                fill_random,
            )),
            limits: settings.limits,
            quotas: Arc::default(),
            redis_url: settings.redis_url.clone(),
            contracts: Contracts {
                store: Arc::clone(&settings.backup.contracts),
                scanner: settings.scanner.clone(),
            },
            intake: None,
            modules: settings.modules.clone(),
        }
    }

    /// The same, which takes leads while the database is away.
    pub(crate) fn with_intake(self, intake: Option<Arc<Intake>>) -> Self {
        Self { intake, ..self }
    }

    /// Forgets callers that were idle recently in the quotas of this process.
    pub(super) fn forget_idle(&self) {
        self.quotas.forget_idle();
    }

    /// Creates use cases over one database, if it has been found.
    pub(crate) fn app_over(&self, database: Result<Repositories, NoDatabase>) -> App {
        App {
            database,
            keyring: Arc::clone(&self.keyring),
            bell: Arc::clone(&self.bell),
            entrance: Arc::clone(&self.entrance),
            quotas: self.quotas(),
            limits: self.limits,
            clock: Arc::new(SystemClock),
            disposable: self.disposable.clone(),
            modules: module::checks(&self.modules),
            contracts: self.contracts.clone(),
            intake: self.intake.clone(),
        }
    }

    fn quotas(&self) -> Arc<dyn Quotas> {
        let own = Arc::clone(&self.quotas);
        // The address was checked together with the settings.
        let shared = self.redis_url.as_ref();
        match shared.and_then(|url| SharedQuotas::new(url, Arc::clone(&own), PATIENCE).ok()) {
            Some(shared) => Arc::new(shared),
            None => own,
        }
    }
}
