//! What Exit Three's backend knows about leads, newsletter subscribers, clients and
//! staff, independent of any database, protocol or clock.
//!
//! Raw input ([`leads::LeadInput`], [`subscribers::SubscriberInput`]) is parsed
//! once into valid values ([`leads::NewLead`], [`subscribers::NewSubscriber`]);
//! no later layer checks again.

pub mod api_keys;
pub mod characters;
mod choice;
pub mod clients;
pub mod email;
pub mod fields;
pub mod leads;
pub mod paging;
mod phone;
pub mod quotas;
pub mod raw;
pub mod search;
pub mod staff;
pub mod subscribers;
mod text;
pub mod validation;
