//! The people who work in the back office, as lists and forms name them.

use exit3_domain::staff::{Staff, StaffId};

use crate::Admin;
use crate::choices::Choice;
use crate::errors::PageError;

/// The people who may own leads.
pub(crate) struct Team(Vec<Staff>);

impl Team {
    /// Loads the active accounts.
    pub(crate) async fn load(admin: &Admin) -> Result<Self, PageError> {
        Ok(Self(exit3_app::staff::team(&admin.app).await?))
    }

    /// The name of an account; `None` if it is not one of the team.
    pub(crate) fn name(&self, id: StaffId) -> Option<String> {
        self.0.iter().find(|staff| staff.id == id).map(|staff| staff.profile.full_name())
    }

    /// The choices of an owner. An owner without an active account stays a choice, so that saving a
    /// form does not take the lead away.
    pub(crate) fn choices(&self, chosen: &str) -> Vec<Choice> {
        let mut choices: Vec<Choice> = self
            .0
            .iter()
            .map(|staff| {
                let word = staff.id.0.to_string();
                let is_chosen = word == chosen;
                Choice { word, text: staff.profile.full_name(), is_chosen }
            })
            .collect();
        if !chosen.is_empty() && !choices.iter().any(|choice| choice.is_chosen) {
            let text = format!("#{chosen}");
            choices.push(Choice { word: chosen.to_owned(), text, is_chosen: true });
        }
        choices
    }
}
