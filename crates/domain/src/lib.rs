//! The rules for leads, newsletter subscribers, clients, staff and jobs, independent of databases,
//! protocols and clocks.
//!
//! Raw input ([`leads::LeadInput`], [`subscribers::SubscriberInput`]) is parsed once into valid
//! values ([`leads::NewLead`], [`subscribers::NewSubscriber`]); later layers do not validate again.

pub mod access;
pub mod api_keys;
pub mod canaries;
pub mod characters;
pub mod choice;
pub mod clients;
pub mod contact;
pub mod contracts;
pub mod edits;
pub mod email;
pub mod events;
pub mod exports;
pub mod fields;
pub mod jobs;
pub mod lead_notes;
pub mod leads;
pub mod mail;
pub mod order;
pub mod paging;
mod phone;
pub mod quotas;
pub mod raw;
pub mod search;
pub mod sign_ins;
pub mod silence;
pub mod staff;
pub mod subscribers;
pub mod text;
pub mod validation;
pub mod versions;

/// What the macros of this crate refer to.
#[doc(hidden)]
pub mod reexport {
    pub use serde;
}
