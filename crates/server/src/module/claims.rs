//! What each module claims for itself. Two claims of one thing stop the start.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use clap::Command;
use exit3_admin::Pages;
use exit3_app::jobs::Registry;
use exit3_app::modules::{Claim, conflict};
use exit3_http::Resources;
use exit3_ports::{NOT_MOVED, TABLES, Table};
use exit3_web::Endpoint;

use super::Attached;
use super::options::{Options, names};

/// Two modules, or a module and the service, claim the same thing, or a module claims something that
/// cannot be had. One sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Conflict(pub(super) String);

pub(super) type Claimed = (Option<&'static str>, Claim);

/// Checks names, commands and settings, without which the command line cannot be read, and what else
/// can be told of a module before it does anything. `line` is that of the service itself.
///
/// # Errors
/// [`Conflict`] for the first one.
pub(crate) fn check(modules: &[Arc<dyn Attached>], line: &Command) -> Result<(), Conflict> {
    let mut claims: Vec<Claimed> = Vec::new();
    let mut options = Options::default();
    options.add(line, None)?;
    claims.extend(line.get_subcommands().flat_map(names).map(|claim| (None, claim)));
    claims.push((None, Claim::of("command", "help")));
    for module in modules {
        let name = module.name();
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(is_word)
        {
            return Err(Conflict(format!(
                "a module is named {name:?}, but a name has only the letters a to z and underscores"
            )));
        }
        let its_own = line_of(module.as_ref())?;
        options.add(&its_own, Some(name))?;
        let schema = module.schema();
        let tables = schema.map_or(&[][..], |schema| schema.tables);
        let kept = module.kept_types().into_iter().map(|kept| Claim::of("kept type", kept));
        let its = its_own.get_subcommands().flat_map(names);
        let its = its.chain(tables.iter().map(|table| Claim::of("table", table.name)));
        let its = its.chain(module.pages().iter().flat_map(of_pages)).chain(kept);
        claims.push((Some(name), Claim::of("name", name)));
        claims.extend(its.map(|claim| (Some(name), claim)));
        words(&mut claims, tables, module.pages(), Some(name));
    }
    // Those that no archive has are tables as well.
    let tables = TABLES.iter().map(|table| table.name).chain(NOT_MOVED.iter().copied());
    let tables = tables.map(|name| Claim::of("table", name));
    let pages = exit3_admin::OWN.iter().flat_map(|pages| of_menu(pages));
    let own = tables.chain(pages).chain(exit3_admin::own_endpoints().map(|it| of_page(&it)));
    claims.extend(own.map(|claim| (None, claim)));
    words(&mut claims, TABLES, exit3_admin::OWN.iter().copied(), None);
    first(claims)?;
    options.check()?;
    for module in modules {
        // In a debug build, clap checks what is wrong between the options of one module.
        listing(module.as_ref(), || module.augment(Command::new(module.name())).build())?;
    }
    let faults = modules.iter().filter_map(|module| module.schema()).flat_map(|it| it.faults());
    faults.map(Conflict).next().map_or(Ok(()), Err)
}

/// The command line of a module alone, after a look at everything that it lists, because a panic would
/// end the start later on.
fn line_of(module: &dyn Attached) -> Result<Command, Conflict> {
    listing(module, || {
        for resource in module.resources() {
            (resource.endpoints)();
            (resource.bodies)();
            (resource.document)();
        }
        module.pages().iter().for_each(|pages| drop((pages.endpoints)()));
        module.augment(Command::new(module.name()))
    })
}

fn listing<T>(module: &dyn Attached, list: impl FnOnce() -> T) -> Result<T, Conflict> {
    // Unwinding is safe: the process ends.
    catch_unwind(AssertUnwindSafe(list)).map_err(|_| {
        let name = module.name();
        Conflict(format!("the module {name} panicked while it listed its endpoints and options"))
    })
}

/// Checks the paths, scopes, schemas and operations of the API, and that each resource is whole.
///
/// # Errors
/// [`Conflict`] for the first one.
pub(crate) fn check_resources(resources: Resources) -> Result<(), Conflict> {
    first(resources.claims())?;
    resources.faults().into_iter().next().map_or(Ok(()), |fault| Err(Conflict(fault)))
}

/// Checks the kinds of jobs, schedules and consumers, and the names of consumers.
///
/// # Errors
/// [`Conflict`] for the first one.
pub(crate) fn check_jobs(registry: &Registry) -> Result<(), Conflict> {
    first(registry.claims())?;
    registry.faults().next().map_or(Ok(()), |fault| Err(Conflict(fault)))
}

pub(super) fn first(claims: impl IntoIterator<Item = Claimed>) -> Result<(), Conflict> {
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
    (pages.endpoints)().into_iter().map(|endpoint| of_page(&endpoint)).chain(of_menu(pages))
}

/// The path of a page. Without the names of its parameters, which make no other path of it.
fn of_page(endpoint: &Endpoint) -> Claim {
    let mut path = exit3_admin::BASE.to_owned();
    for part in endpoint.path().split_inclusive('{') {
        match part.split_once([':', '}']) {
            Some((name, _)) if path.ends_with('{') => path.push_str(&part[name.len()..]),
            _ => path.push_str(part),
        }
    }
    Claim::of("page", path)
}

fn of_menu(pages: &Pages) -> impl Iterator<Item = Claim> + use<> {
    let key = pages.menu.map(|menu| Claim::of("key", menu.key));
    [Claim::of("name of pages", pages.name)].into_iter().chain(key)
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
