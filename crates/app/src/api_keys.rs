//! Keys of the API.

mod authenticate;
mod create;
mod keyring;
mod list;
mod note_uses;
mod revoke;

use std::sync::Arc;

use exit3_domain::api_keys::{ApiKey, Scopes};
use exit3_domain::quotas::Rate;

pub use authenticate::{KeyError, authenticate};
pub use create::{CreateKeyError, create};
pub use keyring::Keyring;
pub use list::list;
pub use note_uses::note_uses;
pub use revoke::revoke;

/// Who sent a request, by the key that came with it.
#[derive(Debug, Clone)]
pub enum Caller {
    /// The holder of the one key of the settings, `BASIC_API_KEY`, which opens
    /// everything.
    Basic,
    /// The holder of a named key.
    Named(Arc<ApiKey>),
}

impl Caller {
    /// What the key is called: a name of the operator's, and no secret.
    pub fn name(&self) -> &str {
        match self {
            Self::Basic => "BASIC_API_KEY",
            Self::Named(key) => &key.draft.name,
        }
    }

    /// What the key opens.
    pub fn scopes(&self) -> Scopes {
        match self {
            Self::Basic => Scopes::ALL,
            Self::Named(key) => key.draft.scopes,
        }
    }

    /// Whether the caller is believed who its visitors are.
    pub fn forwards_visitors(&self) -> bool {
        matches!(self, Self::Named(key) if key.draft.forwards_visitors)
    }

    /// How often the key may be used: as often as it says itself, or else as is `usual`.
    /// For one that everybody can read nothing is: anybody could use that up for all.
    pub(crate) fn rate(&self, usual: Option<Rate>) -> Option<Rate> {
        match self {
            Self::Basic => usual,
            Self::Named(key) if key.draft.is_publishable() => key.draft.rate,
            Self::Named(key) => key.draft.rate.or(usual),
        }
    }

    /// Whether its holder may know how much the key is used: not where that is how much
    /// others use it.
    pub(crate) fn may_know_its_use(&self) -> bool {
        !matches!(self, Self::Named(key) if key.draft.is_publishable())
    }

    /// The key's number; ids begin at 1.
    pub fn number(&self) -> u64 {
        match self {
            Self::Basic => 0,
            Self::Named(key) => key.id.0.unsigned_abs(),
        }
    }
}
