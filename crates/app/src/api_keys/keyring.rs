use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::api_keys::{ApiKey, ApiKeyId, TokenPrefix};

/// How long a key is believed to be as it was seen. A revocation must hold
/// everywhere within a second, and the question takes its time too.
const FRESH: TimeDelta = TimeDelta::milliseconds(400);

/// The keys that were seen a moment ago, and when each was used, so that most
/// requests ask and tell the database nothing.
#[derive(Debug, Default)]
pub struct Keyring {
    // As many as there are keys, and so few that hashing would take longer: what is not a
    // key is not remembered.
    seen: Mutex<BTreeMap<TokenPrefix, Seen>>,
    uses: Mutex<BTreeMap<ApiKeyId, DateTime<Utc>>>,
}

#[derive(Debug)]
struct Seen {
    key: Arc<ApiKey>,
    at: DateTime<Utc>,
}

impl Keyring {
    /// The key that is found by `prefix`, if it was seen a moment before `now`.
    pub(super) fn recall(&self, prefix: &TokenPrefix, now: DateTime<Utc>) -> Option<Arc<ApiKey>> {
        let seen = lock(&self.seen);
        let seen = seen.get(prefix)?;
        // A clock that was set back tells nothing of an age.
        (TimeDelta::zero()..FRESH).contains(&(now - seen.at)).then(|| Arc::clone(&seen.key))
    }

    pub(super) fn remember(&self, key: Arc<ApiKey>, at: DateTime<Utc>) {
        lock(&self.seen).insert(key.prefix.clone(), Seen { key, at });
    }

    pub(super) fn note_use(&self, key: ApiKeyId, at: DateTime<Utc>) {
        let mut uses = lock(&self.uses);
        let last = uses.entry(key).or_insert(at);
        *last = at.max(*last);
    }

    /// Takes what was noted since the last time.
    pub(super) fn take_uses(&self) -> Vec<(ApiKeyId, DateTime<Utc>)> {
        std::mem::take(&mut *lock(&self.uses)).into_iter().collect()
    }
}

/// A panic while it was held left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
