use clap::Args;
use exit3_ports::with_causes;
use tokio::runtime::Handle;

use super::{Failure, runtime, say, whisper};
use crate::backend::Backend;
use crate::jobs;
use crate::settings::{Arguments, DatabaseSettings, Secrets, Settings, findings};

/// What to check.
#[derive(Args)]
pub(super) struct Check {
    /// Also reports settings that are unsafe in production
    #[arg(long)]
    deploy: bool,
}

/// Checks that a service would start with these settings and could work, without creating anything.
/// Each setting has been parsed before.
pub(super) fn check(
    settings: &Settings,
    arguments: &Arguments,
    check: &Check,
) -> Result<(), Failure> {
    jobs::registry(settings)?;
    if let Some(module) = settings.modules.iter().find(|it| it.switch.is_broken()) {
        let (name, reason) = (module.module.name(), module.switch.off().unwrap_or_default());
        return Err(format!("the module {name} would be off: {reason}").into());
    }
    Secrets::look(settings, arguments)?;
    if let Some(files) = &settings.tls {
        files.check()?;
    }
    look_at_database(settings)?;
    let found = if check.deploy { findings(arguments, settings) } else { Vec::new() };
    for finding in &found {
        let weight = if finding.dangerous { "danger" } else { "warning" };
        say(format_args!("{weight}: {finding}"));
    }
    let of_database = if check.deploy { ask_database(settings)? } else { Vec::new() };
    for problem in &of_database {
        say(format_args!("danger: {problem}"));
    }
    match found.len() + of_database.len() {
        0 => {
            say(format_args!("The settings are fine."));
            Ok(())
        }
        1 => Err("1 setting is unsafe for production".into()),
        count => Err(format!("{count} settings are unsafe for production").into()),
    }
}

/// Unsafe settings of the database server, if there is one.
fn ask_database(settings: &Settings) -> Result<Vec<String>, Failure> {
    if settings.database.is_embedded() {
        return Ok(Vec::new());
    }
    let backend = Backend::open(settings)?;
    let careless = runtime()?.block_on(backend.careless_settings());
    let careless = careless.unwrap_or_else(|error| {
        whisper(format_args!("The settings of the database could not be read: {error}"));
        Vec::new()
    });
    let problem = |name: String| {
        format!(
            "{name} is off on the database's server, so a power cut could ruin the database; \
             set it to on in postgresql.conf"
        )
    };
    Ok(careless.into_iter().map(problem).collect())
}

/// Checks that PostgreSQL provides what the service needs. An unavailable database passes, because
/// a service starts without it, and so does a missing schema, because migrations create it.
fn look_at_database(settings: &Settings) -> Result<(), Failure> {
    let DatabaseSettings::Postgres(database) = &settings.database else {
        return Ok(());
    };
    runtime()?.block_on(async {
        let database = exit3_postgres::connect(database, Handle::current());
        if let Err(unfit) = database.check_fitness().await {
            return Err(format!("{}: {unfit}", database.describe()).into());
        }
        let health = database.repositories().health;
        let schema = health.schema_is_current().await;
        let obstacle = match schema {
            Ok(false) => Ok(None),
            _ => health.obstacle().await,
        };
        match (schema, obstacle) {
            (_, Ok(Some(obstacle))) => Err(format!("{}: {obstacle}", database.describe()).into()),
            (Err(error), _) | (_, Err(error)) => {
                let (place, why) = (database.describe(), with_causes(&error));
                whisper(format_args!("{place} could not be checked: {why}"));
                Ok(())
            }
            (Ok(_), Ok(None)) => Ok(()),
        }
    })
}
