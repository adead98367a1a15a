//! How much time has certainly passed. What is old is removed, and a clock that leaps ahead would make
//! everything old. So the clock alone is not believed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_ports::StoreError;

use crate::App;

/// How old an event must be to prove that its time was the true one. A clock that was wrong for a
/// shorter time has removed nothing; after a longer time, somebody has noticed.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// The time until which at least time has passed, if anything proves it: that of the last event that
/// is a week old, and one week on. It is never later than the clocks of the node and of the database.
///
/// If nothing changes for long, it stands still, so that old rows stay a little longer. An event that
/// a wrong clock has written proves nothing as soon as another one was stored after it.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub(crate) async fn until(app: &App) -> Result<Option<DateTime<Utc>>, StoreError> {
    let proof = app.repositories()?.events.last_older_than(WEEK).await?;
    let week = TimeDelta::from_std(WEEK).unwrap_or_default();
    let passed = proof.and_then(|proof| proof.checked_add_signed(week));
    Ok(passed.map(|passed| passed.min(app.clock.now())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, now};

    #[tokio::test]
    async fn a_clock_alone_proves_nothing() {
        let week = TimeDelta::days(7);
        for (proof, expected) in [
            // Events are stored all the time.
            (Some(now() - week), Some(now())),
            // The clock of the node has leaped ahead, or nothing was changed for years.
            (Some(now() - TimeDelta::days(3650)), Some(now() - TimeDelta::days(3643))),
            // The clock of the database has leaped ahead.
            (Some(now() + TimeDelta::days(3650)), Some(now())),
            (Some(DateTime::<Utc>::MAX_UTC), None),
            (None, None),
        ] {
            let mut mocks = Mocks::new();
            let events = &mut mocks.repositories.events;
            events.expect_last_older_than().times(1).return_once(move |age| {
                assert_eq!(age, WEEK);
                Ok(proof)
            });
            assert_eq!(until(&mocks.into_app()).await.unwrap(), expected, "{proof:?}");
        }
    }
}
