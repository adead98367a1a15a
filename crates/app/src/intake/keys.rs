use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::api_keys::{ApiKey, Scope, TokenPrefix};
use exit3_ports::spool::RememberedKeys;
use exit3_ports::{StoreError, with_causes};

use super::Intake;
use crate::App;
use crate::api_keys::NamedKey;

/// What a key may do while the database is away.
const TAKEN: [Scope; 2] = [Scope::create("leads"), Scope::create("newsletter")];

/// How long a key is trusted that nobody can look up. A key that was revoked meanwhile opens creates
/// for as long.
const TRUSTED: TimeDelta = TimeDelta::hours(24);

/// The keys on the disk are written again if they have changed, and at least so often.
const WRITTEN: TimeDelta = TimeDelta::hours(1);

/// The keys that may create, as they were in the database.
pub(super) struct Keys(Mutex<Known>);

#[derive(Default)]
struct Known {
    keys: BTreeMap<TokenPrefix, Arc<NamedKey>>,
    at: Option<DateTime<Utc>>,
    /// What the spool remembers.
    kept: Option<RememberedKeys>,
}

impl Keys {
    pub(super) fn of(kept: Option<RememberedKeys>) -> Self {
        let keys = kept.iter().flat_map(|kept| by_prefix(&kept.keys)).collect();
        Self(Mutex::new(Known { keys, at: kept.as_ref().map(|kept| kept.at), kept }))
    }
}

fn by_prefix(keys: &[ApiKey]) -> BTreeMap<TokenPrefix, Arc<NamedKey>> {
    keys.iter().map(|key| (key.prefix.clone(), Arc::new(key.clone().into()))).collect()
}

impl Intake {
    /// Whether requests that need this scope are taken while the database is away.
    pub(crate) fn takes(&self, scope: Option<&Scope>) -> bool {
        scope.is_some_and(|scope| TAKEN.contains(scope))
    }

    /// The key with this prefix, if this node has seen it in the database lately.
    pub(crate) fn known_key(
        &self,
        prefix: &TokenPrefix,
        now: DateTime<Utc>,
    ) -> Option<Arc<NamedKey>> {
        let known = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_trusted = known.at.is_some_and(|at| (now - at).abs() < TRUSTED);
        known.keys.get(prefix).filter(|_| is_trusted).map(Arc::clone)
    }

    /// Learns the keys that may create from the database.
    pub(super) async fn learn_keys(&self, app: &App) -> Result<(), StoreError> {
        let now = app.clock.now();
        let mut keys = app.repositories()?.api_keys.list().await?;
        keys.retain(|key| key.is_alive(now) && TAKEN.iter().any(|it| key.draft.scopes.contain(it)));
        keys.sort_by_key(|key| key.id);
        // A use is noted often, and nobody needs to know of it here.
        keys.iter_mut().for_each(|key| key.last_used_at = None);
        let must_keep = {
            let mut known = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.keys = by_prefix(&keys);
            known.at = Some(now);
            let is_recent = |kept: &RememberedKeys| (now - kept.at).abs() < WRITTEN;
            !known.kept.as_ref().is_some_and(|kept| kept.keys == keys && is_recent(kept))
        };
        if must_keep {
            let keys = RememberedKeys { keys, at: now };
            match self.spool.remember_keys(&keys).await {
                Ok(()) => {
                    let mut known = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
                    known.kept = Some(keys);
                }
                Err(error) => {
                    tracing::warn!(error = with_causes(&error), "the spool remembers no keys");
                }
            }
        }
        Ok(())
    }
}
