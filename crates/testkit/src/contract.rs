//! The contract suite: what every adapter of the ports must do.
//!
//! An adapter runs it with one line in a test file,
//! `exit3_testkit::repository_contract!(harness().await);`, where `harness` is
//! an async function that returns a [`Harness`] over a fresh, migrated, empty
//! database. Each rule becomes a test of its own.

#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod api_keys;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod canaries;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod cancellation;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod client_conversions;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod client_lists;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod clients;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod concurrency;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod contract_files;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod erasure;
mod event_calls;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod event_lists;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod events;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod forms_once;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod invitations;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod job_operations;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod jobs;
mod lead_calls;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_contacts;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_counts;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_filters;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_glances;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_ids;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_index;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_intake;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_notes;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_pages;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_search;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_walks;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_weeks;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_work;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod leads;
mod model;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod outbox;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod requests_once;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod schedules;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod sign_ins;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod staff;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod staff_owners;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod subscriber_lists;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod subscriber_spellings;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod subscribers;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod transfer;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod unchanged;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod undo;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod undo_batches;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod undo_clients;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod undo_quiet;

use std::any::Any;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use exit3_ports::{Repositories, Transfer};

use crate::builders::at;

/// The time limit of a rule; one that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes the database refuse events (`true`) or take them again.
pub type RefuseEvents = Box<dyn Fn(bool) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

/// Indexes at most this many leads for searches. Returns how many, 0 if there is nothing left to
/// index.
pub type IndexLeads = Box<dyn Fn(u32) -> Pin<Box<dyn Future<Output = u64> + Send>>>;

/// The repositories of one fresh, empty database.
pub struct Harness {
    /// The repositories that the use cases need. Rules access them directly on the harness.
    pub repositories: Repositories,
    /// Reads and writes the whole database.
    pub transfer: Arc<dyn Transfer>,
    /// Makes inserts into `events` fail, or succeed again; without the adapter.
    pub refuse_events: RefuseEvents,
    /// Brings the search index up to date, if the database does not do that by itself.
    pub index_leads: IndexLeads,
    /// Kept as long as the repositories are used; removes the database on drop.
    pub guard: Box<dyn Any>,
}

impl Deref for Harness {
    type Target = Repositories;

    fn deref(&self) -> &Repositories {
        &self.repositories
    }
}

impl Harness {
    /// Makes inserts into `events` fail, or succeed again.
    pub async fn refuse_events(&self, refused: bool) {
        (self.refuse_events)(refused).await;
    }
}

/// Stores rows in every table.
pub async fn fill(harness: &Harness) {
    leads::fill(harness).await;
    lead_notes::fill(harness).await;
    lead_weeks::fill(harness).await;
    canaries::fill(harness).await;
    subscribers::fill(harness).await;
    api_keys::fill(harness).await;
    clients::fill(harness).await;
    contract_files::fill(harness).await;
    staff::fill(harness).await;
    sign_ins::fill(harness).await;
    outbox::fill(harness).await;
    transfer::fill_memory(harness).await;
    jobs::fill(harness).await;
    harness.backups.note_backup(at(9)).await.unwrap();
}

/// Runs one rule with a time limit.
pub async fn hold(rule: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, rule).await.expect("the rule comes to an end");
}
