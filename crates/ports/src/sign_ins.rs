//! Where the sign-ins of staff are stored.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::Act;
use exit3_domain::sign_ins::{NewSignIn, SignIn, SignInId};
use exit3_domain::staff::{PasswordHash, Staff, StaffId};

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another sign-in has this token.
pub const DIGEST_TAKEN: Constraint = Constraint::Taken { table: "sign_ins", column: "digest" };

/// The table of sign-ins.
pub const TABLE: Table = Table {
    name: "sign_ins",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("digest", Kind::Bytes),
        Column::new("staff_id", Kind::Integer),
        Column::new("password_digest", Kind::Bytes),
        Column::new("created_at", Kind::Time),
        Column::new("seen_at", Kind::Time),
        Column::new("ends_at", Kind::Time),
        Column::new("agent", Kind::Text),
        Column::new("address", Kind::Text),
    ],
    resource: "",
    rules: &[DIGEST_TAKEN],
    rights: "SELECT, INSERT, UPDATE, DELETE",
    ..Table::EMPTY
};

/// The table of visits: when each person used the back office last.
pub const VISITS: Table = Table {
    name: "staff_visits",
    columns: &[
        Column::new("staff_id", Kind::Integer),
        Column::new("seen_at", Kind::Time),
        Column::new("left_at", Kind::Time),
    ],
    resource: "",
    rights: "SELECT, INSERT, UPDATE",
    ..Table::EMPTY
};

/// Which sign-ins of an account to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This one.
    One(SignInId),
    /// All but this one.
    AllBut(SignInId),
    /// All.
    All,
}

/// Stores sign-ins. A sign-in belongs to one database: no archive contains any, and a restore ends
/// all, because its accounts may be other people.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// Signing out everywhere:
/// ```
/// use exit3_domain::events::{Actor, Author};
/// use exit3_domain::staff::StaffId;
/// use exit3_ports::sign_ins::Ending;
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.sign_ins.expect_end().returning(|_, _, _| Ok(2));
/// let sign_ins = Repositories::from(mocks).sign_ins;
///
/// let act = Author::from(Actor::Staff("ana".into())).at(chrono::DateTime::UNIX_EPOCH);
/// assert_eq!(sign_ins.end(StaffId(7), Ending::All, &act).await?, 2);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SignIns: Send + Sync {
    /// Stores a sign-in, notes it in the account, and leaves an event about the account. The person
    /// is here at that time, see [`Self::left_at`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such account, or it is not active.
    async fn begin(&self, sign_in: &NewSignIn, act: &Act) -> Result<SignIn, StoreError>;

    /// Finds the sign-in with this digest, and its account. Uses an index. Does not tell whether
    /// the sign-in is still valid.
    async fn find(&self, digest: &TokenDigest) -> Result<Option<(SignIn, Staff)>, StoreError>;

    /// Notes when a sign-in was last used, and that the person is here. An earlier time than the
    /// noted one, or a sign-in that does not exist, changes nothing.
    async fn note_seen(&self, id: SignInId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// When the person was last here before the present visit, with any sign-in; `None` on the first
    /// visit. A visit ends when the person is not seen for
    /// [`AWAY`](exit3_domain::sign_ins::AWAY).
    async fn left_at(&self, staff: StaffId) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// The sign-ins of an account, those that were used last first.
    async fn list(&self, staff: StaffId) -> Result<Vec<SignIn>, StoreError>;

    /// Ends sign-ins of an account, and leaves an event about the account if there were any. Returns
    /// how many have ended.
    async fn end(&self, staff: StaffId, which: Ending, act: &Act) -> Result<u64, StoreError>;

    /// Replaces the password if it is still the one in `seen`, and ends all sign-ins but `keep`,
    /// and the invitation of the account. The sign-in `keep` takes the digest of the new password.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the account does not exist; [`StoreError::Conflict`] with
    /// [`Constraint::Stale`] if its password is no longer that of `seen`.
    async fn change_password(
        &self,
        seen: &Staff,
        password: &PasswordHash,
        keep: Option<SignInId>,
        act: &Act,
    ) -> Result<(), StoreError>;

    /// Removes up to `most` sign-ins and invitations that ended before `now`, and sign-ins that were
    /// last used before `seen`. Returns how many.
    async fn remove_ended(
        &self,
        now: DateTime<Utc>,
        seen: DateTime<Utc>,
        most: u32,
    ) -> Result<u64, StoreError>;
}
