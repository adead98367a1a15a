use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::api_keys::{ApiKey, ApiKeyId, TokenPrefix};

/// How long a key is believed to be as it was seen. A revocation must hold
/// everywhere within a second, and the question takes its time too.
const FRESH: TimeDelta = TimeDelta::milliseconds(400);

/// How long the list of keys counts as complete. Clients that guess too often cannot make this
/// node list the keys more often than this.
const LISTED: TimeDelta = TimeDelta::seconds(1);

/// The most peers that are remembered for guessing too often.
const MOST_GUESSERS: usize = 100_000;

/// The keys that were seen a moment ago, and when each was used, so that most
/// requests ask and tell the database nothing.
#[derive(Debug, Default)]
pub struct Keyring {
    // As many as there are keys, and so few that hashing would take longer: what is not a
    // key is not remembered.
    seen: Mutex<BTreeMap<TokenPrefix, Seen>>,
    listed: Mutex<Listed>,
    /// Clients that guessed too often, and when each may guess again.
    guessers: Mutex<BTreeMap<u64, DateTime<Utc>>>,
    uses: Mutex<BTreeMap<ApiKeyId, DateTime<Utc>>>,
}

/// The beginnings of all keys there are.
#[derive(Debug, Default)]
struct Listed {
    prefixes: BTreeSet<TokenPrefix>,
    at: Option<DateTime<Utc>>,
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

    /// Whether there is a key with that prefix, as far as this node has seen any.
    pub(super) fn has_seen(&self, prefix: &TokenPrefix) -> bool {
        lock(&self.seen).contains_key(prefix)
    }

    /// Whether the list of keys is outdated. If it is, only this caller is told so, and has to
    /// renew the list.
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

    /// Remembers that a peer may guess again only after `wait`.
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

    /// After how long a peer may guess again that has guessed too often.
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
        // There is room for another one as soon as the first may guess again.
        let then = now() + TimeDelta::seconds(1);
        keyring.note_guesser(u64::MAX, then, later);
        assert_eq!(keyring.guesses_again_in(u64::MAX, then), Some(later));
        assert_eq!(keyring.guesses_again_in(1, then), Some(later - soon));
        assert_eq!(keyring.guesses_again_in(0, then), None);
    }
}
