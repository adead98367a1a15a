//! API keys.

mod authenticate;
mod create;
mod keyring;
mod manage;
mod note_uses;

use std::ops::Deref;
use std::sync::Arc;

use exit3_domain::api_keys::{ApiKey, Scope};
use exit3_domain::events::Actor;
use exit3_domain::quotas::Rate;

pub use authenticate::{KeyError, authenticate};
pub use create::create;
pub use keyring::Keyring;
pub use manage::{ManageKeysError, find, list, revoke};
pub use note_uses::note_uses;

/// The holder of the API key in a request.
#[derive(Debug, Clone)]
pub enum Caller {
    /// The holder of the key in the settings, `BASIC_API_KEY`, which has all scopes.
    Basic,
    /// The holder of a named key.
    Named(Arc<NamedKey>),
}

/// A named key, and its holder as the author of writes.
#[derive(Debug)]
pub struct NamedKey {
    key: ApiKey,
    holder: Actor,
}

impl From<ApiKey> for NamedKey {
    fn from(key: ApiKey) -> Self {
        let (name, prefix) = (key.draft.name.as_str().into(), key.prefix.0.as_str().into());
        Self { key, holder: Actor::ApiKey { name, prefix } }
    }
}

impl Deref for NamedKey {
    type Target = ApiKey;

    fn deref(&self) -> &ApiKey {
        &self.key
    }
}

impl Caller {
    /// The name of the key, chosen by the operator; not secret.
    pub fn name(&self) -> &str {
        match self {
            Self::Basic => "BASIC_API_KEY",
            Self::Named(key) => &key.draft.name,
        }
    }

    /// The caller as the author of writes.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Basic => Actor::BasicKey,
            Self::Named(key) => key.holder.clone(),
        }
    }

    /// Whether the key has a scope. The key in the settings has every scope.
    pub fn may(&self, scope: &Scope) -> bool {
        match self {
            Self::Basic => true,
            Self::Named(key) => key.draft.scopes.contain(scope),
        }
    }

    /// Whether the service trusts the caller to name the visitors that it sends requests for.
    pub fn forwards_visitors(&self) -> bool {
        matches!(self, Self::Named(key) if key.draft.forwards_visitors)
    }

    /// Whether the key is in the pages of a website, so that many visitors share it.
    pub fn is_publishable(&self) -> bool {
        matches!(self, Self::Named(key) if key.draft.is_publishable())
    }

    /// The rate limit of the key: its own, or else `usual`. Publishable keys have no default limit,
    /// because anybody could use it up for everybody.
    pub(crate) fn rate(&self, usual: Option<Rate>) -> Option<Rate> {
        match self {
            Self::Basic => usual,
            Self::Named(key) if key.draft.is_publishable() => key.draft.rate,
            Self::Named(key) => key.draft.rate.or(usual),
        }
    }

    /// Whether the holder may see how much of the quota is left. Not for publishable keys, because
    /// that would show how much others use them.
    pub(crate) fn may_know_its_use(&self) -> bool {
        !self.is_publishable()
    }

    /// The number of the key for quotas; ids start at 1.
    pub fn number(&self) -> u64 {
        match self {
            Self::Basic => 0,
            Self::Named(key) => key.id.0.unsigned_abs(),
        }
    }
}
