use chrono::{DateTime, TimeDelta, Utc};
use exit3_ports::BackupStatus;
use serde::{Deserialize, Serialize};

use super::status;
use crate::App;
use crate::jobs::{JobFailure, Payload};

/// How old the last backup may be: one per night, and two hours for making it.
const BACKUP: TimeDelta = TimeDelta::hours(26);
/// How old the last verification may be.
const VERIFICATION: TimeDelta = TimeDelta::hours(50);

/// The job that checks the backups.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CheckBackups {}

impl Payload for CheckBackups {
    const KIND: &'static str = "backups.check";
}

/// Warns in the log about backups that are old or cannot be restored. A database that was never
/// backed up is not mentioned: it may not be worth it.
///
/// It only reads, so running it twice only repeats the warnings.
///
/// # Errors
/// The state of the backups cannot be read.
pub async fn check(app: App, _: CheckBackups) -> Result<(), JobFailure> {
    for warning in warnings(&status(&app).await?, app.clock.now()) {
        tracing::warn!("{warning}");
    }
    Ok(())
}

fn warnings(status: &BackupStatus, now: DateTime<Utc>) -> Vec<String> {
    let mut warnings = Vec::new();
    let is_old = |at: DateTime<Utc>, limit: TimeDelta| now - at > limit;
    if let Some(at) = status.backed_up_at.filter(|at| is_old(*at, BACKUP)) {
        warnings.push(format!("the last backup is too old: it was made at {at:?}"));
    }
    if status.verification_ok == Some(false) {
        warnings.push("the last verification of a backup failed".to_owned());
    }
    if let Some(at) = status.verified_at.filter(|at| is_old(*at, VERIFICATION)) {
        warnings.push(format!("no backup was verified since {at:?}"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, away, now};

    fn told(backup: i64, verified: i64, verification_ok: Option<bool>) -> Vec<String> {
        let status = BackupStatus {
            backed_up_at: Some(now() - TimeDelta::hours(backup)),
            verified_at: Some(now() - TimeDelta::hours(verified)),
            verification_ok,
        };
        warnings(&status, now())
    }

    #[test]
    fn old_and_broken_backups_are_reported() {
        assert_eq!(told(26, 50, Some(true)), [""; 0]);
        assert_eq!(told(-1, -1, Some(true)), [""; 0]);
        let old = "the last backup is too old: it was made at 2026-09-20T11:13:20.000001Z";
        assert_eq!(told(27, 0, None), [old]);
        assert_eq!(told(0, 0, Some(false)), ["the last verification of a backup failed"]);
        let unverified = "no backup was verified since 2026-09-19T11:13:20.000001Z";
        assert_eq!(told(0, 51, Some(true)), [unverified]);
        assert_eq!(told(27, 51, Some(false)).len(), 3);
    }

    #[test]
    fn a_database_without_backups_is_not_reported() {
        assert_eq!(warnings(&BackupStatus::default(), now()), [""; 0]);
    }

    #[tokio::test]
    async fn fails_while_the_database_is_away() {
        let mut mocks = Mocks::new();
        mocks.repositories.backups.expect_status().times(1).returning(|| Err(away()));
        let failed = check(mocks.into_app(), CheckBackups {}).await;
        assert!(matches!(failed, Err(JobFailure::Again(_))), "{failed:?}");
    }
}
