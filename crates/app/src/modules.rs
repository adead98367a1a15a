//! Modules: what crates of other teams add to the service.

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
}
