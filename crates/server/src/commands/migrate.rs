use clap::Args;
use exit3_ports::{Moved, Rows, Target};

use super::{Failure, prepare, runtime, say};
use crate::backend::Backend;
use crate::settings::Settings;

/// The target of a migration.
#[derive(Args)]
pub(super) struct Migrate {
    /// The version to migrate to, up or down; 0 removes everything. The newest by default
    #[arg(long, value_name = "VERSION")]
    to: Option<u64>,
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
    let Moved { up, down } = runtime()?.block_on(backend.migrate_to(target, rows))?;
    let database = backend.describe();
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

fn migrations(number: usize) -> String {
    if number == 1 { "1 migration".to_owned() } else { format!("{number} migrations") }
}
