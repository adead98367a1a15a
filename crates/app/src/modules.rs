//! Modules: what crates of other teams add to the service.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

tokio::task_local! {
    static CURRENT: &'static str;
}

/// The module whose code runs now, which the log of a panic names.
pub fn current() -> Option<&'static str> {
    CURRENT.try_with(|module| *module).ok()
}

/// Does work that belongs to the module of a switch; without one, to the service itself.
pub async fn within<T>(switch: Option<&Switch>, work: impl Future<Output = T>) -> T {
    match switch {
        Some(switch) => CURRENT.scope(switch.module, work).await,
        None => work.await,
    }
}

/// Whether a module works, or why it does not. A module that is off harms nothing else: its routes
/// answer 503 and its jobs rest, until it is turned on again.
///
/// There is one for each module and process. It lives as long as the process, so it is used as
/// `&'static Switch`.
///
/// ```
/// use exit3_app::modules::Switch;
///
/// static SWITCH: Switch = Switch::of("meetings");
///
/// SWITCH.turn_off("its migration failed");
/// assert_eq!(SWITCH.off().as_deref(), Some("its migration failed"));
/// SWITCH.turn_on();
/// assert!(SWITCH.is_on());
/// ```
#[derive(Debug)]
pub struct Switch {
    module: &'static str,
    state: RwLock<State>,
}

#[derive(Debug)]
enum State {
    On,
    Off(Arc<str>),
    Broken(Arc<str>),
}

impl Switch {
    /// The switch of a module, which is on.
    pub const fn of(module: &'static str) -> Self {
        Self { module, state: RwLock::new(State::On) }
    }

    /// The name of the module.
    pub const fn module(&self) -> &'static str {
        self.module
    }

    /// Turns the module off. Operators see the reason in the log and in the health of the service,
    /// so it must not contain personal data.
    pub fn turn_off(&self, reason: impl Into<Arc<str>>) {
        self.set(State::Off(reason.into()));
    }

    /// Turns the module on, unless it is broken.
    pub fn turn_on(&self) {
        self.set(State::On);
    }

    /// Turns the module off for good: only a new start of the process can mend it.
    pub fn break_off(&self, reason: impl Into<Arc<str>>) {
        self.set(State::Broken(reason.into()));
    }

    /// Runs code of the module that the module cannot do without. If it panics, the module is broken,
    /// so it is not run again, and the log says so; `doing` ends the sentence "it panicked while …".
    pub fn or_break<T>(&self, doing: &str, run: impl FnOnce() -> T) -> Option<T> {
        if self.is_broken() {
            return None;
        }
        // Unwinding is safe: nothing that the code has changed is used any more.
        let run = || catch_unwind(AssertUnwindSafe(run));
        let done = CURRENT.sync_scope(self.module, run).ok();
        if done.is_none() {
            let (module, reason) = (self.module, format!("it panicked while {doing}: see the log"));
            tracing::error!("the module {module} is off until the next start: {reason}");
            self.break_off(reason);
        }
        done
    }

    /// Why the module is off; `None` if it is on.
    pub fn off(&self) -> Option<Arc<str>> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::On => None,
            State::Off(reason) | State::Broken(reason) => Some(Arc::clone(reason)),
        }
    }

    /// Whether the module is off for good.
    pub fn is_broken(&self) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        matches!(&*state, State::Broken(_))
    }

    /// Whether the module is on.
    pub fn is_on(&self) -> bool {
        matches!(&*self.state.read().unwrap_or_else(PoisonError::into_inner), State::On)
    }

    fn set(&self, new: State) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(&*state, State::Broken(_)) {
            *state = new;
        }
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
///
/// ```
/// use exit3_app::modules::{Claim, conflict};
///
/// let claims = [
///     (None, Claim::of("path", "leads/")),
///     (Some("meetings"), Claim::of("path", "meetings/")),
///     (Some("tags"), Claim::of("path", "leads/")),
/// ];
/// let told = "the module tags claims the path leads/, which is the service's own";
/// assert_eq!(conflict(claims).as_deref(), Some(told));
/// ```
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
    fn a_module_that_is_broken_stays_off_and_keeps_its_reason() {
        static SWITCH: Switch = Switch::of("meetings");
        assert_eq!(SWITCH.or_break("it added", current), Some(Some("meetings")));
        assert!(SWITCH.is_on() && !SWITCH.is_broken() && current().is_none());
        SWITCH.turn_off("its migration failed");
        assert!(!SWITCH.is_broken());
        assert_eq!(SWITCH.or_break("it added", || panic!("hunter2")), None::<()>);
        SWITCH.turn_on();
        SWITCH.turn_off("another reason");
        SWITCH.break_off("another reason");
        let reason = "it panicked while it added: see the log";
        assert_eq!((SWITCH.off().as_deref(), SWITCH.is_broken()), (Some(reason), true));
    }

    #[tokio::test]
    async fn the_module_whose_code_runs_is_known() {
        static SWITCH: Switch = Switch::of("meetings");
        assert_eq!(within(Some(&SWITCH), async { current() }).await, Some("meetings"));
        assert_eq!(within(None, async { current() }).await, None);
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
