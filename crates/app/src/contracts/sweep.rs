//! Removes files that no client has.

use std::io;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::clients::is_contract_path;
use exit3_domain::contracts::{KEPT_DAYS, RECEIVED};
use exit3_ports::contract_files::ARRIVING;
use exit3_ports::{ContractFound, with_causes};
use serde::{Deserialize, Serialize};

use super::{ContractError, blocking, failed};
use crate::App;
use crate::jobs::{JobFailure, Payload};

/// How old a file is that no row names, when it is removed. An upload takes minutes.
const SAFE: TimeDelta = TimeDelta::days(1);

/// Longer than an undo takes from its look at the contract to its commit.
const UNDOING: Duration = Duration::from_secs(5);

/// How many files are looked up at a time.
const STEP: usize = 500;

/// The job that removes contract files that no client has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {}

impl Payload for Sweep {
    const KIND: &'static str = "contracts.sweep";
}

impl From<ContractError> for JobFailure {
    fn from(error: ContractError) -> Self {
        Self::Again(with_causes(&error))
    }
}

/// Removes files that no client has had for 30 days, files that no row names, and leftovers of
/// interrupted uploads.
///
/// Files that are already removed are not found again, so running it twice does no harm.
///
/// # Errors
/// The database or the files are unavailable.
pub async fn sweep(app: App, _: Sweep) -> Result<(), JobFailure> {
    let now = app.clock.now();
    remove_unused(&app, now, now - TimeDelta::days(KEPT_DAYS)).await?;
    remove_unnamed(&app, now - SAFE).await?;
    Ok(())
}

/// Removes all files that no client has, even if that could be undone so far. A file that could not be
/// removed is found again the next time.
///
/// # Errors
/// [`ContractError`].
pub async fn purge(app: &App) -> Result<(), ContractError> {
    let store = app.contracts.store.clone();
    // A directory that is not there has no files to remove, but it may come back.
    blocking(move || store.check().map_err(io::Error::other)).await?;
    let now = app.clock.now();
    // Notes what is unused since now.
    app.repositories()?.contract_files.sweep(now, now).await?;
    remove_unused(app, now, now + TimeDelta::microseconds(1)).await?;
    remove_unnamed(app, now - ARRIVING).await
}

/// Removes the files that no client has had since before `end`. Their rows go after them, so a file
/// that cannot be removed is found again.
async fn remove_unused(
    app: &App,
    now: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<(), ContractError> {
    let files = &app.repositories()?.contract_files;
    let doomed = files.sweep(now, end).await?;
    if doomed.is_empty() {
        return Ok(());
    }
    // From here on no undo begins to bring them back. One that has begun may still do so.
    tokio::time::sleep(UNDOING).await;
    for files in doomed.chunks(STEP) {
        remove_needless(app, files).await?;
    }
    Ok(())
}

/// Removes files that the service has received, but that no row names.
async fn remove_unnamed(app: &App, end: DateTime<Utc>) -> Result<(), ContractError> {
    let store = app.contracts.store.clone();
    let list = move || {
        store.sweep();
        let mut old = Vec::new();
        for found in store.list() {
            match found? {
                ContractFound::File { name, written: Some(written) }
                    if written < end && name.starts_with(RECEIVED) =>
                {
                    old.push(name);
                }
                _ => {}
            }
        }
        Ok(old)
    };
    let old = blocking(list).await?;
    for files in old.chunks(STEP) {
        remove_needless(app, files).await?;
    }
    Ok(())
}

/// Removes those of the files that no client has and that are doomed or not known, and then what is
/// known of them.
async fn remove_needless(app: &App, files: &[String]) -> Result<(), ContractError> {
    let known = &app.repositories()?.contract_files;
    let needless = known.needless(files).await?;
    let store = app.contracts.store.clone();
    // One that cannot be removed keeps none of the others.
    let remove = move || {
        let mut outcome = Ok(());
        let mut removed = Vec::new();
        for file in needless {
            // A path that leads elsewhere, from an import, is no file of ours.
            match if is_contract_path(&file) { store.remove(&file) } else { Ok(()) } {
                Ok(()) => removed.push(file),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        Ok((outcome, removed))
    };
    let (outcome, removed) = blocking(remove).await?;
    for file in &removed {
        known.discard(file).await?;
    }
    if !removed.is_empty() {
        let count = removed.len();
        tracing::info!(count, "contract files that no client has were removed");
    }
    outcome.map_err(|error| failed(&error))
}
