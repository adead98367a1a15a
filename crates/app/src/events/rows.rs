//! What undoing needs of the rows of each resource, over their repositories.

use async_trait::async_trait;
use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::events::Act;
use exit3_domain::leads::{Lead, LeadId, LeadState};
use exit3_domain::staff::{Staff, StaffId, StaffProfile};
use exit3_domain::subscribers::{NewSubscriber, Subscriber, SubscriberId};
use exit3_domain::validation::Invalid;
use exit3_ports::{
    ClientRepository, LeadRepository, StaffRepository, StoreError, SubscriberRepository,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Rows whose updates can be undone.
#[async_trait]
pub(super) trait Editable: Send + Sync {
    type Row: Send + Sync;
    /// The fields that updates replace, and that their events contain.
    type Details: Serialize + DeserializeOwned + Send + Sync;

    async fn row(&self, id: i64) -> Result<Option<Self::Row>, StoreError>;

    fn details(row: &Self::Row) -> Self::Details;

    /// Checks the rules of the resource as a whole.
    fn check(_: &Self::Details) -> Result<(), Invalid> {
        Ok(())
    }

    async fn replace(
        &self,
        seen: &Self::Row,
        details: &Self::Details,
        act: &Act,
    ) -> Result<(), StoreError>;
}

/// Rows whose creations and deletions can be undone too.
#[async_trait]
pub(super) trait Removable: Editable<Row: Serialize + DeserializeOwned> {
    async fn remove(&self, seen: &Self::Row, act: &Act) -> Result<(), StoreError>;

    /// Stores a deleted row again. If `client` has no lead now, it gets the row, which is the lead
    /// that it had. Returns whether it did.
    async fn bring_back(
        &self,
        row: &Self::Row,
        client: Option<ClientId>,
        act: &Act,
    ) -> Result<bool, StoreError>;
}

/// Implements [`Editable`], and [`Removable`] for repositories that can delete.
macro_rules! rows {
    ($Repository:ident: $Row:ident, $Id:ident, $Details:ident, $details:expr $(, $check:path)?) => {
        #[async_trait]
        impl Editable for dyn $Repository {
            type Row = $Row;
            type Details = $Details;

            async fn row(&self, id: i64) -> Result<Option<$Row>, StoreError> {
                self.find($Id(id)).await
            }

            fn details(row: &$Row) -> $Details {
                let details: fn(&$Row) -> $Details = $details;
                details(row)
            }

            $(fn check(details: &$Details) -> Result<(), Invalid> {
                $check(details)
            })?

            async fn replace(
                &self,
                seen: &$Row,
                details: &$Details,
                act: &Act,
            ) -> Result<(), StoreError> {
                rows!(@update $Repository self, seen, details, act).await.map(drop)
            }
        }
    };
    (@update LeadRepository $rows:ident, $seen:ident, $details:ident, $act:ident) => {
        $rows.update($seen, &$details.details, &$details.work, $act)
    };
    (@update $Repository:ident $rows:ident, $seen:ident, $details:ident, $act:ident) => {
        $rows.update($seen, $details, $act)
    };
    (deleted $Repository:ident: $Row:ident) => {
        #[async_trait]
        impl Removable for dyn $Repository {
            async fn remove(&self, seen: &$Row, act: &Act) -> Result<(), StoreError> {
                self.delete(seen, act).await
            }

            async fn bring_back(
                &self,
                row: &$Row,
                _: Option<ClientId>,
                act: &Act,
            ) -> Result<bool, StoreError> {
                self.restore(row, act).await.map(|()| false)
            }
        }
    };
}

rows!(LeadRepository: Lead, LeadId, LeadState, Lead::state, LeadState::check);

#[async_trait]
impl Removable for dyn LeadRepository {
    async fn remove(&self, seen: &Lead, act: &Act) -> Result<(), StoreError> {
        self.delete(seen, act).await
    }

    async fn bring_back(
        &self,
        row: &Lead,
        client: Option<ClientId>,
        act: &Act,
    ) -> Result<bool, StoreError> {
        self.restore(row, client, act).await
    }
}

rows!(SubscriberRepository: Subscriber, SubscriberId, NewSubscriber, |row| row.clone().into());
rows!(deleted SubscriberRepository: Subscriber);
rows!(ClientRepository: Client, ClientId, NewClient, |row| row.details.clone());
rows!(deleted ClientRepository: Client);
rows!(StaffRepository: Staff, StaffId, StaffProfile, |row| row.profile.clone());
