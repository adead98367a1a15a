use clap::Args;
use exit3_app::events;
use exit3_ports::{Moved, Rows, SchemaState, Target};

use super::{Failure, prepare, runtime, say};
use crate::backend::Backend;
use crate::settings::Settings;

/// The target of a migration.
#[derive(Args)]
pub(super) struct Migrate {
    /// The version to migrate to, up or down; 0 removes everything. The newest by default
    #[arg(long, value_name = "VERSION")]
    to: Option<u64>,
    /// Migrates the tables of this module alone
    #[arg(long, value_name = "MODULE")]
    module: Option<String>,
    /// On the way down, drop tables even if they have rows
    #[arg(long, requires = "to")]
    drop_rows: bool,
}

/// Migrates the database's schema to the newest version, or to the requested one.
pub(super) fn migrate(settings: &Settings, wanted: &Migrate) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    prepare::writable(&backend)?;
    let target = wanted.to.map_or(Target::Newest, Target::Version);
    let rows = if wanted.drop_rows { Rows::Drop } else { Rows::Keep };
    let database = backend.describe();
    let moving = async {
        let Some(name) = &wanted.module else {
            let mut moved = backend.migrate_to(target, rows).await?;
            if matches!(target, Target::Newest) {
                moved.up += backend.migrate_modules().await;
            }
            return Ok(moved);
        };
        let Some(module) = backend.module(name) else { return Err(no_module(settings, name)) };
        if target != Target::Version(0) {
            // The migrations of modules come after ours.
            prepare::schema(settings, &backend).await?;
        }
        let moved = backend.migrate_module(module, target, rows).await?;
        // Without its tables, the module is gone, and nobody reads the events that are kept for it.
        if target == Target::Version(0) && backend.schema_state().await? == SchemaState::Current {
            for consumer in events::forget_module(&backend.patient_app(), name).await? {
                say(format_args!("No events are kept for the consumer {consumer} any more."));
            }
        }
        Ok(moved)
    };
    let Moved { up, down } = runtime()?.block_on(moving)?;
    if let Some(module) = settings.modules.iter().find(|it| !it.switch.is_on()) {
        let (name, reason) = (module.switch.module(), module.switch.off().unwrap_or_default());
        return Err(format!("the module {name} is not migrated: {reason}").into());
    }
    if up > 0 {
        say(format_args!("{database}: {} applied", migrations(up)));
    }
    if down > 0 {
        say(format_args!("{database}: {} taken back", migrations(down)));
    }
    if up + down == 0 {
        match target {
            Target::Newest => say(format_args!("{database} is up to date")),
            Target::Version(version) => say(format_args!("{database} is at {version} already")),
        }
    }
    Ok(())
}

fn no_module(settings: &Settings, name: &str) -> Failure {
    let known = settings.modules.iter().filter(|it| it.module.schema().is_some());
    let known: Vec<_> = known.map(|it| it.module.name()).collect();
    let has = if known.is_empty() { "no module with tables".to_owned() } else { known.join(", ") };
    format!("there is no module {name} with tables in this program; it has {has}").into()
}

fn migrations(number: usize) -> String {
    if number == 1 { "1 migration".to_owned() } else { format!("{number} migrations") }
}
