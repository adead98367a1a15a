//! What sign-ins need besides the ports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use exit3_domain::staff::{NotHashed, PasswordHash, SALT, Verified};
use exit3_ports::StoreError;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Fills bytes with unpredictable ones.
pub type Random = fn(&mut [u8]);

/// How many passwords are hashed at the same time. Each one takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// How long a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// The least time after which a wrong password is refused.
const LEAST: Duration = Duration::from_millis(500);
/// The most time after which a wrong password is refused, even if a check took longer.
const MOST: Duration = Duration::from_secs(5);

/// A hash that no password matches, with the costs of new ones.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How long sign-ins last, and where passwords are hashed. All workers of a process share one.
#[derive(Debug)]
pub struct Entrance {
    /// A sign-in ends when it is not used for this time.
    pub idle: TimeDelta,
    /// A sign-in ends after this time in any case.
    pub longest: TimeDelta,
    random: Random,
    turns: Arc<Semaphore>,
    /// The time of the longest check of a password so far, in microseconds.
    slowest: AtomicU64,
}

impl Entrance {
    /// An entrance with these limits and this source of randomness.
    pub fn new(idle: TimeDelta, longest: TimeDelta, random: Random) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { idle, longest, random, turns, slowest: AtomicU64::new(0) }
    }

    /// Unpredictable bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    /// Hashes a password on a thread that may block.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if too many others wait; [`StoreError::Other`] if memory ran out.
    pub async fn hash(&self, password: &str) -> Result<PasswordHash, StoreError> {
        let (password, salt) = (password.to_owned(), self.random::<SALT>());
        let hashed: Result<_, NotHashed> =
            self.in_turn(move || PasswordHash::of(&password, &salt)).await?;
        hashed.map_err(|error| StoreError::Other(Box::new(error)))
    }

    /// Checks a password on a thread that may block; `None` if it is wrong. Without a hash, the
    /// password is compared with that of nobody.
    ///
    /// The answer to a wrong password takes the same time for each hash, so that nobody learns which
    /// names exist: hashes of Django take longer than new ones. The time is that of the longest
    /// check so far, and at least half a second.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if too many others wait.
    pub(super) async fn verify(
        &self,
        hash: Option<&PasswordHash>,
        password: &str,
    ) -> Result<Option<Verified>, StoreError> {
        let nobody = || PasswordHash::kept(NOBODY.to_owned());
        let (hash, password) = (hash.cloned().unwrap_or_else(nobody), password.to_owned());
        let (verified, took) = self
            .in_turn(move || {
                let begun = Instant::now();
                (hash.verify(&password), begun.elapsed())
            })
            .await?;
        let micros = u64::try_from(took.min(MOST).as_micros()).unwrap_or_default();
        let slowest = self.slowest.fetch_max(micros, Ordering::Relaxed).max(micros);
        if verified.is_none() {
            sleep(rest(took, Duration::from_micros(slowest))).await;
        }
        Ok(verified)
    }

    /// Runs work on a thread that may block, with few others at the same time.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let busy = || StoreError::Unavailable("too many passwords are checked at once".into());
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        // The work keeps its turn until its end, even if the caller goes away.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|error| StoreError::Other(Box::new(error)))
    }
}

/// How long a wrong password waits for its answer, after a check that took this time.
fn rest(took: Duration, slowest: Duration) -> Duration {
    slowest.max(LEAST).saturating_sub(took)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn entrance() -> Arc<Entrance> {
        Arc::new(Entrance::new(TimeDelta::hours(1), TimeDelta::days(1), |bytes| bytes.fill(9)))
    }

    #[test]
    fn wrong_passwords_take_the_same_time_for_each_hash() {
        let millis = Duration::from_millis;
        for (slowest, whole) in [(30, 500), (499, 500), (800, 800), (4_000, 4_000)] {
            for took in [1, 30, 300, 800, 4_000] {
                if took <= slowest {
                    assert_eq!(millis(took) + rest(millis(took), millis(slowest)), millis(whole));
                }
            }
        }
        assert_eq!(rest(MOST * 2, MOST), Duration::ZERO);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn few_passwords_are_hashed_at_once() {
        let (entrance, inside) = (entrance(), Arc::new(AtomicUsize::new(0)));
        let most = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let (entrance, inside, most) =
                (Arc::clone(&entrance), Arc::clone(&inside), Arc::clone(&most));
            tasks.spawn(async move {
                let work = move || {
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                };
                entrance.in_turn(work).await.unwrap();
            });
        }
        tasks.join_all().await;
        assert!(most.load(Ordering::SeqCst) <= AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_for_a_turn_is_refused() {
        let entrance = entrance();
        let turns = Arc::clone(&entrance.turns).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        let outcome = entrance.hash("plavi konj trci").await;
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        drop(turns);
        assert!(entrance.hash("plavi konj trci").await.is_ok());
    }

    #[test]
    fn the_hash_of_nobody_costs_as_much_as_a_new_one_and_matches_nothing() {
        let new = PasswordHash::of("plavi konj trci", &[7; SALT]).unwrap();
        let costs = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(costs(NOBODY), costs(new.as_str()));
        assert_eq!(NOBODY.len(), new.as_str().len());
        assert_eq!(PasswordHash::kept(NOBODY.to_owned()).verify("plavi konj trci"), None);
    }
}
