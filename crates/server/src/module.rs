//! What a crate of another team adds to the service.

mod claims;
mod compose;
mod options;

use std::any::{Any, type_name};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use clap::{ArgMatches, Args, Command, Subcommand};
use exit3_admin::Pages;
use exit3_app::App;
use exit3_app::health::AskModule;
use exit3_app::jobs::Registry;
use exit3_app::modules::Switch;
use exit3_http::Resource;
use exit3_ports::migrations::Migration;
use exit3_ports::{ModuleSchema, Table};
use exit3_postgres::PgHandle;
use exit3_sqlite::SqliteStore;

pub(crate) use claims::{check, check_jobs, check_resources};
pub(crate) use compose::{add_jobs, checks, offer, resources};

/// Why a command failed, in one sentence.
pub type Failure = Box<dyn std::error::Error>;

/// A boxed future.
pub type Running<T> = Pin<Box<dyn Future<Output = T>>>;

/// The database, for the adapters of a module.
pub enum ModuleDatabase {
    /// PostgreSQL.
    Postgres(PgHandle),
    /// The embedded database.
    Sqlite(SqliteStore),
}

/// What a crate of another team adds to the service. Everything but the name is optional.
///
/// `S` are the settings of the module: a struct that derives [`clap::Args`], whose arguments are
/// `global` and have an `env`. They come from the same places as those of the service.
///
/// ```
/// use exit3::{Module, ModuleDatabase, Service};
///
/// /// What the use cases find with `app.kept::<Tags>()`.
/// struct Tags {
///     database: ModuleDatabase,
///     at_most: u32,
/// }
///
/// #[derive(clap::Args)]
/// struct TagSettings {
///     /// The most tags of a lead
///     #[arg(long, env = "TAGS_AT_MOST", default_value_t = 10, global = true)]
///     tags_at_most: u32,
/// }
///
/// let tags = Module::<TagSettings>::new("tags")
///     .keeps(|database, settings| Tags { database, at_most: settings.tags_at_most });
/// let code = Service::new().module(tags).run_with(["exit3", "--version"].map(Into::into));
/// assert_eq!(code, std::process::ExitCode::SUCCESS);
/// ```
pub struct Module<S = ()> {
    name: &'static str,
    schema: Option<ModuleSchema>,
    keeps: Vec<(&'static str, Keep<S>)>,
    resources: Vec<Resource>,
    pages: Vec<Pages>,
    jobs: Option<AddJobs<S>>,
    command: Option<ModuleCommand>,
    health: Option<AskModule>,
    settings: PhantomData<fn() -> S>,
}

type Kept = Arc<dyn Any + Send + Sync>;
type Keep<S> = Box<dyn Fn(ModuleDatabase, &S) -> Kept + Send + Sync>;
type AddJobs<S> = fn(&mut Registry, &S) -> Result<(), serde_json::Error>;

/// A command of the program with commands of its own.
struct ModuleCommand {
    about: &'static str,
    augment: fn(Command) -> Command,
    run: RunCommand,
}

type Started = Result<Running<Result<(), Failure>>, clap::Error>;
type RunCommand = Box<dyn Fn(App, &ArgMatches) -> Started + Send + Sync>;

impl<S: Args + Send + Sync + 'static> Module<S> {
    /// A module of this name, which is also the word of its command: letters from a to z and
    /// underscores.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            schema: None,
            keeps: Vec::new(),
            resources: Vec::new(),
            pages: Vec::new(),
            jobs: None,
            command: None,
            health: None,
            settings: PhantomData,
        }
    }

    /// Adds tables, ordered so that rows come after the rows that they refer to, and the migrations
    /// that make them in both databases. If one fails, the module is off, and the service goes on.
    #[must_use]
    pub const fn schema(
        mut self,
        tables: &'static [Table],
        postgres: &'static [Migration],
        sqlite: &'static [Migration],
    ) -> Self {
        self.schema = Some(ModuleSchema { module: self.name, tables, postgres, sqlite });
        self
    }

    /// Keeps what use cases find with [`App::kept`]: usually the repositories of the module, and its
    /// settings. It is made once for each thread that answers requests. Nothing else may keep the same
    /// type, which should be one of the module's own.
    #[must_use]
    pub fn keeps<T: Any + Send + Sync>(
        mut self,
        make: impl Fn(ModuleDatabase, &S) -> T + Send + Sync + 'static,
    ) -> Self {
        let make: Keep<S> = Box::new(move |database, settings| Arc::new(make(database, settings)));
        self.keeps.push((type_name::<T>(), make));
        self
    }

    /// Adds a resource to the API.
    #[must_use]
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Adds pages to the back office.
    #[must_use]
    pub fn pages(mut self, pages: Pages) -> Self {
        self.pages.push(pages);
        self
    }

    /// Adds jobs, schedules and consumers of events. They run on a thread of the module.
    #[must_use]
    pub const fn jobs(mut self, add: AddJobs<S>) -> Self {
        self.jobs = Some(add);
        self
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

    /// Adds details to the health of the service, which callers with a full-access key see.
    #[must_use]
    pub const fn health(mut self, ask: AskModule) -> Self {
        self.health = Some(ask);
        self
    }
}

