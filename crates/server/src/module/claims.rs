//! What each module claims for itself. Two claims of one thing stop the start.

use std::sync::Arc;

use clap::Command;
use exit3_admin::Pages;
use exit3_app::jobs::Registry;
use exit3_app::modules::{Claim, conflict};
use exit3_http::Resources;
use exit3_ports::{NOT_MOVED, TABLES, Table};

use super::Attached;

/// Two modules, or a module and the service, claim the same thing, or a module claims something that
/// cannot be had. One sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Conflict(String);

type Claimed = (Option<&'static str>, Claim);

/// Checks names, commands and settings, without which the command line cannot be read. `line` is
/// that of the service itself.
///
/// # Errors
/// [`Conflict`] for the first one.
pub(crate) fn check(modules: &[Arc<dyn Attached>], line: &Command) -> Result<(), Conflict> {
    let mut claims: Vec<Claimed> = Vec::new();
    let commands = line.get_subcommands().map(Command::get_name).chain(["help"]);
    claims.extend(commands.map(|name| (None, Claim::of("command", name))));
    settings(&mut claims, line, None)?;
    for module in modules {
        let name = module.name();
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(is_word)
        {
            return Err(Conflict(format!(
                "a module is named {name:?}, but a name has only the letters a to z and underscores"
            )));
        }
        claims.push((Some(name), Claim::of("name", name)));
        if module.has_command() {
            claims.push((Some(name), Claim::of("command", name)));
        }
        settings(&mut claims, &module.augment_settings(Command::new(name)), Some(name))?;
        let tables = module.schema().map_or(&[][..], |schema| schema.tables);
        claims.extend(tables.iter().map(|table| (Some(name), Claim::of("table", table.name))));
        claims.extend(module.pages().iter().flat_map(of_pages).map(|claim| (Some(name), claim)));
        words(&mut claims, tables, module.pages(), Some(name));
    }
    // Those that no archive has are tables as well.
    let tables = TABLES.iter().map(|table| table.name).chain(NOT_MOVED.iter().copied());
    claims.extend(tables.map(|name| (None, Claim::of("table", name))));
    for pages in exit3_admin::OWN {
        claims.extend(of_pages(pages).map(|claim| (None, claim)));
    }
    words(&mut claims, TABLES, exit3_admin::OWN.iter().copied(), None);
    first(claims)?;
    let faults = modules.iter().filter_map(|module| module.schema()).flat_map(|it| it.faults());
    faults.map(Conflict).next().map_or(Ok(()), Err)
}

/// Checks the paths, scopes, schemas and operations of the API, and that each resource is whole.
///
/// # Errors
/// [`Conflict`] for the first one.
pub(crate) fn check_resources(resources: Resources) -> Result<(), Conflict> {
    first(resources.claims())?;
    resources.faults().into_iter().next().map_or(Ok(()), |fault| Err(Conflict(fault)))
}

/// Checks the kinds of jobs, schedules and consumers.
///
/// # Errors
/// [`Conflict`] for the first one.
pub(crate) fn check_jobs(registry: &Registry) -> Result<(), Conflict> {
    first(registry.claims())
}

fn first(claims: impl IntoIterator<Item = Claimed>) -> Result<(), Conflict> {
    conflict(claims).map_or(Ok(()), |sentence| Err(Conflict(sentence)))
}

/// Claims the words for rows in events. Pages usually show the rows of a table.
fn words<'a>(
    claims: &mut Vec<Claimed>,
    tables: &[Table],
    pages: impl IntoIterator<Item = &'a Pages>,
    whose: Option<&'static str>,
) {
    let words = tables.iter().map(|table| table.resource).filter(|word| !word.is_empty());
    let words: Vec<_> = words.collect();
    let shown = pages.into_iter().filter_map(|pages| pages.rows);
    let alone: Vec<_> = shown.filter(|word| !words.contains(word)).collect();
    let words = words.into_iter().chain(alone);
    claims.extend(words.map(|word| (whose, Claim::of("word of events", word))));
}

/// The paths, the name and the keys of pages.
fn of_pages(pages: &Pages) -> impl Iterator<Item = Claim> + use<> {
    let paths = (pages.endpoints)();
    let paths = paths
        .into_iter()
        .map(|it| Claim::of("page", format!("{}{}", exit3_admin::BASE, it.path())));
    let key = pages.menu.map(|menu| Claim::of("key", menu.key));
    paths.chain([Claim::of("name of pages", pages.name)]).chain(key)
}

/// Claims the settings and options of a command line.
fn settings(
    claims: &mut Vec<Claimed>,
    line: &Command,
    whose: Option<&'static str>,
) -> Result<(), Conflict> {
    for argument in line.get_arguments() {
        let (id, long) = (argument.get_id().as_str(), argument.get_long());
        if let Some(module) = whose {
            let is_named = long.is_some_and(|long| long.replace('-', "_") == id);
            if !is_named || argument.get_env().is_none() || !argument.is_global_set() {
                return Err(Conflict(format!(
                    "the setting {id} of the module {module} needs `long`, `env` and \
                     `global = true`"
                )));
            }
        }
        if let Some(variable) = argument.get_env() {
            claims.push((whose, Claim::of("setting", variable.to_string_lossy())));
        }
        claims.push((whose, Claim::of("option", format!("--{}", long.unwrap_or(id)))));
    }
    // A global option of a module would meet those of the service's commands.
    for command in line.get_subcommands() {
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            let claim = (whose, Claim::of("option", format!("--{long}")));
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
