use std::sync::Arc;

use tokio::time::sleep;

use super::owner::Work;
use super::registry::Round;
use crate::App;

/// Does the work of a round again and again, but not while its module is off. A panic ends it only for
/// that time, and is logged by the hook of the process.
pub(super) async fn go_on(app: App, round: Round) {
    let Round { consumer, every, run, owner } = round;
    loop {
        if owner.is_on() {
            let (run, app) = (Arc::clone(&run), app.clone());
            let what = consumer.map_or(Work::Round, Work::Consumer);
            let done = owner.run(what, async move { run(app).await }).await;
            if let (None, Some(module)) = (done, owner.module()) {
                tracing::error!(module, consumer, "work that a module does on each node panicked");
            }
        }
        sleep(every).await;
    }
}
