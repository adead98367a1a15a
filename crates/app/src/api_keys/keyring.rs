use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::api_keys::{ApiKeyId, TokenPrefix};

use super::NamedKey;

/// How long a cached key is trusted. A revocation must take effect everywhere within a second, and
/// the query takes time too.
const FRESH: TimeDelta = TimeDelta::milliseconds(400);

/// How long the list of keys counts as complete. Clients that guess too often cannot make this node
/// list the keys more often than this.
const LISTED: TimeDelta = TimeDelta::seconds(1);

/// The maximum number of peers remembered for guessing too often.
const MOST_GUESSERS: usize = 100_000;

/// Caches recently seen keys and collects their uses, so that most requests need no query.
#[derive(Debug, Default)]
pub struct Keyring {
    // Contains only existing keys, not what clients guessed, so it stays small. With few entries, a
    // `BTreeMap` is faster than hashing.
    seen: Mutex<BTreeMap<TokenPrefix, Seen>>,
    listed: Mutex<Listed>,
    /// Peers that guessed too often, and when each may guess again.
    guessers: Mutex<BTreeMap<u64, DateTime<Utc>>>,
    uses: Mutex<BTreeMap<ApiKeyId, DateTime<Utc>>>,
}

/// The prefixes of all keys.
#[derive(Debug, Default)]
struct Listed {
    prefixes: BTreeSet<TokenPrefix>,
    at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Seen {
    key: Arc<NamedKey>,
    at: DateTime<Utc>,
}

impl Keyring {
    /// The key with this prefix, if it was seen shortly before `now`.
    pub(super) fn recall(&self, prefix: &TokenPrefix, now: DateTime<Utc>) -> Option<Arc<NamedKey>> {
        let seen = lock(&self.seen);
        let seen = seen.get(prefix)?;
        // If the clock was set back, the age is negative and the entry is not used.
        (TimeDelta::zero()..FRESH).contains(&(now - seen.at)).then(|| Arc::clone(&seen.key))
    }

    /// Whether this node has seen a key with this prefix.
    pub(super) fn has_seen(&self, prefix: &TokenPrefix) -> bool {
        lock(&self.seen).contains_key(prefix)
    }

    /// Whether the list of keys is outdated. Only one caller gets `true`, and has to renew the
    /// list.
    pub(super) fn must_be_listed(&self, now: DateTime<Utc>) -> bool {
        let mut listed = lock(&self.listed);
        let is_fresh = |at: DateTime<Utc>| (TimeDelta::zero()..LISTED).contains(&(now - at));
        let must = !listed.at.is_some_and(is_fresh);
        if must {
            listed.at = Some(now);
        }
        must
    }

    pub(super) fn list(&self, prefixes: BTreeSet<TokenPrefix>) {
        lock(&self.listed).prefixes = prefixes;
    }

    pub(super) fn has_listed(&self, prefix: &TokenPrefix) -> bool {
        lock(&self.listed).prefixes.contains(prefix)
    }

    /// Records that a peer may guess again only after `wait`.
    pub(crate) fn note_guesser(&self, peer: u64, now: DateTime<Utc>, wait: Duration) {
        let until = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
        let mut guessers = lock(&self.guessers);
        if guessers.len() >= MOST_GUESSERS {
            guessers.retain(|_, until| *until > now);
        }
        if let Some(until) = until
            && guessers.len() < MOST_GUESSERS
        {
            guessers.insert(peer, until);
        }
    }

    /// The time until a peer that guessed too often may guess again.
    pub(crate) fn guesses_again_in(&self, peer: u64, now: DateTime<Utc>) -> Option<Duration> {
        let mut guessers = lock(&self.guessers);
        let wait = (*guessers.get(&peer)? - now).to_std().ok().filter(|wait| !wait.is_zero());
        if wait.is_none() {
            guessers.remove(&peer);
        }
        wait
    }

    pub(super) fn forget(&self, prefix: &TokenPrefix) {
        lock(&self.seen).remove(prefix);
    }

    pub(super) fn remember(&self, key: Arc<NamedKey>, at: DateTime<Utc>) {
        lock(&self.seen).insert(key.prefix.clone(), Seen { key, at });
    }

    pub(super) fn note_use(&self, key: ApiKeyId, at: DateTime<Utc>) {
        let mut uses = lock(&self.uses);
        let last = uses.entry(key).or_insert(at);
        *last = at.max(*last);
    }

    /// Takes the uses recorded since the last call.
    pub(super) fn take_uses(&self) -> Vec<(ApiKeyId, DateTime<Utc>)> {
        std::mem::take(&mut *lock(&self.uses)).into_iter().collect()
    }
}

/// Ignores poisoning: a panic while the lock is held leaves no partial change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::now;

    #[test]
    fn no_crowd_of_guessers_takes_memory_without_end() {
        let keyring = Keyring::default();
        let (soon, later) = (Duration::from_secs(1), Duration::from_secs(60));
        for peer in 0..MOST_GUESSERS as u64 {
            keyring.note_guesser(peer, now(), if peer % 2 == 0 { soon } else { later });
        }
        keyring.note_guesser(u64::MAX, now(), later);
        assert_eq!(keyring.guesses_again_in(u64::MAX, now()), None);
        // There is room again as soon as the first peer may guess again.
        let then = now() + TimeDelta::seconds(1);
        keyring.note_guesser(u64::MAX, then, later);
        assert_eq!(keyring.guesses_again_in(u64::MAX, then), Some(later));
        assert_eq!(keyring.guesses_again_in(1, then), Some(later - soon));
        assert_eq!(keyring.guesses_again_in(0, then), None);
    }
}
