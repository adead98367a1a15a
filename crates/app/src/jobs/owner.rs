use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::modules::{self, Switch};

/// A thread that does nothing else for so long is blocked.
const BLOCKED: Duration = Duration::from_secs(1);

/// Who owns work: the service, whose work runs on the runtime of the runner, or a module, whose work
/// runs on a runtime of its own. So a handler that blocks its thread stops no work but that of its
/// module.
#[derive(Clone, Default)]
pub(super) struct Owner(Option<(&'static Switch, Handle)>);

impl Owner {
    /// A module.
    pub(super) fn of(switch: &'static Switch, runtime: Handle) -> Self {
        Self(Some((switch, runtime)))
    }

    /// The name of the module; `None` for the service.
    pub(super) fn module(&self) -> Option<&'static str> {
        self.0.as_ref().map(|(switch, _)| switch.module())
    }

    /// Whether its work is to be done.
    pub(super) fn is_on(&self) -> bool {
        self.0.as_ref().is_none_or(|(switch, _)| switch.is_on())
    }

    /// Does work; `None` if it panicked. If this is dropped, the work is dropped too, by a module as
    /// soon as it lets go of its thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        match &self.0 {
            None => AssertUnwindSafe(work).catch_unwind().await.ok(),
            Some((switch, runtime)) => {
                let mut tasks = JoinSet::new();
                tasks.spawn_on(modules::within(Some(switch), work), runtime);
                tasks.join_next().await?.ok()
            }
        }
    }

    /// Whether work of the module blocks its thread.
    pub(super) async fn is_blocked(&self) -> bool {
        timeout(BLOCKED, self.run(async {})).await.is_err()
    }
}
