//! Modules: what crates of other teams add to the service.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Whether a module works, or why it does not. A module that is off harms nothing else: its routes
/// answer 503 and its jobs rest, until it is turned on again.
///
/// There is one for each module and process. It lives as long as the process, so it is used as
/// `&'static Switch`.
#[derive(Debug)]
pub struct Switch {
    module: &'static str,
    off: RwLock<Option<Arc<str>>>,
}

impl Switch {
    /// The switch of a module, which is on.
    pub const fn of(module: &'static str) -> Self {
        Self { module, off: RwLock::new(None) }
    }

    /// The name of the module.
    pub const fn module(&self) -> &'static str {
        self.module
    }

    /// Turns the module off. Operators see the reason in the log and in the health of the service,
    /// so it must not contain personal data.
    pub fn turn_off(&self, reason: impl Into<Arc<str>>) {
        self.set(Some(reason.into()));
    }

    /// Turns the module on.
    pub fn turn_on(&self) {
        self.set(None);
    }

    /// Why the module is off; `None` if it is on.
    pub fn off(&self) -> Option<Arc<str>> {
        self.off.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the module is on.
    pub fn is_on(&self) -> bool {
        self.off().is_none()
    }

    fn set(&self, off: Option<Arc<str>>) {
        *self.off.write().unwrap_or_else(PoisonError::into_inner) = off;
    }
}

/// Something that only one module can have, such as the path `meetings/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    what: &'static str,
    name: String,
}

impl Claim {
    /// A claim of what is called `what`, such as `path`, with this name.
    pub fn of(what: &'static str, name: impl Into<String>) -> Self {
        Self { what, name: name.into() }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the {} {}", self.what, self.name)
    }
}

/// The first claim that is made twice, in one sentence. Each claim comes with the name of its module;
/// those without one are of the service itself.
pub fn conflict(claims: impl IntoIterator<Item = (Option<&'static str>, Claim)>) -> Option<String> {
    let mut owners = BTreeMap::new();
    claims.into_iter().find_map(|(second, claim)| {
        let first = owners.insert(claim.clone(), second)?;
        Some(match (first, second) {
            (Some(first), Some(second)) if first != second => format!(
                "the modules {first} and {second} both claim {claim}: only one of them can be \
                 switched on"
            ),
            (Some(module), Some(_)) => format!("the module {module} claims {claim} twice"),
            (Some(module), None) | (None, Some(module)) => {
                format!("the module {module} claims {claim}, which is the service's own")
            }
            (None, None) => format!("the service claims {claim} twice"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_on_until_it_is_turned_off_and_again_after_it_is_turned_on() {
        static SWITCH: Switch = Switch::of("meetings");
        assert_eq!((SWITCH.module(), SWITCH.is_on(), SWITCH.off()), ("meetings", true, None));
        SWITCH.turn_off("its migration failed");
        assert!(!SWITCH.is_on());
        let other_thread = std::thread::spawn(|| SWITCH.off());
        assert_eq!(other_thread.join().unwrap().as_deref(), Some("its migration failed"));
        SWITCH.turn_on();
        assert!(SWITCH.is_on());
    }

    #[test]
    fn the_first_claim_that_is_made_twice_is_told_in_a_sentence() {
        let path = |owner| (owner, Claim::of("path", "leads/"));
        let kind = (Some("tags"), Claim::of("kind of jobs", "leads/"));
        assert_eq!(conflict([path(None), kind.clone()]), None);
        let told = |first, second| conflict([kind.clone(), path(first), path(second)]).unwrap();
        let (tags, meetings) = (Some("tags"), Some("meetings"));
        assert_eq!(
            told(meetings, tags),
            "the modules meetings and tags both claim the path leads/: only one of them can be \
             switched on"
        );
        let own = "the module tags claims the path leads/, which is the service's own";
        assert_eq!([told(None, tags), told(tags, None)], [own, own]);
        assert_eq!(told(tags, tags), "the module tags claims the path leads/ twice");
        assert_eq!(told(None, None), "the service claims the path leads/ twice");
    }
}
