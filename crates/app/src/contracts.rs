//! Contract files of clients: receiving, sending and removing them.
//!
//! A file is on the disk, or in the bucket, before a row names it, and it is removed after no row
//! does. What a crash leaves between the two is a file that no row names, which [`sweep`] removes.

mod receive;
mod send;
mod sweep;

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use exit3_domain::access::{Action, Record};
use exit3_domain::clients::{Client, ClientId, RESOURCE, is_contract_path};
use exit3_domain::contracts::{Contract, ContractRefused, FILE};
use exit3_domain::events::{Changes, Event};
use exit3_domain::versions::Expected;
use exit3_ports::{ContractScanner, ContractStore, StoreError, TRACE};
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::access::{Doer, Forbidden};
use crate::clients::owner;
use crate::seen::{ATTEMPTS, admitted, unless_stale};
use crate::{App, UpdateError};

pub use receive::{Receiving, receive};
pub use send::{Sending, send};
pub use sweep::{Sweep, purge, sweep};

/// Where contract files are kept, and what looks at new ones.
#[derive(Clone)]
pub struct Contracts {
    /// Where they are kept.
    pub store: Arc<dyn ContractStore>,
    /// What looks for viruses in new ones, if anything does.
    pub scanner: Option<Arc<dyn ContractScanner>>,
}

/// Why a contract was not received, sent or removed. Nothing was changed, unless the database is
/// unavailable: then a write may or may not have happened.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The rules of the back office do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The file is none that becomes a contract.
    #[error(transparent)]
    Refused(#[from] ContractRefused),
    /// The client does not exist, or has no contract, or its file is missing.
    #[error("not found")]
    NotFound,
    /// The client is not the version that the caller expects.
    #[error("not the expected version")]
    Unexpected,
    /// Concurrent changes kept interfering.
    #[error("changed by others at the same time")]
    Contended,
    /// The virus scanner does not answer.
    #[error("the virus scanner does not answer")]
    NotScanned,
    /// Files cannot be read or written now.
    #[error("the contract files cannot be read or written")]
    Files,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for ContractError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            error => Self::Store(error),
        }
    }
}

impl From<UpdateError> for ContractError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Unexpected => Self::Unexpected,
            UpdateError::Store(error) => error.into(),
            // A contract is no value that can be invalid.
            UpdateError::NotFound | UpdateError::Invalid(_) => Self::NotFound,
            UpdateError::Contended => Self::Contended,
        }
    }
}

/// What is known of the contract of a client; `None` if it has none. Does not look for the file.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "contracts.of", skip_all)]
pub async fn of(app: &App, client: &Client) -> Result<Option<Contract>, StoreError> {
    let Some(file) = file_of(client) else { return Ok(None) };
    let known = app.repositories()?.contract_files.find(file).await?;
    Ok(Some(known.unwrap_or_else(|| Contract::at(file))))
}

/// Whether the undo of this event would bring back a contract whose file is gone, or goes soon.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn is_lost(app: &App, event: &Event) -> Result<bool, StoreError> {
    let file = match (&*event.subject.resource, &event.changes) {
        (RESOURCE, Changes::Fields(fields)) => {
            fields.iter().find(|(name, ..)| name == FILE).map(|(_, before, _)| before)
        }
        (RESOURCE, Changes::Row(row)) => row.get(FILE),
        _ => None,
    };
    let Some(file) = file.and_then(Value::as_str).filter(|file| is_contract_path(file)) else {
        return Ok(false);
    };
    let known = app.repositories()?.contract_files.find(file).await?;
    if known.is_some_and(|known| !known.can_come_back(app.clock.now())) {
        return Ok(true);
    }
    let (store, file) = (app.contracts.store.clone(), file.to_owned());
    let is_there = blocking(move || Ok(store.has(&file))).await;
    Ok(!is_there.unwrap_or_default())
}

/// Takes the contract from a client. The file is kept for a while, so that this can be undone.
///
/// # Errors
/// [`ContractError`]; [`ContractError::NotFound`] also if there is no contract.
#[tracing::instrument(target = TRACE, name = "contracts.remove", skip_all)]
pub async fn remove(
    app: &App,
    id: ClientId,
    expected: &Expected,
    doer: &Doer,
) -> Result<Client, ContractError> {
    let seen = find(app, id, doer).await?;
    file_of(&seen).ok_or(ContractError::NotFound)?;
    give(app, seen, None, expected, doer).await
}

/// Checks that the doer may see and replace the contract of a client, before a file is read.
///
/// # Errors
/// [`ContractError`].
pub async fn check(app: &App, id: ClientId, doer: &Doer) -> Result<(), ContractError> {
    find(app, id, doer).await.map(drop)
}

/// The client, if the doer may see and replace its contract.
async fn find(app: &App, id: ClientId, doer: &Doer) -> Result<Client, ContractError> {
    let client = app.repositories()?.clients.find(id).await?.ok_or(ContractError::NotFound)?;
    doer.check(Action::Contract, Record::Client(owner(app, &client).await?))?;
    Ok(client)
}

/// Gives another contract to the client `seen`, or none. Changes that others make meanwhile stay.
async fn give(
    app: &App,
    mut seen: Client,
    file: Option<&str>,
    expected: &Expected,
    doer: &Doer,
) -> Result<Client, ContractError> {
    let clients = &app.repositories()?.clients;
    for _ in 0..ATTEMPTS {
        seen = admitted(Some(seen), expected)?;
        let mut details = seen.details.clone();
        details.contract_file = file.map(str::to_owned);
        let act = doer.author.at(app.clock.now());
        if let Some(given) = unless_stale(clients.update(&seen, &details, &act).await)? {
            return Ok(given);
        }
        seen = find(app, seen.id, doer).await?;
    }
    Err(ContractError::Contended)
}

/// The path of a client's contract. A path that leads elsewhere, from an import, is none.
fn file_of(client: &Client) -> Option<&str> {
    client.details.contract_file.as_deref().filter(|file| is_contract_path(file))
}

/// How much work on files is done at the same time. Each thread takes memory of its own.
static TURNS: Semaphore = Semaphore::const_new(4);

/// How many files are scanned at the same time. A scanner that hangs holds up no other work.
static SCANS: Semaphore = Semaphore::const_new(4);

/// How long a file waits for its turn to be scanned.
const SCAN_PATIENCE: Duration = Duration::from_secs(15);

/// Runs work on files on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ContractError> {
    let turn = TURNS.acquire().await.map_err(|error| failed(&error))?;
    in_turn(turn, work).await
}

async fn in_turn<T: Send + 'static>(
    turn: SemaphorePermit<'static>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ContractError> {
    let work = move || {
        // The work keeps its turn until its end, even if the caller goes away.
        let _turn = turn;
        work()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &dyn Display) -> ContractError {
    tracing::error!(%error, "contract files cannot be read or written");
    ContractError::Files
}

#[cfg(test)]
mod tests;
