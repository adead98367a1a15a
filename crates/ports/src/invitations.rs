//! Where invitations are stored: to choose a password, or to make the account of the first owner.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::Act;
use exit3_domain::sign_ins::NewInvitation;
use exit3_domain::staff::{NewStaff, PasswordHash, Staff};

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another invitation has this token.
pub const DIGEST_TAKEN: Constraint = Constraint::Taken { table: "invitations", column: "digest" };

/// The table of invitations. The first owner has no account yet: the invitation has the number 0.
pub const TABLE: Table = Table {
    name: "invitations",
    columns: &[
        Column::new("staff_id", Kind::Integer),
        Column::new("digest", Kind::Bytes),
        Column::new("created_at", Kind::Time),
        Column::new("ends_at", Kind::Time),
    ],
    resource: "",
    rules: &[DIGEST_TAKEN],
    rights: "SELECT, INSERT, UPDATE, DELETE",
    ..Table::EMPTY
};

/// Whom an invitation invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invited {
    /// Somebody to make the account of the first owner.
    FirstOwner,
    /// A person to choose a password.
    Person(Box<Staff>),
}

/// Stores invitations. There is at most one for each account, and one for the first owner. They are
/// removed with the ended sign-ins. No archive contains any, and a restore removes all.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// A link that is too old, or that was used, invites nobody:
/// ```
/// use exit3_domain::api_keys::TokenDigest;
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.invitations.expect_find().returning(|_, _| Ok(None));
/// let invitations = Repositories::from(mocks).invitations;
///
/// let digest = TokenDigest::of(b"the token of the link");
/// assert_eq!(invitations.find(&digest, chrono::DateTime::UNIX_EPOCH).await?, None);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Stores an invitation in place of an earlier one. One to a person leaves an event about the
    /// account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such account, or it is not active;
    /// [`StoreError::Conflict`] with [`Constraint::OwnerExists`] if the first owner is invited, but
    /// there is an active one.
    async fn invite(&self, invitation: &NewInvitation, act: &Act) -> Result<(), StoreError>;

    /// Stores an account together with an invitation that is valid until `ends_at`. The event of the
    /// account tells of both.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::staff::USERNAME_TAKEN`] if the name is taken.
    async fn invite_new(
        &self,
        staff: &NewStaff,
        digest: &TokenDigest,
        ends_at: DateTime<Utc>,
        act: &Act,
    ) -> Result<Staff, StoreError>;

    /// Finds whom a valid invitation with this digest invites.
    async fn find(
        &self,
        digest: &TokenDigest,
        now: DateTime<Utc>,
    ) -> Result<Option<Invited>, StoreError>;

    /// Uses the invitation of the first owner to store the account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no valid invitation to this; [`StoreError::Conflict`]
    /// with [`Constraint::OwnerExists`], or [`crate::staff::USERNAME_TAKEN`]. The invitation is not
    /// used then.
    async fn accept_as_owner(
        &self,
        digest: &TokenDigest,
        owner: &NewStaff,
        act: &Act,
    ) -> Result<Staff, StoreError>;

    /// Uses the invitation of the person `seen` to replace the password, and ends all sign-ins of
    /// the account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no valid invitation to this, or the account is not
    /// active.
    async fn accept(
        &self,
        digest: &TokenDigest,
        seen: &Staff,
        password: &PasswordHash,
        act: &Act,
    ) -> Result<(), StoreError>;
}
