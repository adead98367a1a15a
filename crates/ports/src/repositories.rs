use std::sync::Arc;

use crate::{ApiKeyRepository, BackupLog, DatabaseHealth, LeadRepository, SubscriberRepository};

/// What the use cases need of one database. An adapter returns it, and `App`, its tests and
/// the contract suite hold it, so that a new repository is added here and not in each.
#[derive(Clone)]
pub struct Repositories {
    /// Keeps leads.
    pub leads: Arc<dyn LeadRepository>,
    /// Keeps newsletter subscribers.
    pub subscribers: Arc<dyn SubscriberRepository>,
    /// Keeps the keys of the API.
    pub api_keys: Arc<dyn ApiKeyRepository>,
    /// Remembers when backups were made and tried.
    pub backups: Arc<dyn BackupLog>,
    /// Tells how the database is.
    pub health: Arc<dyn DatabaseHealth>,
}

/// Mocks of all of them. They expect nothing yet.
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
