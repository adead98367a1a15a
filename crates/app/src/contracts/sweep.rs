//! Removes files that no client has.

use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::clients::is_contract_path;
use exit3_domain::contracts::{KEPT_DAYS, RECEIVED};
use exit3_ports::{ContractFound, with_causes};
use serde::{Deserialize, Serialize};

use super::{ContractError, blocking};
use crate::App;
use crate::jobs::{JobFailure, Payload};

/// How old a file is that no row names, when it is removed. An upload takes minutes.
const SAFE: TimeDelta = TimeDelta::days(1);

/// Longer than an upload takes. `purge` leaves younger files alone.
const UPLOAD: TimeDelta = TimeDelta::hours(1);

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
    // The first time notes what is unused since now.
    remove_unused(app, now, now).await?;
    remove_unused(app, now, now + TimeDelta::microseconds(1)).await?;
    remove_unnamed(app, now - UPLOAD).await
}

async fn remove_unused(
    app: &App,
    now: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<(), ContractError> {
    let gone = app.repositories()?.contract_files.sweep(now, end).await?;
    remove(app, gone).await
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
    for names in old.chunks(STEP) {
        let unknown = app.repositories()?.contract_files.unknown(names).await?;
        remove(app, unknown).await?;
    }
    Ok(())
}

async fn remove(app: &App, files: Vec<String>) -> Result<(), ContractError> {
    let store = app.contracts.store.clone();
    let count = files.len();
    // One that cannot be removed keeps none of the others.
    let remove = move || {
        let mut outcome = Ok(());
        for file in files.iter().filter(|file| is_contract_path(file)) {
            outcome = outcome.and(store.remove(file));
        }
        outcome
    };
    blocking(remove).await?;
    if count > 0 {
        tracing::info!(count, "contract files that no client has were removed");
    }
    Ok(())
}
