//! Removes events of long ago.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::jobs::{JobFailure, Payload};
use crate::{App, passed};

/// How many are removed with one statement.
const STEP: u32 = 500;

/// The job that removes events that are older than a number of days.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemoveOld {
    /// How long events are kept, in days.
    pub days: u32,
}

impl Payload for RemoveOld {
    const KIND: &'static str = "events.remove_old";
}

/// Removes old events in small steps, so that others need not wait. A clock that leaps ahead makes no
/// event old: only time that has certainly passed counts.
///
/// Events that are already removed are not found again, so running it twice does no harm.
///
/// # Errors
/// The database is unavailable.
pub async fn remove_old(app: App, job: RemoveOld) -> Result<(), JobFailure> {
    let age = TimeDelta::try_days(job.days.into());
    let passed = passed::until(&app).await?;
    let Some(end) = passed.zip(age).and_then(|(passed, age)| passed.checked_sub_signed(age)) else {
        return Ok(());
    };
    let events = &app.repositories()?.events;
    while events.remove_before(end, STEP).await? >= u64::from(STEP) {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, now};

    #[tokio::test]
    async fn goes_on_until_none_is_left() {
        let mut mocks = Mocks::new();
        let events = &mut mocks.repositories.events;
        events.expect_last_older_than().returning(|_| Ok(Some(now() - TimeDelta::days(7))));
        let is_day_before = |at: &_, _: &u32| *at == now() - TimeDelta::days(1);
        events
            .expect_remove_before()
            .times(2)
            .withf(is_day_before)
            .returning(|_, most| Ok(most.into()));
        events.expect_remove_before().times(1).returning(|_, _| Ok(7));
        remove_old(mocks.into_app(), RemoveOld { days: 1 }).await.unwrap();
    }

    #[tokio::test]
    async fn more_days_than_there_were_remove_nothing() {
        let mut mocks = Mocks::new();
        let events = &mut mocks.repositories.events;
        events.expect_last_older_than().returning(|_| Ok(Some(now() - TimeDelta::days(7))));
        events.expect_remove_before().never();
        remove_old(mocks.into_app(), RemoveOld { days: u32::MAX }).await.unwrap();
    }

    #[tokio::test]
    async fn only_time_that_has_certainly_passed_counts() {
        let last = now() - TimeDelta::days(3650);
        for (proof, expected) in [(Some(last), Some(last - TimeDelta::days(23))), (None, None)] {
            let mut mocks = Mocks::new();
            let events = &mut mocks.repositories.events;
            events.expect_last_older_than().returning(move |_| Ok(proof));
            events
                .expect_remove_before()
                .times(usize::from(expected.is_some()))
                .withf(move |at, _| Some(*at) == expected)
                .returning(|_, _| Ok(0));
            remove_old(mocks.into_app(), RemoveOld { days: 30 }).await.unwrap();
        }
    }
}
