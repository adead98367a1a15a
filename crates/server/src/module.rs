//! What a crate of another team adds to the service.

mod claims;

use std::any::Any;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use exit3_app::App;

pub use claims::Conflict;
pub(crate) use claims::check;

/// Why a command failed, in one sentence.
pub type Failure = Box<dyn std::error::Error>;

/// A boxed future.
pub type Running<T> = Pin<Box<dyn Future<Output = T>>>;

/// What a crate of another team adds to the service. Everything but the name is optional.
///
/// `S` are the settings of the module: a struct that derives [`clap::Args`], whose arguments are
/// `global` and have an `env`. They come from the same places as those of the service.
pub struct Module<S = ()> {
    name: &'static str,
    command: Option<ModuleCommand>,
    settings: PhantomData<fn() -> S>,
}

/// A command of the program with commands of its own.
struct ModuleCommand {
    about: &'static str,
    augment: fn(Command) -> Command,
    run: RunCommand,
}

type RunCommand = Box<
    dyn Fn(App, &ArgMatches) -> Result<Running<Result<(), Failure>>, clap::Error> + Send + Sync,
>;

impl<S: Args + Send + Sync + 'static> Module<S> {
    /// A module of this name, which is also the word of its command: `[a-z][a-z_]*`.
    pub const fn new(name: &'static str) -> Self {
        Self { name, command: None, settings: PhantomData }
    }

    /// Adds the commands `C` below a command that is named after the module. `run` gets use cases
    /// that may take longer than those of a request.
    #[must_use]
    pub fn command<C, F>(mut self, about: &'static str, run: fn(App, C) -> F) -> Self
    where
        C: Subcommand + 'static,
        F: Future<Output = Result<(), Failure>> + 'static,
    {
        let run = move |app, matches: &ArgMatches| {
            let running: Running<_> = Box::pin(run(app, C::from_arg_matches(matches)?));
            Ok(running)
        };
        let augment = C::augment_subcommands;
        self.command = Some(ModuleCommand { about, augment, run: Box::new(run) });
        self
    }
}

/// A module without the type of its settings.
pub(crate) trait Attached: Send + Sync {
    /// The name.
    fn name(&self) -> &'static str;
    /// Adds the settings and the command to the command line.
    fn augment(&self, line: Command) -> Command;
    /// Adds the settings alone.
    fn augment_settings(&self, line: Command) -> Command;
    /// Whether it has a command.
    fn has_command(&self) -> bool;
    /// Reads the settings.
    ///
    /// # Errors
    /// The command line does not have them.
    fn read(&self, matches: &ArgMatches) -> Result<Arc<dyn Any + Send + Sync>, clap::Error>;
    /// Starts the module's command, whose own matches these are; `None` without one.
    fn run(
        &self,
        app: App,
        matches: &ArgMatches,
    ) -> Option<Result<Running<Result<(), Failure>>, clap::Error>>;
}

impl<S: Args + Send + Sync + 'static> Attached for Module<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn augment(&self, line: Command) -> Command {
        let line = self.augment_settings(line);
        let Some(ModuleCommand { about, augment, .. }) = &self.command else { return line };
        let own = Command::new(self.name).about(*about).subcommand_required(true);
        line.subcommand(augment(own))
    }

    fn augment_settings(&self, line: Command) -> Command {
        S::augment_args(line)
    }

    fn has_command(&self) -> bool {
        self.command.is_some()
    }

    fn read(&self, matches: &ArgMatches) -> Result<Arc<dyn Any + Send + Sync>, clap::Error> {
        Ok(Arc::new(S::from_arg_matches(matches)?))
    }

    fn run(
        &self,
        app: App,
        matches: &ArgMatches,
    ) -> Option<Result<Running<Result<(), Failure>>, clap::Error>> {
        self.command.as_ref().map(|command| (command.run)(app, matches))
    }
}

/// A module with its settings.
#[derive(Clone)]
pub(crate) struct Configured {
    /// The module.
    pub(crate) module: Arc<dyn Attached>,
    /// The settings, of the module's own type.
    #[allow(dead_code, reason = "wip")]
    pub(crate) settings: Arc<dyn Any + Send + Sync>,
}
