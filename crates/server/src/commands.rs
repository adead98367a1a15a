//! The command line.

mod api_key;
mod asking;
mod backup;
mod check;
mod diff_django;
mod erase;
mod healthcheck;
mod import_django;
mod jobs;
mod migrate;
mod password;
mod prepare;
mod probe;
mod promote;
mod restore;
mod seed;
mod serve;
mod spool;
mod staff;
mod table;
mod verify_backup;

use std::ffi::OsString;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use exit3_app::modules::Switch;
use futures_util::FutureExt;

use crate::backend::Backend;
use crate::backup_store::{self, BackupStoreError};
use crate::module::{self, Attached, Configured};
use crate::ownership;
use crate::settings::{Arguments, Settings, fill_in, findings, given, names};
use crate::signals::command_stops;
use crate::telemetry;
use crate::variables::{self, Variables};

pub(crate) use crate::module::Failure;

/// Exit Three's backend: leads and newsletter sign-ups over HTTP
#[derive(Parser)]
#[command(name = "exit3", version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the API (the default)
    Serve,
    /// Migrates the database's schema to the newest version, or to an older one
    Migrate(migrate::Migrate),
    /// Creates, lists and revokes API keys
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Creates, lists and changes accounts of staff
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Lists background jobs, tries them again, and cancels them
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Lists, stores and exports what waits on this node because the database was away
    #[command(subcommand)]
    Spool(spool::SpoolCommand),
    /// Checks the settings
    Check(check::Check),
    /// Checks whether the service at HOST and PORT is ready
    Healthcheck(healthcheck::Healthcheck),
    /// Creates a marked lead and a marked sign-up at a service, reads them, and removes them
    Probe(probe::Probe),
    /// Writes all data to an archive, while the service runs
    Backup(backup::Backup),
    /// Restores an archive into the database
    Restore(restore::Restore),
    /// Restores a backup into a temporary database and compares them
    VerifyBackup(verify_backup::VerifyBackup),
    /// Moves from the embedded database to PostgreSQL
    Promote(promote::Promote),
    /// Imports all data from the Django service's database; can be repeated
    ImportDjango(import_django::ImportDjango),
    /// Sends the same requests to the Django service and to this one, and reports differences
    DiffDjango(diff_django::DiffDjango),
    /// Removes a person: leads, subscriptions, and their values in events
    Erase(erase::Erase),
    /// Fills the database with invented leads and subscribers
    SeedDemo(seed::SeedDemo),
}

/// A command line that was understood.
struct Line {
    chosen: Chosen,
    arguments: Arguments,
    modules: Vec<Configured>,
}

/// The command that was asked for.
enum Chosen {
    Own(Command),
    /// That of a module, with what was given to it.
    Module(Configured, ArgMatches),
}

