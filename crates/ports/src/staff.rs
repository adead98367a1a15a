use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::paging::{Page, PageRequest};
use exit3_domain::staff::{NewStaff, PasswordHash, Staff, StaffId, StaffProfile};

use crate::StoreError;

/// Keeps the accounts of staff. None is ever deleted.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait StaffRepository: Send + Sync {
    /// Stores an account.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Constraint::StaffUsername`] where the
    /// name is taken.
    async fn create(&self, staff: &NewStaff) -> Result<Staff, StoreError>;

    /// The account of that id.
    async fn find(&self, id: StaffId) -> Result<Option<Staff>, StoreError>;

    /// The account of that name, case and all, by an index.
    async fn find_by_username(&self, username: &str) -> Result<Option<Staff>, StoreError>;

    /// One page of the accounts by name, with the exact count of all of them; `None`
    /// for a page past the end. Page 1 is never past the end.
    async fn list(&self, page: PageRequest) -> Result<Option<Page<Staff>>, StoreError>;

    /// Changes who somebody is and what they may do.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no account of that id;
    /// [`StoreError::Conflict`] as for [`Self::create`].
    async fn update(&self, id: StaffId, profile: &StaffProfile) -> Result<Staff, StoreError>;

    /// Replaces the password that the account was `seen` with, so that hashing an old
    /// one anew cannot undo a change of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the account is gone;
    /// [`StoreError::Conflict`] with [`crate::Constraint::Stale`] where its password
    /// is no longer that of `seen`.
    async fn set_password(&self, seen: &Staff, password: &PasswordHash) -> Result<(), StoreError>;

    /// Notes that somebody has signed in. A time before the one that is known
    /// already, or an account that is gone, changes nothing.
    async fn note_login(&self, id: StaffId, now: DateTime<Utc>) -> Result<(), StoreError>;
}
