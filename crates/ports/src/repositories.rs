use std::sync::Arc;

use crate::{ApiKeyRepository, BackupLog, DatabaseHealth, LeadRepository, SubscriberRepository};

/// The repositories of one database that the use cases need. Adapters return this type, and `App`,
/// its tests and the contract suite hold it, so a new repository is added only here.
#[derive(Clone)]
pub struct Repositories {
    /// Leads.
    pub leads: Arc<dyn LeadRepository>,
    /// Newsletter subscribers.
    pub subscribers: Arc<dyn SubscriberRepository>,
    /// API keys.
    pub api_keys: Arc<dyn ApiKeyRepository>,
    /// Records of backups and trial restores.
    pub backups: Arc<dyn BackupLog>,
    /// Health checks of the database.
    pub health: Arc<dyn DatabaseHealth>,
}

/// Mocks of all repositories, without expectations.
#[cfg(feature = "mock")]
#[derive(Default)]
#[allow(missing_docs, reason = "each is the mock of the repository of its name")]
pub struct MockRepositories {
    pub leads: crate::MockLeadRepository,
    pub subscribers: crate::MockSubscriberRepository,
    pub api_keys: crate::MockApiKeyRepository,
    pub backups: crate::MockBackupLog,
    pub health: crate::MockDatabaseHealth,
}

#[cfg(feature = "mock")]
impl From<MockRepositories> for Repositories {
    fn from(mocks: MockRepositories) -> Self {
        let MockRepositories { leads, subscribers, api_keys, backups, health } = mocks;
        Self {
            leads: Arc::new(leads),
            subscribers: Arc::new(subscribers),
            api_keys: Arc::new(api_keys),
            backups: Arc::new(backups),
            health: Arc::new(health),
        }
    }
}
