//! The state of all subjects of one quota.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

/// The number of separately locked parts.
const PARTS: usize = 64;
/// The most subjects in one part. All subjects beyond it share a single entry.
const MOST: usize = 65_536;
/// The key of the shared entry: an address that nobody has.
const EVERYBODY_ELSE: u64 = u64::MAX;

/// When the quota of each subject will be full again. Trees take half the memory of governor's hash
/// tables, and shrink bit by bit. Clones share the state.
#[derive(Debug, Clone)]
pub(crate) struct Subjects {
    parts: Arc<[Mutex<BTreeMap<u64, Nanos>>]>,
    most: usize,
}

impl Default for Subjects {
    fn default() -> Self {
        Self::with_room(MOST)
    }
}

impl Subjects {
    fn with_room(most: usize) -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect(), most }
    }

    /// Makes the quota of a subject full again earlier by this time.
    pub(crate) fn give_back(&self, subject: u64, time: Nanos) {
        let Some(mut part) = self.part(subject) else { return };
        let key = if part.contains_key(&subject) { subject } else { EVERYBODY_ELSE };
        if let Some(whole_at) = part.get_mut(&key) {
            *whole_at = whole_at.saturating_sub(time);
        }
    }

    fn part(&self, subject: u64) -> Option<MutexGuard<'_, BTreeMap<u64, Nanos>>> {
        // Fibonacci hashing spreads the addresses of one network over all parts.
        let spread = subject.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        self.parts.get(spread as usize % PARTS).map(lock)
    }
}

fn lock(part: &Mutex<BTreeMap<u64, Nanos>>) -> MutexGuard<'_, BTreeMap<u64, Nanos>> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for Subjects {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, subject: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let Some(mut part) = self.part(*subject) else {
            return measure(None).map(|(measured, _)| measured);
        };
        let full = part.len() >= self.most && !part.contains_key(subject);
        let entry = part.entry(if full { EVERYBODY_ELSE } else { *subject });
        let known = match &entry {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(_) => None,
        };
        let (measured, then) = measure(known)?;
        *entry.or_insert(then) = then;
        Ok(measured)
    }
}

impl ShrinkableKeyedStateStore<u64> for Subjects {
    fn retain_recent(&self, drop_below: Nanos) {
        for part in self.parts.iter() {
            lock(part).retain(|_, whole_at| *whole_at > drop_below);
        }
    }

    fn len(&self) -> usize {
        self.parts.iter().map(|part| lock(part).len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come(subjects: &Subjects, subject: u64) -> Option<Nanos> {
        let seen = std::cell::Cell::new(None);
        let _: Result<(), ()> = subjects.measure_and_replace(&subject, |known| {
            seen.set(known);
            Ok(((), Nanos::from(subject + 1)))
        });
        seen.get()
    }

    #[test]
    fn subjects_beyond_the_limit_share_one_entry() {
        let subjects = Subjects::with_room(10);
        for subject in 0..10_000 {
            come(&subjects, subject);
        }
        // Each part has one more entry, the shared one.
        assert!(subjects.len() <= PARTS * 11, "{}", subjects.len());
        assert!(come(&subjects, 10_001).is_some());
        assert_eq!(come(&subjects, 0), Some(Nanos::from(1)));
    }

    #[test]
    fn neighbours_are_spread() {
        let subjects = Subjects::default();
        for subject in 0..6_400 {
            come(&subjects, 0xffff_ffff_0a00_0000 + subject);
            come(&subjects, 0x2001_0db8_0000_0000 + (subject << 16));
        }
        let fullest = subjects.parts.iter().map(|part| lock(part).len()).max();
        assert!(fullest.unwrap() < 400, "{fullest:?}");
    }
}
