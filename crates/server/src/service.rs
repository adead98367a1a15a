//! The service with its modules.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use crate::module::{Attached, Module};
use crate::{commands, memory};

/// The service, and the modules that extend it.
///
/// ```no_run
/// # use std::process::ExitCode;
/// fn main() -> ExitCode {
///     exit3::Service::new().module(exit3::Module::<()>::new("meetings")).run()
/// }
/// ```
#[derive(Default)]
pub struct Service {
    modules: Vec<Arc<dyn Attached>>,
}

impl Service {
    /// The service without modules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a module.
    #[must_use]
    pub fn module<S>(mut self, module: Module<S>) -> Self
    where
        S: Args + Send + Sync + 'static,
    {
        self.modules.push(Arc::new(module));
        self
    }

    /// Runs the command that the program's arguments ask for; without one, serves. A failure is
    /// printed as one sentence on standard error.
    pub fn run(self) -> ExitCode {
        memory::keep_none_during_start();
        self.run_with(env::args_os())
    }

    /// Like [`Self::run`], with these arguments. The first one is the program's name.
    pub fn run_with(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        commands::run(&self.modules, arguments)
    }
}
