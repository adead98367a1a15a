use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::time::sleep;

use super::registry::Round;
use crate::App;

/// Does the work of a round again and again. A panic ends it only for that time, and is logged by
/// the hook of the process.
pub(super) async fn go_on(app: App, round: Round) {
    loop {
        let work = async { (round.run)(app.clone()).await };
        let _ = AssertUnwindSafe(work).catch_unwind().await;
        sleep(round.every).await;
    }
}
