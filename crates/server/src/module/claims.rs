//! What each module claims for itself. Two claims of one thing stop the start.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use clap::Command;

use super::Attached;

/// Two modules, or a module and the service, claim the same thing, or a module claims something that
/// cannot be had. One sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Conflict(String);

/// What can be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Name,
    Command,
    Setting,
    Option,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Name => "name",
            Self::Command => "command",
            Self::Setting => "setting",
            Self::Option => "option",
        })
    }
}

/// Who claims what. The service itself is `None`.
#[derive(Default)]
struct Claims(BTreeMap<(Kind, String), Option<&'static str>>);

impl Claims {
    fn add(
        &mut self,
        kind: Kind,
        what: impl Into<String>,
        whose: Option<&'static str>,
    ) -> Result<(), Conflict> {
        let what = what.into();
        let Some(first) = self.0.insert((kind, what.clone()), whose) else { return Ok(()) };
        Err(Conflict(match (first, whose) {
            (Some(first), Some(second)) if first == second => {
                format!("the module {first} claims the {kind} {what} twice")
            }
            (Some(first), Some(second)) => format!(
                "the modules {first} and {second} both claim the {kind} {what}: only one of them \
                 can be switched on"
            ),
            (Some(module), None) | (None, Some(module)) => {
                format!("the module {module} claims the {kind} {what}, which is the service's own")
            }
            (None, None) => format!("the service claims the {kind} {what} twice"),
        }))
    }
}

/// Checks that no two modules claim the same thing. `line` is the command line of the service itself.
///
/// # Errors
/// [`Conflict`] for the first one.
pub(crate) fn check(modules: &[Arc<dyn Attached>], line: &Command) -> Result<(), Conflict> {
    let mut claims = Claims::default();
    for command in line.get_subcommands() {
        claims.add(Kind::Command, command.get_name(), None)?;
    }
    claims.add(Kind::Command, "help", None)?;
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
        claims.add(Kind::Name, name, Some(name))?;
        if module.has_command() {
            claims.add(Kind::Command, name, Some(name))?;
        }
        settings(&mut claims, &module.augment_settings(Command::new(name)), Some(name))?;
    }
    Ok(())
}

/// Claims the settings and options of a command line, and options of subcommands, which global ones
/// would meet.
fn settings(
    claims: &mut Claims,
    line: &Command,
    whose: Option<&'static str>,
) -> Result<(), Conflict> {
    for argument in line.get_arguments() {
        let (id, long) = (argument.get_id().as_str(), argument.get_long());
        if ["help", "version"].contains(&id) && whose.is_none() {
            continue;
        }
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
            claims.add(Kind::Setting, variable.to_string_lossy(), whose)?;
        }
        claims.add(Kind::Option, format!("--{}", long.unwrap_or(id)), whose)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Args};

    use super::*;
    use crate::module::Module;

    #[derive(Args)]
    struct Hours {
        /// Hours
        #[arg(long, env = "MEETINGS_HOURS", default_value_t = 1, global = true)]
        meetings_hours: u32,
    }

    #[derive(Args)]
    struct Nameless {
        /// Hours
        #[arg(long, default_value_t = 1, global = true)]
        tags_hours: u32,
    }

    #[derive(clap::Subcommand)]
    enum List {
        /// Lists
        List,
    }

    fn line() -> Command {
        let port = Arg::new("port").long("port").env("PORT").global(true);
        Command::new("exit3").arg(port).subcommand(Command::new("backup"))
    }

    fn told(modules: &[Arc<dyn Attached>]) -> String {
        check(modules, &line()).map_or_else(|conflict| conflict.to_string(), |()| String::new())
    }

    fn of<S: Args + Send + Sync + 'static>(name: &'static str) -> Arc<dyn Attached> {
        Arc::new(Module::<S>::new(name))
    }

    fn commanded(name: &'static str) -> Arc<dyn Attached> {
        Arc::new(Module::<()>::new(name).command("Lists", |_, _: List| async { Ok(()) }))
    }

    #[test]
    fn a_thing_that_two_modules_claim_is_named() {
        assert_eq!(told(&[of::<Hours>("meetings"), of::<()>("tags"), commanded("other")]), "");
        assert_eq!(
            told(&[of::<()>("tags"), of::<()>("tags")]),
            "the module tags claims the name tags twice"
        );
        assert_eq!(
            told(&[of::<Hours>("meetings"), of::<Hours>("agenda")]),
            "the modules meetings and agenda both claim the setting MEETINGS_HOURS: only one of \
             them can be switched on"
        );
        assert_eq!(
            told(&[commanded("backup")]),
            "the module backup claims the command backup, which is the service's own"
        );
    }

    #[test]
    fn what_cannot_be_had_is_explained() {
        for name in ["", "Tags", "1", "_tags", "my-tags"] {
            assert!(told(&[of::<()>(name)]).contains("only the letters a to z"), "{name}");
        }
        assert_eq!(
            told(&[of::<Nameless>("tags")]),
            "the setting tags_hours of the module tags needs `long`, `env` and `global = true`"
        );
    }
}
