//! Adds the parts of modules to those of the service.

use std::sync::Arc;

use exit3_admin::{Offer, Pages};
use exit3_app::health::ModuleCheck;
use exit3_app::jobs::Registry;
use exit3_http::{OWN, Resources, Served};
use tokio::runtime::Builder;

use super::{Configured, Failure};

/// The resources of the API. Call it once: the list lives as long as the process.
pub(crate) fn resources(modules: &[Configured]) -> Resources {
    if modules.is_empty() {
        return OWN;
    }
    OWN.and(modules.iter().flat_map(|Configured { module, switch, .. }| {
        module
            .resources()
            .iter()
            .map(|resource| Served { resource: *resource, switch: Some(switch) })
    }))
}

/// The pages of the back office. Call it once: the list lives as long as the process.
pub(crate) fn offer(modules: &[Configured]) -> Offer {
    let own = exit3_admin::OWN.iter().copied();
    let pages = modules.iter().flat_map(|Configured { module, switch, .. }| {
        let switched =
            |pages: &Pages| &*Box::leak(Box::new(Pages { switch: Some(switch), ..*pages }));
        module.pages().iter().map(switched).collect::<Vec<_>>()
    });
    Offer::new(own.chain(pages))
}

/// Adds the jobs of all modules, each on a thread of the module. A module that fails is off until the
/// next start.
///
/// # Errors
/// A thread cannot be started.
pub(crate) fn add_jobs(modules: &[Configured], registry: &mut Registry) -> Result<(), Failure> {
    for Configured { module, settings, switch } in modules.iter().filter(|it| it.module.has_jobs())
    {
        let mut thread = Builder::new_multi_thread();
        let thread = thread.worker_threads(1).thread_name(module.name()).enable_all().build()?;
        // It ends with the process.
        let thread = Box::leak(Box::new(thread)).handle().clone();
        let add = |registry: &mut Registry| module.add_jobs(registry, settings);
        let add = || registry.within(switch, thread, add);
        if let Some(Err(error)) = switch.or_break("it added its jobs", add) {
            let (module, reason) = (module.name(), format!("its jobs cannot be added: {error}"));
            tracing::error!("the module {module} is off until the next start: {reason}");
            switch.break_off(reason);
        }
    }
    Ok(())
}

/// The modules whose health is shown.
pub(crate) fn checks(modules: &[Configured]) -> Arc<[ModuleCheck]> {
    let check = |it: &Configured| ModuleCheck { switch: it.switch, ask: it.module.health() };
    modules.iter().map(check).collect()
}
