//! The settings and options of the command line, which the service and all modules share.

use clap::{Arg, Command};
use exit3_app::modules::Claim;

use super::claims::{Claimed, Conflict, first};

/// What everybody claims on the command line.
#[derive(Default)]
pub(super) struct Options {
    /// Settings are options of every command.
    everywhere: Vec<Claimed>,
    /// Options of single commands. Those of two commands may be equal.
    of_commands: Vec<Claimed>,
}

impl Options {
    /// Adds those of the service, or of a module.
    ///
    /// # Errors
    /// [`Conflict`] if a setting is not one.
    pub(super) fn add(
        &mut self,
        line: &Command,
        whose: Option<&'static str>,
    ) -> Result<(), Conflict> {
        for argument in line.get_arguments() {
            if let Some(module) = whose {
                check_setting(argument, module)?;
            }
            self.everywhere.extend(of_argument(argument).map(|claim| (whose, claim)));
        }
        if whose.is_none() {
            let option = |name| (None, Claim::of("option", name));
            self.everywhere.extend(["--help", "-h"].map(option));
            self.of_commands.extend(["--version", "-V"].map(option));
        }
        let groups = line.get_groups().map(|group| group.get_id().as_str());
        self.everywhere.extend(groups.map(|id| (whose, Claim::of("group of settings", id))));
        line.get_subcommands().for_each(|command| self.add_command(command, whose));
        Ok(())
    }

    fn add_command(&mut self, command: &Command, whose: Option<&'static str>) {
        let options = command.get_arguments().flat_map(of_argument);
        self.of_commands.extend(options.map(|claim| (whose, claim)));
        command.get_subcommands().for_each(|command| self.add_command(command, whose));
    }

    /// Compares settings with each other, and options of commands with settings.
    ///
    /// # Errors
    /// [`Conflict`] for the first two that are equal.
    pub(super) fn check(self) -> Result<(), Conflict> {
        let Self { everywhere, of_commands } = self;
        first(everywhere.iter().cloned())?;
        of_commands.into_iter().try_for_each(|(whose, claim)| {
            let setting = everywhere.iter().find(|(_, setting)| *setting == claim);
            first(setting.cloned().into_iter().chain([(whose, claim)]))
        })
    }
}

/// The names of a command.
pub(super) fn names(command: &Command) -> impl Iterator<Item = Claim> {
    let names = [command.get_name()].into_iter().chain(command.get_all_aliases());
    names.map(|name| Claim::of("command", name))
}

/// The names of an argument: the variable, the options and their other names. clap tells arguments apart
/// by their ids, so an id counts as a name.
fn of_argument(argument: &Arg) -> impl Iterator<Item = Claim> {
    let variable = argument.get_env().map(|name| Claim::of("setting", name.to_string_lossy()));
    let id = argument.get_id().as_str().replace('_', "-");
    let mut longs = vec![id];
    longs.extend(argument.get_long().map(str::to_owned));
    longs.extend(argument.get_all_aliases().into_iter().flatten().map(str::to_owned));
    longs.sort();
    longs.dedup();
    let mut shorts = argument.get_all_short_aliases().unwrap_or_default();
    shorts.extend(argument.get_short());
    let longs = longs.into_iter().map(|long| Claim::of("option", format!("--{long}")));
    let shorts = shorts.into_iter().map(|short| Claim::of("option", format!("-{short}")));
    variable.into_iter().chain(longs).chain(shorts)
}

fn check_setting(argument: &Arg, module: &str) -> Result<(), Conflict> {
    let id = argument.get_id().as_str();
    let is_named = argument.get_long().is_some_and(|long| long.replace('-', "_") == id);
    if !is_named || argument.get_env().is_none() || !argument.is_global_set() {
        return Err(Conflict(format!(
            "the setting {id} of the module {module} needs `long`, `env` and `global = true`"
        )));
    }
    if argument.is_required_set() {
        return Err(Conflict(format!(
            "the setting {id} of the module {module} is required, which a setting of every command \
             cannot be: it needs a default, or the type Option"
        )));
    }
    Ok(())
}
