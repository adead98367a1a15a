//! A change of a lead by a form that was rendered earlier. Changes of different fields by different
//! people merge; a field that both changed is a conflict.

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    FIELDS, Lead, LeadChange, LeadInput, LeadWork, LeadWorkChange, LeadWorkInput, NewLead,
};
use crate::characters::normalize;
use crate::email::DisposableDomains;
use crate::raw::RawValue;
use crate::validation::Invalid;
use crate::versions::Version;

/// The values of a form, and what it was rendered from. A form may have some of the fields only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadEdit {
    /// The version of the lead when the form was rendered.
    pub version: Version,
    /// The texts that the form was rendered with, as in [`LeadTexts`]. They matter if somebody else
    /// has changed the lead since.
    pub base: Vec<(String, String)>,
    /// What the form contains now.
    pub values: Vec<(String, RawValue)>,
}

/// The text of each field of a lead, as a form shows it: blank for a missing value, the id of the
/// owner, and times in RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadTexts(Vec<(&'static str, String)>);

impl LeadTexts {
    /// The texts of a stored lead.
    pub fn of(lead: &Lead) -> Self {
        Self::of_parts(&lead.details, &lead.work)
    }

    fn of_parts(details: &NewLead, work: &LeadWork) -> Self {
        // No `..`, so that the compiler reports a forgotten field.
        let NewLead {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
        } = details;
        let LeadWork { owner, next_step, next_step_at } = work;
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        Self(vec![
            ("full_name", full_name.clone()),
            ("position", position.clone()),
            ("company_name", optional(company_name)),
            ("phone_number", optional(phone_number)),
            ("email", optional(email)),
            ("source", source.to_string()),
            ("status", status.to_string()),
            ("notes", optional(notes)),
            ("category", category.to_string()),
            ("owner", owner.map(|id| id.0.to_string()).unwrap_or_default()),
            ("next_step", optional(next_step)),
            ("next_step_at", next_step_at.map(time).unwrap_or_default()),
        ])
    }

    /// Each field and its text, in the order of forms.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, text)| (*name, text.as_str()))
    }

    /// The text of a field; `None` for a name that is no field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == field).map(|(_, text)| text)
    }
}

/// A field that two people changed differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The name of the field.
    pub field: &'static str,
    /// The text that the form was rendered with; `None` if the form does not tell.
    pub original: Option<String>,
    /// The text in the form.
    pub yours: String,
    /// The text that is stored now.
    pub theirs: String,
}

/// All fields that two people changed differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicts {
    /// The fields: at least one, in the order of forms.
    pub fields: Vec<Conflict>,
    /// The version that is stored now. A form that is rendered from it can be saved.
    pub version: Version,
}

/// What an edit comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The lead as it will be: with the changes of the form, and those of others.
    State(NewLead, LeadWork),
    /// Somebody else has changed the same fields differently.
    Conflicts(Conflicts),
}

impl LeadEdit {
    /// Merges the values of the form into the lead `now`.
    ///
    /// Fields whose text is still the one that the form was rendered with do not count. So an older
    /// lead that breaks a rule of today can still be changed in its other fields.
    ///
    /// # Errors
    /// All broken rules of the fields that the form changed or, if there are none, of the lead as a
    /// whole.
    pub fn merge(&self, now: &Lead, disposable: &DisposableDomains) -> Result<Merged, Invalid> {
        let (stored, version) = (LeadTexts::of(now), Version::of(now));
        let base = Base { edit: self, stored: (version == self.version).then_some(&stored) };
        let is_changed = |(name, value): &&(String, RawValue)| {
            text(value).is_none_or(|text| base.get(name).is_none_or(|base| base != text))
        };
        let changed: Vec<_> = self.values.iter().filter(is_changed).cloned().collect();
        let (details, work) = parse(changed, disposable)?;
        let (details, work) = (details.onto(now), work.apply(now));
        let merged = LeadTexts::of_parts(&details, &work);
        let conflict = |(field, theirs): (&'static str, &str)| {
            let yours = merged.get(field).filter(|yours| *yours != theirs)?.to_owned();
            let original = base.get(field);
            let is_theirs = original.as_ref().is_none_or(|base| *base != normalize(theirs));
            let theirs = theirs.to_owned();
            is_theirs.then_some(Conflict { field, original, yours, theirs })
        };
        let fields: Vec<_> = stored.iter().filter_map(conflict).collect();
        if !fields.is_empty() {
            return Ok(Merged::Conflicts(Conflicts { fields, version }));
        }
        // Last, because a lead that breaks a rule as a whole may do so because of a conflict.
        details.check()?;
        Ok(Merged::State(details, work))
    }

    /// The same edit, for a form that was rendered from `lead`. If `lead` has the version of the
    /// form, its texts replace those that the form sent.
    #[must_use]
    pub fn seen(mut self, lead: &Lead) -> Self {
        if Version::of(lead) == self.version {
            let texts = LeadTexts::of(lead);
            self.base =
                texts.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        }
        self
    }
}

/// What a form was rendered with.
struct Base<'a> {
    edit: &'a LeadEdit,
    /// The stored lead, if it is still the version of the form.
    stored: Option<&'a LeadTexts>,
}

impl Base<'_> {
    /// The text of a field, as forms send it.
    fn get(&self, field: &str) -> Option<String> {
        let sent = || {
            let mut base = self.edit.base.iter();
            base.find(|(name, _)| name == field).map(|(_, text)| text.as_str())
        };
        match self.stored {
            Some(stored) => stored.get(field),
            None => sent(),
        }
        .map(normalize)
    }
}

/// The text of a value of a form; `None` for values that no form sends.
fn text(value: &RawValue) -> Option<String> {
    match value {
        RawValue::Text(text) | RawValue::Number(text) => Some(normalize(text)),
        RawValue::Null | RawValue::Unfilled => Some(String::new()),
        RawValue::Missing | RawValue::Bool(_) | RawValue::Other(_) => None,
    }
}

fn parse(
    values: Vec<(String, RawValue)>,
    disposable: &DisposableDomains,
) -> Result<(LeadChange, LeadWorkChange), Invalid> {
    let work = LeadWorkInput::of(&values).into_change();
    both(LeadInput::of(values).into_change(disposable), work)
}

/// Parses the form of a new lead: its details and the work on it.
///
/// # Errors
/// All broken rules of all fields or, if there are none, of the lead as a whole.
pub fn parse_new(
    values: Vec<(String, RawValue)>,
    disposable: &DisposableDomains,
) -> Result<(NewLead, LeadWork), Invalid> {
    let work = LeadWorkInput::of(&values).into_change();
    let (details, work) = both(LeadInput::of(values).into_new(disposable), work)?;
    Ok((details, work.into_new()))
}

fn both<A, B>(one: Result<A, Invalid>, other: Result<B, Invalid>) -> Result<(A, B), Invalid> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut invalid), Err(other)) => {
            invalid.merge(other);
            Err(invalid.in_order_of(FIELDS))
        }
        (Err(invalid), _) | (_, Err(invalid)) => Err(invalid),
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
