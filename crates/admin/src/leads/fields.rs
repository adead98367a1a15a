//! The fields of a lead as forms show them.

use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus};
use exit3_domain::staff::{Staff, StaffId};
use exit3_domain::validation::Invalid;

use crate::Admin;
use crate::errors::PageError;
use crate::format::rule;
use crate::i18n::{Texts, say};

/// One of the values of a choice.
pub(crate) struct Choice {
    pub(crate) word: String,
    pub(crate) text: String,
    pub(crate) is_chosen: bool,
}

/// The values of a choice. `prefix` is that of their texts.
pub(crate) fn choices(texts: Texts, prefix: &str, words: &[&str], chosen: &str) -> Vec<Choice> {
    let choice = |word: &&str| Choice {
        word: (*word).to_owned(),
        text: say(texts, prefix, word),
        is_chosen: *word == chosen,
    };
    words.iter().map(choice).collect()
}

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

/// How a field is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Email,
    Phone,
    Lines,
    Day,
    Choice,
}

/// A field of a form.
pub(crate) struct FormField {
    pub(crate) name: &'static str,
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) value: String,
    pub(crate) longest: usize,
    pub(crate) is_required: bool,
    pub(crate) wrong: Vec<String>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) autocomplete: &'static str,
}

impl FormField {
    pub(super) fn is_wide(&self) -> bool {
        self.kind == Kind::Lines
    }
}

/// What a form of a lead is made of: its name, how it is typed, its length, whether it is required.
const FIELDS: [(&str, Kind, usize, bool); 12] = [
    ("full_name", Kind::Text, 255, true),
    ("position", Kind::Text, 255, true),
    ("company_name", Kind::Text, 255, false),
    ("email", Kind::Email, 254, false),
    ("phone_number", Kind::Phone, 30, false),
    ("source", Kind::Choice, 0, true),
    ("category", Kind::Choice, 0, true),
    ("status", Kind::Choice, 0, true),
    ("owner", Kind::Choice, 0, false),
    ("next_step", Kind::Text, 255, false),
    ("next_step_at", Kind::Day, 10, false),
    ("notes", Kind::Lines, 5000, false),
];

/// The fields of a form with these values and errors.
pub(crate) fn form_fields(
    texts: Texts,
    team: &Team,
    value: impl Fn(&str) -> String,
    invalid: Option<&Invalid>,
) -> Vec<FormField> {
    let field = |(name, kind, longest, is_required): (&'static str, Kind, usize, bool)| {
        let value = value(name);
        let choices = match name {
            "source" => choices(texts, "source", LeadSource::WORDS, &value),
            "category" => choices(texts, "category", LeadCategory::WORDS, &value),
            "status" => choices(texts, "status", LeadStatus::WORDS, &value),
            "owner" => team.choices(&value),
            _ => Vec::new(),
        };
        FormField {
            name,
            label: say(texts, "field", name),
            kind,
            value: if kind == Kind::Day { day(&value) } else { value },
            longest,
            is_required,
            wrong: invalid.map(|invalid| wrong(texts, invalid, name)).unwrap_or_default(),
            choices,
            autocomplete: "off",
        }
    };
    FIELDS.map(field).into_iter().collect()
}

/// The day of a time in RFC 3339, as a date field shows it.
pub(crate) fn day(time: &str) -> String {
    time.chars().take(10).collect()
}

/// The sentences about one field.
fn wrong(texts: Texts, invalid: &Invalid, field: &str) -> Vec<String> {
    let of_field = invalid.fields().filter(|(name, _)| *name == field);
    of_field
        .flat_map(|(_, violations)| violations)
        .map(|violation| rule(texts, field, violation))
        .collect()
}
