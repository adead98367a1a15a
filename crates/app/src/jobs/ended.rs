use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{JobFailure, Payload};
use crate::{App, passed};

/// How long jobs that failed or were cancelled are kept: 90 days.
const KEEP: TimeDelta = TimeDelta::days(90);
/// How many are deleted with one statement.
const STEP: u32 = 500;

/// The job that deletes jobs that ended long ago.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RemoveEnded {}

impl Payload for RemoveEnded {
    const KIND: &'static str = "jobs.remove_ended";
}

/// Deletes jobs that failed or were cancelled more than 90 days ago, in small steps. A clock that leaps ahead
/// makes none of them old: only time that has certainly passed counts.
///
/// Jobs that are already deleted are not found again, so running it twice does no harm.
///
/// # Errors
/// The database is unavailable.
pub async fn remove_ended(app: App, _: RemoveEnded) -> Result<(), JobFailure> {
    let passed = passed::until(&app).await?;
    let Some(end) = passed.and_then(|passed| passed.checked_sub_signed(KEEP)) else {
        return Ok(());
    };
    let queue = &app.repositories()?.jobs;
    while queue.remove_ended(end, STEP).await? >= u64::from(STEP) {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, now};

    #[tokio::test]
    async fn goes_on_until_none_is_left() {
        let mut mocks = Mocks::new();
        let last = now() - TimeDelta::days(3650);
        mocks.repositories.events.expect_last_older_than().returning(move |_| Ok(Some(last)));
        let queue = &mut mocks.repositories.jobs;
        let is_old = move |at: &_, _: &u32| *at == last - TimeDelta::days(83);
        queue.expect_remove_ended().times(2).withf(is_old).returning(|_, most| Ok(most.into()));
        queue.expect_remove_ended().times(1).returning(|_, _| Ok(7));
        remove_ended(mocks.into_app(), RemoveEnded {}).await.unwrap();
    }

    #[tokio::test]
    async fn nothing_is_removed_if_no_event_proves_that_time_has_passed() {
        let mut mocks = Mocks::new();
        mocks.repositories.events.expect_last_older_than().returning(|_| Ok(None));
        mocks.repositories.jobs.expect_remove_ended().never();
        remove_ended(mocks.into_app(), RemoveEnded {}).await.unwrap();
    }
}
