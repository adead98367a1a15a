use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{JobFailure, Payload};
use crate::App;

/// How long jobs that failed or were cancelled are kept: 90 days.
const KEEP: Duration = Duration::from_secs(90 * 86_400);
/// How many are deleted with one statement.
const STEP: u32 = 500;

/// The job that deletes jobs that ended long ago.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RemoveEnded {}

impl Payload for RemoveEnded {
    const KIND: &'static str = "jobs.remove_ended";
}

/// Deletes jobs that failed or were cancelled more than 90 days ago, in small steps.
///
/// Jobs that are already deleted are not found again, so running it twice does no harm.
///
/// # Errors
/// The database is unavailable.
pub async fn remove_ended(app: App, _: RemoveEnded) -> Result<(), JobFailure> {
    let queue = &app.repositories()?.jobs;
    while queue.remove_ended(KEEP, STEP).await? >= u64::from(STEP) {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Mocks;

    #[tokio::test]
    async fn goes_on_until_none_is_left() {
        let mut mocks = Mocks::new();
        let queue = &mut mocks.repositories.jobs;
        queue.expect_remove_ended().times(2).returning(|_, most| Ok(most.into()));
        queue.expect_remove_ended().times(1).returning(|_, _| Ok(7));
        remove_ended(mocks.into_app(), RemoveEnded {}).await.unwrap();
    }
}
