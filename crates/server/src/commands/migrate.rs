use clap::Args;
use exit3_ports::{Moved, Rows, Target};

use super::{Failure, prepare, runtime, say};
use crate::backend::Backend;
use crate::settings::Settings;

/// Where to go.
#[derive(Args)]
pub(super) struct Migrate {
    /// The version to go to, up or down; 0 takes everything back. Without it, the newest
    #[arg(long, value_name = "VERSION")]
    to: Option<u64>,
    /// On the way down, drop tables also where they have rows
    #[arg(long, requires = "to")]
    drop_rows: bool,
}

/// Brings the database's schema up to date, or to the version asked for.
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
