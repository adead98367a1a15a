//! Where staff accounts are stored.

use async_trait::async_trait;
use exit3_domain::events::Act;
use exit3_domain::paging::{Page, PageRequest};
use exit3_domain::staff::{NewStaff, PasswordHash, Preferences, Staff, StaffId, StaffProfile};

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another account has this name.
pub const USERNAME_TAKEN: Constraint = Constraint::Taken { table: "staff", column: "username" };

/// The table of staff accounts.
pub const TABLE: Table = Table {
    name: "staff",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("username", Kind::Text),
        Column::new("first_name", Kind::Text),
        Column::new("last_name", Kind::Text),
        Column::new("email", Kind::Text),
        Column::new("is_staff", Kind::Boolean),
        Column::new("is_active", Kind::Boolean),
        Column::new("is_superuser", Kind::Boolean),
        Column::new("password", Kind::Text),
        Column::new("date_joined", Kind::Time),
        Column::new("last_login", Kind::Time),
        Column::new("role", Kind::Text),
        Column::new("language", Kind::Text),
        Column::new("theme", Kind::Text),
        Column::new("single_keys", Kind::Boolean),
    ],
    resource: exit3_domain::staff::RESOURCE,
    rules: &[USERNAME_TAKEN],
    rights: "SELECT, INSERT, UPDATE",
    ..Table::EMPTY
};

/// Stores staff accounts. They are never deleted. Every method that changes one stores the event in
/// the same transaction; no event contains a password or its hash. [`crate::SignIns`] notes the time
/// of a sign-in.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// Names of accounts are case-sensitive:
/// ```
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.staff.expect_find_by_username().returning(|_| Ok(None));
/// let staff = Repositories::from(mocks).staff;
///
/// assert_eq!(staff.find_by_username("Ana").await?, None);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait StaffRepository: Send + Sync {
    /// Stores an account.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`USERNAME_TAKEN`] if the name is taken.
    async fn create(&self, staff: &NewStaff, act: &Act) -> Result<Staff, StoreError>;

    /// Finds an account by id.
    async fn find(&self, id: StaffId) -> Result<Option<Staff>, StoreError>;

    /// Finds an account by name, case-sensitively. Uses an index.
    async fn find_by_username(&self, username: &str) -> Result<Option<Staff>, StoreError>;

    /// One page of the accounts, ordered by name, with the exact total count; `None` past the last
    /// page. Page 1 always exists.
    async fn list(&self, page: PageRequest) -> Result<Option<Page<Staff>>, StoreError>;

    /// Replaces the profile of the account `seen`. If the account is not active afterwards, its
    /// sign-ins and its invitation end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the account does not exist; [`StoreError::Conflict`] with
    /// [`Constraint::Stale`] if its profile is no longer that of `seen`, with
    /// [`Constraint::LastOwner`] if `seen` is the only active owner and would no longer be one, or as
    /// for [`Self::create`].
    async fn update(
        &self,
        seen: &Staff,
        profile: &StaffProfile,
        act: &Act,
    ) -> Result<Staff, StoreError>;

    /// Replaces the preferences of the account `seen`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the account does not exist; [`StoreError::Conflict`] with
    /// [`Constraint::Stale`] if its preferences are no longer those of `seen`.
    async fn set_preferences(
        &self,
        seen: &Staff,
        preferences: &Preferences,
        act: &Act,
    ) -> Result<(), StoreError>;

    /// Replaces the password if it is still the one in `seen`. So upgrading an old hash cannot undo
    /// a concurrent change of the password.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the account does not exist; [`StoreError::Conflict`] with
    /// [`Constraint::Stale`] if its password is no longer that of `seen`.
    async fn set_password(
        &self,
        seen: &Staff,
        password: &PasswordHash,
        act: &Act,
    ) -> Result<(), StoreError>;
}
