//! How a person wants the back office to look and to behave.

use serde::{Deserialize, Serialize};

use crate::choice::choice;

choice! {
    /// A language of the back office.
    Language {
        /// English.
        English = "en",
        /// Croatian.
        Croatian = "hr",
    }
}

choice! {
    /// The colours of the back office.
    Theme {
        /// Dark on light.
        Light = "light",
        /// Light on dark.
        Dark = "dark",
    }
}

/// The preferences of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// `None` for the language of the browser.
    pub language: Option<Language>,
    /// `None` for the colours of the system.
    pub theme: Option<Theme>,
    /// Whether single keys are shortcuts.
    pub single_keys: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { language: None, theme: None, single_keys: true }
    }
}
