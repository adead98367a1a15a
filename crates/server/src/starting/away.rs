//! Stands in for the database until the start has found it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::api_keys::{ApiKey, ApiKeyId, NewApiKey, TokenPrefix};
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOrder, NewLead};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId, SubscriberOrder,
};
use exit3_ports::{
    ApiKeyRepository, BackupLog, BackupStatus, DatabaseHealth, LeadRepository, Obstacle,
    Repositories, StoreError, SubscriberRepository,
};

use super::progress::Progress;

/// Refuses every operation.
#[derive(Clone)]
struct Away(Progress);

/// Repositories that refuse every operation, with what the start waits for as the reason.
pub(super) fn repositories(progress: Progress) -> Repositories {
    let away = Away(progress);
    Repositories {
        leads: Arc::new(away.clone()),
        subscribers: Arc::new(away.clone()),
        api_keys: Arc::new(away.clone()),
        backups: Arc::new(away.clone()),
        health: Arc::new(away),
    }
}

impl Away {
    fn refuse<T>(&self) -> Result<T, StoreError> {
        Err(StoreError::Unavailable(self.0.reason().to_string().into()))
    }
}

#[async_trait]
impl LeadRepository for Away {
    async fn create(&self, _: &NewLead, _: DateTime<Utc>) -> Result<Lead, StoreError> {
        self.refuse()
    }

    async fn create_many(&self, _: &[(NewLead, DateTime<Utc>)]) -> Result<(), StoreError> {
        self.refuse()
    }

    async fn find(&self, _: LeadId) -> Result<Option<Lead>, StoreError> {
        self.refuse()
    }

    async fn list(
        &self,
        _: &LeadFilter,
        _: LeadOrder,
        _: PageRequest,
    ) -> Result<Option<Page<Lead>>, StoreError> {
        self.refuse()
    }

    async fn walk(
        &self,
        _: &LeadFilter,
        _: LeadOrder,
        _: &Step,
    ) -> Result<Slice<Lead>, StoreError> {
        self.refuse()
    }

    async fn update(&self, _: &Lead, _: &NewLead, _: DateTime<Utc>) -> Result<Lead, StoreError> {
        self.refuse()
    }

    async fn delete(&self, _: LeadId) -> Result<(), StoreError> {
        self.refuse()
    }
}

#[async_trait]
impl SubscriberRepository for Away {
    async fn create(&self, _: &NewSubscriber) -> Result<Subscriber, StoreError> {
        self.refuse()
    }

    async fn ensure(&self, _: &NewSubscriber) -> Result<(), StoreError> {
        self.refuse()
    }

    async fn create_many(&self, _: &[NewSubscriber]) -> Result<u64, StoreError> {
        self.refuse()
    }

    async fn find(&self, _: SubscriberId) -> Result<Option<Subscriber>, StoreError> {
        self.refuse()
    }

    async fn find_by_email(&self, _: &str) -> Result<Option<Subscriber>, StoreError> {
        self.refuse()
    }

    async fn list(
        &self,
        _: &SubscriberFilter,
        _: SubscriberOrder,
        _: PageRequest,
    ) -> Result<Option<Page<Subscriber>>, StoreError> {
        self.refuse()
    }

    async fn walk(
        &self,
        _: &SubscriberFilter,
        _: SubscriberOrder,
        _: &Step,
    ) -> Result<Slice<Subscriber>, StoreError> {
        self.refuse()
    }

    async fn update(
        &self,
        _: SubscriberId,
        _: &SubscriberChange,
    ) -> Result<Subscriber, StoreError> {
        self.refuse()
    }

    async fn delete(&self, _: SubscriberId) -> Result<(), StoreError> {
        self.refuse()
    }
}

#[async_trait]
impl ApiKeyRepository for Away {
    async fn create(&self, _: &NewApiKey) -> Result<ApiKey, StoreError> {
        self.refuse()
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.refuse()
    }

    async fn find_by_prefix(&self, _: &TokenPrefix) -> Result<Option<ApiKey>, StoreError> {
        self.refuse()
    }

    async fn revoke(&self, _: &str, _: DateTime<Utc>) -> Result<Vec<ApiKey>, StoreError> {
        self.refuse()
    }

    async fn note_uses(&self, _: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError> {
        self.refuse()
    }
}

#[async_trait]
impl BackupLog for Away {
    async fn note_backup(&self, _: DateTime<Utc>) -> Result<(), StoreError> {
        self.refuse()
    }

    async fn note_verification(&self, _: bool, _: DateTime<Utc>) -> Result<(), StoreError> {
        self.refuse()
    }

    async fn status(&self) -> Result<BackupStatus, StoreError> {
        self.refuse()
    }
}

#[async_trait]
impl DatabaseHealth for Away {
    async fn ping(&self) -> Result<(), StoreError> {
        self.refuse()
    }

    async fn schema_is_current(&self) -> Result<bool, StoreError> {
        self.refuse()
    }

    async fn obstacle(&self) -> Result<Option<Obstacle>, StoreError> {
        self.refuse()
    }
}