/// Runs the command that `arguments` (including the program's name) ask for. A failure is printed
/// as one sentence on standard error.
pub(crate) fn run(
    modules: &[Arc<dyn Attached>],
    arguments: impl IntoIterator<Item = OsString>,
) -> ExitCode {
    let outcome = read(modules, arguments).and_then(|line| match line {
        Ok(line) => execute(line),
        // Help and version are not failures.
        Err(error) if !error.use_stderr() => Ok(error.print()?),
        Err(error) => {
            let text = error.to_string();
            // clap lists missing arguments one per line, before the usage.
            let lines: Vec<&str> =
                text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            let sentence = lines.join(" ");
            Err(sentence.strip_prefix("error: ").unwrap_or(&sentence).into())
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            whisper(format_args!("exit3: {failure}"));
            exit_code(&failure)
        }
    }
}

/// Parses the command line, together with the environment and `.env`.
fn read(
    modules: &[Arc<dyn Attached>],
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Result<Line, clap::Error>, Failure> {
    let command = CommandLine::command();
    module::check(modules, &command)?;
    let mut command = modules.iter().fold(command, |line, module| module.augment(line));
    if modules.iter().any(|module| !module.resources().is_empty()) {
        command = api_key::explain_scopes(command, modules);
    }
    let settings = names(&command);
    let arguments = variables::trim_options(arguments, &settings)?;
    let variables = Variables::read(&settings)?;
    variables::publish(&variables);
    let matches = fill_in(command, &variables)?.try_get_matches_from_mut(arguments);
    Ok(matches.and_then(|matches| {
        let modules = configured(modules, &matches)?;
        let its = |name: &str| modules.iter().find(|it| it.module.name() == name).cloned();
        let of_module = matches.subcommand().and_then(|(name, its_own)| {
            Some(Chosen::Module(its(name).filter(|it| it.module.has_command())?, its_own.clone()))
        });
        let (chosen, mut arguments) = match of_module {
            Some(chosen) => (chosen, Arguments::from_arg_matches(&matches)?),
            None => {
                let line = CommandLine::from_arg_matches(&matches)?;
                (Chosen::Own(line.command.unwrap_or(Command::Serve)), line.arguments)
            }
        };
        arguments.given = given(&settings, &matches, &variables);
        arguments.variables = variables;
        Ok(Line { chosen, arguments, modules })
    }))
}

/// The modules with their settings.
fn configured(
    modules: &[Arc<dyn Attached>],
    matches: &ArgMatches,
) -> Result<Vec<Configured>, clap::Error> {
    let read = |module: &Arc<dyn Attached>| {
        // It lives as long as the process.
        let switch = Box::leak(Box::new(Switch::of(module.name())));
        Ok(Configured { settings: module.read(matches)?, module: Arc::clone(module), switch })
    };
    modules.iter().map(read).collect()
}

/// The exit code; it tells a missing backup, a bad one and other failures apart.
fn exit_code(failure: &Failure) -> ExitCode {
    match failure.downcast_ref() {
        Some(BackupStoreError::Empty(_)) => ExitCode::from(3),
        Some(BackupStoreError::NoneCounts { .. }) => ExitCode::from(4),
        _ => ExitCode::FAILURE,
    }
}

fn execute(line: Line) -> Result<(), Failure> {
    let Line { chosen, arguments, modules } = line;
    match &chosen {
        // These commands work over the network: they need neither a database nor a directory.
        Chosen::Own(Command::Healthcheck(what)) => {
            return healthcheck::healthcheck(&arguments, what);
        }
        Chosen::Own(Command::Probe(what)) => return probe::probe(what),
        _ => {}
    }
    let mut settings = Settings::check(&arguments)?;
    if !modules.is_empty() {
        settings.resources = module::resources(&modules);
        module::check_resources(settings.resources)?;
        settings.modules = modules.into();
    }
    backup_store::make_do(&settings.data_dir);
    spare_memory();
    ownership::learn(&settings.data_dir);
    if !matches!(chosen, Chosen::Own(Command::Serve)) {
        telemetry::start_for_command(&settings.telemetry);
        telemetry::tell(&settings.notes);
    }
    let command = match chosen {
        Chosen::Own(command) => command,
        Chosen::Module(own, matches) => return module_command(&settings, &own, &matches),
    };
    match command {
        Command::Healthcheck(_) | Command::Probe(_) => Ok(()),
        Command::Serve => {
            refuse_danger(&settings, &arguments)?;
            serve::serve(settings, &arguments)
        }
        Command::Migrate(wanted) => migrate::migrate(&settings, &wanted),
        Command::ApiKey(command) => api_key::api_key(&settings, command),
        Command::Staff(command) => staff::staff(&settings, command),
        Command::Jobs(command) => jobs::jobs(&settings, command),
        Command::Spool(command) => spool::spool(&settings, &command),
        Command::Check(what) => check::check(&settings, &arguments, &what),
        Command::Backup(what) => backup::backup(&settings, &what),
        Command::Restore(what) => restore::restore(&settings, &what),
        Command::VerifyBackup(what) => verify_backup::verify_backup(&settings, &what),
        Command::Promote(what) => promote::promote(&settings, &arguments, &what),
        Command::ImportDjango(what) => import_django::import_django(&settings, &arguments, &what),
        Command::DiffDjango(what) => diff_django::diff_django(&what),
        Command::Erase(what) => erase::erase(&settings, &arguments, &what),
        Command::SeedDemo(demo) => seed::seed(&settings, &demo),
    }
}

/// Runs the command of a module.
fn module_command(
    settings: &Settings,
    own: &Configured,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    runtime()?.block_on(unless_stopped(async {
        prepare::schema(settings, &backend).await?;
        if let Some(schema) = own.module.schema() {
            prepare::module(settings, &backend, schema).await?;
        }
        let app = backend.patient_app();
        let name = own.module.name();
        if let Some(reason) = own.switch.off() {
            return Err(format!("the module {name} is off: {reason}").into());
        }
        let running = async {
            match own.module.run(app, matches) {
                Some(running) => running?.await,
                None => Ok(()),
            }
        };
        // Unwinding is safe: the process ends with the command.
        match AssertUnwindSafe(running).catch_unwind().await {
            Ok(ended) => ended,
            Err(_) => Err(format!("the command of the module {name} panicked").into()),
        }
    }))
}

/// In production, a dangerous setting stops the start.
fn refuse_danger(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let dangers = findings(arguments, settings).into_iter().filter(|finding| finding.dangerous);
    match dangers.into_iter().next() {
        Some(danger) if arguments.production => Err(danger.into_error().into()),
        _ => Ok(()),
    }
}

/// Prints a line to standard output.
fn say(sentence: std::fmt::Arguments<'_>) {
    // Nobody may be listening; that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{sentence}");
}

/// Prints a line to standard error.
fn whisper(sentence: std::fmt::Arguments<'_>) {
    // As above.
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// Disables huge pages, which the allocator asks for: with them, each thread holds megabytes for
/// the little that it needs. Without them the service uses half the memory at rest, and commands
/// that run beside it leave it more.
fn spare_memory() {
    // If the system refuses, the process just uses more memory.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// A runtime for commands that use the database for a while and end.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
}

/// Runs `work` until it is done or the process is asked to stop. Dropping it then removes temporary
/// data, such as files with rows.
async fn unless_stopped<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        // Signal handlers are installed before the work begins.
        biased;
        stopped = command_stops() => Err(match stopped {
            Ok(()) => "the command was stopped by a signal".into(),
            Err(error) => error.into(),
        }),
        done = work => done,
    }
}

#[cfg(test)]
mod tests {
    use exit3_http::Resource;

    use super::*;
    use crate::module::Module;

    /// What the command `check` says with this module.
    fn told(module: Module) -> String {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data").into_os_string();
        let arguments = ["exit3", "check", "--data-dir"].map(OsString::from);
        let line = read(&[Arc::new(module)], arguments.into_iter().chain([data]));
        line.and_then(|line| execute(line?)).unwrap_err().to_string()
    }

    #[test]
    fn what_a_module_may_not_claim_stops_every_command() {
        let resource = Resource { name: "leads", ..Resource::EMPTY };
        assert_eq!(
            told(Module::new("agenda").resource(resource)),
            "the module agenda claims the path /backend/api/v1/leads/, which is the service's own"
        );
        assert!(told(Module::new("Agenda")).contains("only the letters a to z"));
    }
}
