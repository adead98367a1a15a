//! Where it is stored what is known of contract files. The files themselves are in a
//! [`ContractStore`](crate::ContractStore).

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::clients::ClientId;
use exit3_domain::contracts::{Contract, NewContract};
use exit3_domain::events::Act;

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another row is about this file.
pub const FILE_TAKEN: Constraint = Constraint::Taken { table: "contract_files", column: "file" };

/// The table of contract files. A row outlives its client for as long as the client can come back,
/// so there is no foreign key.
pub const TABLE: Table = Table {
    name: "contract_files",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("file", Kind::Text),
        Column::new("client_id", Kind::Integer),
        Column::new("name", Kind::Text),
        Column::new("size", Kind::Integer),
        Column::new("sha256", Kind::Text),
        Column::new("received_at", Kind::Time),
        Column::new("received_by", Kind::Text),
        Column::new("unused_since", Kind::Time),
    ],
    // That a client has another contract is an event of the client.
    resource: "",
    rules: &[FILE_TAKEN],
    rights: "SELECT, INSERT, UPDATE, DELETE",
    ..Table::EMPTY
};

/// How long a file may be on the way to its client after it was received.
pub const ARRIVING: TimeDelta = TimeDelta::hours(1);

/// Stores what is known of contract files. Which client has which one is in the rows of clients.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// A file in the store that no client has may be removed:
/// ```
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.contract_files.expect_needless().returning(|files| Ok(files.to_vec()));
/// let contract_files = Repositories::from(mocks).contract_files;
///
/// let files = ["contracts/2026/offer.pdf".to_owned()];
/// assert_eq!(contract_files.needless(&files).await?, files);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ContractFileRepository: Send + Sync {
    /// Stores a file that was received. It counts as unused until a client gets it, and no longer in
    /// the transaction in which the client gets it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`FILE_TAKEN`].
    async fn receive(&self, contract: &NewContract) -> Result<(), StoreError>;

    /// Finds a file by its path.
    async fn find(&self, file: &str) -> Result<Option<Contract>, StoreError>;

    /// Stores the event that the contract of a client was sent to somebody.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the client does not exist.
    async fn note_download(
        &self,
        client: ClientId,
        contract: &Contract,
        act: &Act,
    ) -> Result<(), StoreError>;

    /// Removes what is known of a file, unless a client has it. Returns whether it did.
    async fn discard(&self, file: &str) -> Result<bool, StoreError>;

    /// Notes which files are unused since `now`. Dooms those that are unused since before `end`, and
    /// returns their paths, also those of files that were doomed before: they may still be there.
    /// A file that was received less than [`ARRIVING`] ago, and that no client has had, is left alone.
    async fn sweep(
        &self,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError>;

    /// Those of the files that no client has and that are doomed or not known.
    async fn needless(&self, files: &[String]) -> Result<Vec<String>, StoreError>;
}
