//! Changes of a row by a form that was rendered earlier. Changes of different fields by different
//! people merge; a field that both changed is a conflict.

use serde::Serialize;

use crate::characters::normalize;
use crate::email::DisposableDomains;
use crate::raw::RawValue;
use crate::validation::Invalid;
use crate::versions::Version;

/// A row that forms edit.
pub trait Edited: Serialize {
    /// What a form changes.
    type State;

    /// What a form changes, as it is stored.
    fn state(&self) -> Self::State;

    /// The text of each field, in the order of forms.
    fn texts(state: &Self::State) -> FieldTexts;

    /// The state with these values of fields. It may break a rule of the row as a whole.
    ///
    /// # Errors
    /// All broken rules of these fields.
    fn with(
        &self,
        values: Vec<(String, RawValue)>,
        disposable: &DisposableDomains,
    ) -> Result<Self::State, Invalid>;

    /// Checks the rules of the row as a whole.
    ///
    /// # Errors
    /// A broken rule.
    fn check(_: &Self::State) -> Result<(), Invalid> {
        Ok(())
    }
}

/// The text of each field of a row, as a form shows it: blank for a missing value, the ids of other
/// rows, times in RFC 3339, amounts with a dot and two decimals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTexts(Vec<(&'static str, String)>);

impl FieldTexts {
    /// The texts of a stored row.
    pub fn of<R: Edited>(row: &R) -> Self {
        R::texts(&row.state())
    }

    /// The texts of the fields, in the order of forms.
    ///
    /// ```
    /// use exit3_domain::edits::FieldTexts;
    ///
    /// let texts = FieldTexts::new(vec![("place", "Zagreb".to_owned())]);
    /// assert_eq!((texts.get("place"), texts.get("other")), (Some("Zagreb"), None));
    /// ```
    pub fn new(texts: Vec<(&'static str, String)>) -> Self {
        Self(texts)
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

/// The values of a form, and what it was rendered from. A form may have some of the fields only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The version of the row when the form was rendered.
    pub version: Version,
    /// The texts that the form was rendered with, as in [`FieldTexts`]. They matter if somebody else has
    /// changed the row since.
    pub base: Vec<(String, String)>,
    /// What the form contains now.
    pub values: Vec<(String, RawValue)>,
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
pub enum Merged<S> {
    /// The row as it will be: with the changes of the form, and those of others.
    State(S),
    /// Somebody else has changed the same fields differently.
    Conflicts(Conflicts),
}

impl Edit {
    /// Merges the values of the form into the row `now`.
    ///
    /// Fields whose text is still the one that the form was rendered with do not count. So an older
    /// row that breaks a rule of today can still be changed in its other fields.
    ///
    /// # Errors
    /// All broken rules of the fields that the form changed or, if there are none, of the row as a
    /// whole.
    pub fn merge<R: Edited>(
        &self,
        now: &R,
        disposable: &DisposableDomains,
    ) -> Result<Merged<R::State>, Invalid> {
        let (stored, version) = (FieldTexts::of(now), Version::of(now));
        let base = Base { edit: self, stored: (version == self.version).then_some(&stored) };
        let is_changed = |(name, value): &&(String, RawValue)| {
            text(value).is_none_or(|text| base.get(name).is_none_or(|base| base != text))
        };
        let changed: Vec<_> = self.values.iter().filter(is_changed).cloned().collect();
        let state = now.with(changed, disposable)?;
        let merged = R::texts(&state);
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
        // Last, because a row that breaks a rule as a whole may do so because of a conflict.
        R::check(&state)?;
        Ok(Merged::State(state))
    }

    /// The same edit, for a form that was rendered from `row`. If `row` has the version of the
    /// form, its texts replace those that the form sent.
    #[must_use]
    pub fn seen<R: Edited>(mut self, row: &R) -> Self {
        if Version::of(row) == self.version {
            let texts = FieldTexts::of(row);
            self.base =
                texts.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        }
        self
    }
}

/// What a form was rendered with.
struct Base<'a> {
    edit: &'a Edit,
    /// The stored row, if it is still the version of the form.
    stored: Option<&'a FieldTexts>,
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