/// A module without the type of its settings.
pub(crate) trait Attached: Send + Sync {
    fn name(&self) -> &'static str;
    fn schema(&self) -> Option<ModuleSchema>;
    fn resources(&self) -> &[Resource];
    fn pages(&self) -> &[Pages];
    fn health(&self) -> Option<AskModule>;
    fn has_command(&self) -> bool;
    fn has_jobs(&self) -> bool;
    /// The names of the types that it keeps.
    fn kept_types(&self) -> Vec<&'static str>;
    /// Adds the settings and the command to the command line.
    fn augment(&self, line: Command) -> Command;
    /// Reads the settings.
    ///
    /// # Errors
    /// The command line does not have them.
    fn read(&self, matches: &ArgMatches) -> Result<Kept, clap::Error>;
    /// What use cases find, made with these settings.
    fn keep(&self, database: &dyn Fn() -> ModuleDatabase, settings: &Kept) -> Vec<Kept>;
    /// Adds the jobs.
    ///
    /// # Errors
    /// A payload cannot be written as JSON.
    fn add_jobs(&self, registry: &mut Registry, settings: &Kept) -> Result<(), serde_json::Error>;
    /// Starts the module's command, whose own matches these are; `None` without one.
    fn run(&self, app: App, matches: &ArgMatches) -> Option<Started>;
}

impl<S: Args + Send + Sync + 'static> Attached for Module<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Option<ModuleSchema> {
        self.schema
    }

    fn resources(&self) -> &[Resource] {
        &self.resources
    }

    fn pages(&self) -> &[Pages] {
        &self.pages
    }

    fn health(&self) -> Option<AskModule> {
        self.health
    }

    fn has_command(&self) -> bool {
        self.command.is_some()
    }

    fn has_jobs(&self) -> bool {
        self.jobs.is_some()
    }

    fn kept_types(&self) -> Vec<&'static str> {
        self.keeps.iter().map(|(name, _)| *name).collect()
    }

    fn augment(&self, line: Command) -> Command {
        // The description of the settings would become that of the program.
        let about = line.get_about().cloned().unwrap_or_default();
        let mut line = S::augment_args(line).about(about).long_about(None);
        // It is called after the struct, and another module may have one of the same name.
        let has = |group: &clap::Id| line.get_groups().any(|it| it.get_id() == group);
        if let Some(group) = S::group_id().filter(has) {
            line = line.mut_group(&group, |it| it.id(format!("{}.{group}", self.name)));
        }
        let Some(ModuleCommand { about, augment, .. }) = &self.command else { return line };
        let own = augment(Command::new(self.name)).subcommand_required(true);
        line.subcommand(own.about(*about).long_about(None))
    }

    fn read(&self, matches: &ArgMatches) -> Result<Kept, clap::Error> {
        Ok(Arc::new(S::from_arg_matches(matches)?))
    }

    fn keep(&self, database: &dyn Fn() -> ModuleDatabase, settings: &Kept) -> Vec<Kept> {
        let settings = settings.downcast_ref();
        let keep = |settings| self.keeps.iter().map(move |(_, make)| make(database(), settings));
        settings.into_iter().flat_map(keep).collect()
    }

    fn add_jobs(&self, registry: &mut Registry, settings: &Kept) -> Result<(), serde_json::Error> {
        match (self.jobs, settings.downcast_ref()) {
            (Some(add), Some(settings)) => add(registry, settings),
            _ => Ok(()),
        }
    }

    fn run(&self, app: App, matches: &ArgMatches) -> Option<Started> {
        self.command.as_ref().map(|command| (command.run)(app, matches))
    }
}

/// A module with its settings and its switch.
#[derive(Clone)]
pub(crate) struct Configured {
    pub(crate) module: Arc<dyn Attached>,
    /// Of the module's own type.
    pub(crate) settings: Kept,
    pub(crate) switch: &'static Switch,
}
