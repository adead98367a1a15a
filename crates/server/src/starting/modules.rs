//! Turns modules on whose tables are migrated, and migrates those of the others beside the service.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use exit3_app::modules::Switch;
use exit3_ports::{ModuleSchema, Rows, SchemaState, Target};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, sleep, timeout};

use crate::backend::{Backend, turn};
use crate::settings::Settings;
use crate::upgrade::upgrade_module;

/// How long the start waits for the migrations of modules at most. Most take less, so that a first
/// start does not refuse a request.
const MOMENT: Duration = Duration::from_secs(2);
/// The first and the longest pause before the tables of a module are tried again. Each attempt may make
/// a backup.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(6 * 60 * 60));
/// How often to look whether somebody else has migrated them.
const LOOK: Duration = Duration::from_secs(5);

/// A module with tables.
type Tabled = (ModuleSchema, &'static Switch);

/// Turns modules off whose tables are not migrated, and the others on.
pub(super) async fn check(backend: &Backend) {
    for (module, switch) in backend.schemas() {
        turn(switch, obstacle(backend, module).await);
    }
}

/// Migrates the tables of modules if the settings allow it, and turns each module on when its tables
/// are there. Waits at most for a moment, and not longer than `patience`: a module whose migration
/// takes longer is off meanwhile, and the service does not wait for it.
pub(super) async fn bring_up(settings: &Arc<Settings>, backend: &Backend, patience: Duration) {
    let (mut waiting, mut current) = (Vec::new(), Vec::new());
    for (module, switch) in backend.schemas() {
        let obstacle = obstacle(backend, module).await;
        match obstacle {
            Some(_) => waiting.push((module, switch)),
            None => current.push(module),
        }
        if settings.auto_migrate && obstacle.is_some() {
            // This is no failure yet, so it is not logged.
            switch.turn_off("its tables are being migrated");
        } else {
            turn(switch, obstacle);
        }
    }
    if settings.auto_migrate {
        define(backend, current).await;
    }
    if waiting.is_empty() {
        return;
    }
    let (tried, mut attempts) = mpsc::channel(waiting.len());
    if let Err(error) = begin(settings, backend, waiting.clone(), tried) {
        tracing::error!(%error, "modules stay off, because there is no thread to migrate them");
        return;
    }
    if settings.auto_migrate {
        let all_tried = async {
            for _ in &waiting {
                attempts.recv().await;
            }
        };
        let _ = timeout(MOMENT.min(patience), all_tried).await;
        for (module, switch) in waiting.iter().filter(|(_, switch)| !switch.is_on()) {
            let cost = if settings.database.is_embedded() {
                ", and writes are refused meanwhile"
            } else {
                ""
            };
            tracing::warn!(
                reason = switch.off().as_deref(),
                "serving without the module {} until its tables are migrated{cost}",
                module.module
            );
        }
    }
}

/// Tries all modules at once, on a thread that ends when all of them are on, or with the process.
fn begin(
    settings: &Arc<Settings>,
    backend: &Backend,
    modules: Vec<Tabled>,
    tried: Sender<()>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (settings, backend) = (Arc::clone(settings), backend.clone());
    let work = move || {
        let each = modules.into_iter();
        let each = each.map(|module| persist(&settings, &backend, module, tried.clone()));
        runtime.block_on(join_all(each.collect::<Vec<_>>()));
    };
    std::thread::Builder::new().name("modules".to_owned()).spawn(work).map(drop)
}

/// Records the definitions of tables without new migrations, which may have changed: programs without
/// the module erase people and make backups by them.
async fn define(backend: &Backend, modules: Vec<ModuleSchema>) {
    for module in modules {
        let defined = backend.migrate_module(module, Target::Newest, Rows::Keep);
        let failure = match timeout(MOMENT, defined).await {
            Ok(Ok(_)) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the database did not answer in time".to_owned(),
        };
        let module = module.module;
        tracing::warn!("the tables of the module {module} could not be recorded: {failure}");
    }
}

/// Tries until the tables of a module are migrated. Sends to `tried` after each attempt.
async fn persist(
    settings: &Settings,
    backend: &Backend,
    (module, switch): Tabled,
    tried: Sender<()>,
) {
    let mut pause = PAUSES.0;
    loop {
        let failed = if settings.auto_migrate {
            let upgrade = AssertUnwindSafe(upgrade_module(settings, backend, module));
            match upgrade.catch_unwind().await {
                Ok(upgraded) => upgraded.err().map(|error| error.to_string()),
                // The panic hook has logged it.
                Err(_) => Some("its migration panicked".to_owned()),
            }
        } else {
            obstacle(backend, module).await
        };
        let mut is_done = failed.is_none();
        turn(switch, failed);
        // Nobody listens after the first attempt.
        let _ = tried.try_send(());
        let next = Instant::now() + pause;
        while !is_done && Instant::now() < next {
            sleep(LOOK).await;
            is_done = obstacle(backend, module).await.is_none();
        }
        if is_done {
            turn(switch, None);
            return;
        }
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Why a module cannot be on.
async fn obstacle(backend: &Backend, module: ModuleSchema) -> Option<String> {
    match backend.module_state(module).await {
        Ok(SchemaState::Current) => None,
        Ok(_) => Some("its tables are not migrated: run `exit3 migrate`".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
