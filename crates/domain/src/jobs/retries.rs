use std::time::Duration;

/// How often a job is tried, and how long it waits between two attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The most attempts. Then the job is given up.
    pub attempts: u32,
    /// The wait after the first attempt. It doubles after each further one.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Retries {
    /// How long a job waits after its attempt number `attempts`; `None` if it is given up.
    ///
    /// `random` is a random number from 0 to 1. It shortens the wait by up to a half, so that jobs
    /// that have failed together do not come back together.
    pub fn wait_after(&self, attempts: u32, random: f64) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let doublings = attempts.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let wait = self.first.saturating_mul(factor).min(self.longest);
        let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.0 };
        Some(wait.mul_f64(1.0 - random / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RETRIES: Retries =
        Retries { attempts: 5, first: Duration::from_secs(10), longest: Duration::from_secs(60) };

    #[test]
    fn the_wait_doubles_up_to_the_longest_and_then_the_job_is_given_up() {
        let waits = [1, 2, 3, 4, 5, 6].map(|attempts| RETRIES.wait_after(attempts, 0.0));
        assert_eq!(waits, [Some(10), Some(20), Some(40), Some(60), None, None].map(seconds));
        // A job that is failed before its first attempt was counted.
        assert_eq!(RETRIES.wait_after(0, 0.0), seconds(Some(10)));
    }

    #[test]
    fn jitter_shortens_the_wait_by_up_to_a_half() {
        assert_eq!(RETRIES.wait_after(2, 1.0), seconds(Some(10)));
        assert_eq!(RETRIES.wait_after(2, 0.5), seconds(Some(15)));
    }

    #[test]
    fn a_single_attempt_is_never_repeated() {
        assert_eq!(Retries { attempts: 1, ..RETRIES }.wait_after(1, 0.0), None);
    }

    fn seconds(seconds: Option<u64>) -> Option<Duration> {
        seconds.map(Duration::from_secs)
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_longest_or_shorter_than_half_of_the_first(
            attempts in 0_u32.., most in 1_u32.., first in 1_u64..100_000, random in any::<f64>(),
        ) {
            let first = Duration::from_millis(first);
            let longest = Duration::from_secs(86_400);
            let retries = Retries { attempts: most, first, longest };
            match retries.wait_after(attempts, random) {
                None => prop_assert!(attempts >= most),
                Some(wait) => prop_assert!(first / 2 <= wait && wait <= longest, "{wait:?}"),
            }
        }
    }
}
