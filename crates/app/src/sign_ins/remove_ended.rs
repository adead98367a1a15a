use serde::{Deserialize, Serialize};

use crate::App;
use crate::jobs::{JobFailure, Payload};

/// How many are removed with one statement.
const STEP: u32 = 500;

/// The job that removes sign-ins and invitations that have ended.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RemoveEndedSignIns {}

impl Payload for RemoveEndedSignIns {
    const KIND: &'static str = "sign_ins.remove_ended";
}

/// Removes sign-ins and invitations that have ended, in small steps.
///
/// Those that are already removed are not found again, so running it twice does no harm.
///
/// # Errors
/// The database is unavailable.
pub async fn remove_ended(app: App, _: RemoveEndedSignIns) -> Result<(), JobFailure> {
    let now = app.clock.now();
    let Some(seen) = now.checked_sub_signed(app.entrance.idle) else { return Ok(()) };
    let sign_ins = &app.repositories()?.sign_ins;
    while sign_ins.remove_ended(now, seen, STEP).await? >= u64::from(STEP) {}
    Ok(())
}
