//! Validation errors, by field.

use std::borrow::Cow;

use validator::ValidationError;

use crate::fields::Field;

/// One broken rule. It contains no value of the input, except in the message about an unknown
/// choice, which clients already parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The stable, machine-readable name of the rule (`required`, `max_length`, ...).
    pub code: &'static str,
    /// The message for people.
    pub message: Cow<'static, str>,
}

impl Violation {
    /// A violation with a fixed or computed message.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }
}

/// All broken rules of an input.
///
/// ```
/// use exit3_domain::validation::{Invalid, Violation};
///
/// let mut invalid = Invalid::new();
/// invalid.push("place", Violation::new("blank", "This field may not be blank."));
/// invalid.push_whole(Violation::new("too_late", "The booking would end before it starts."));
/// assert_eq!(invalid.of_the_whole()[0].code, "too_late");
/// assert!(invalid.or("a booking").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
#[error("invalid input")]
pub struct Invalid {
    fields: Vec<(&'static str, Vec<Violation>)>,
    whole: Vec<Violation>,
}

impl Invalid {
    /// No errors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A single error of one field.
    pub fn field(field: &'static str, violation: Violation) -> Self {
        let mut invalid = Self::new();
        invalid.push(field, violation);
        invalid
    }

    /// A single error of the input as a whole.
    pub fn whole(violation: Violation) -> Self {
        Self { fields: Vec::new(), whole: vec![violation] }
    }

    /// Adds an error of `field`.
    pub fn push(&mut self, field: &'static str, violation: Violation) {
        match self.fields.iter_mut().find(|(name, _)| *name == field) {
            Some((_, violations)) => violations.push(violation),
            None => self.fields.push((field, vec![violation])),
        }
    }

    /// Adds an error of the input as a whole.
    pub fn push_whole(&mut self, violation: Violation) {
        self.whole.push(violation);
    }

    /// Adds all errors of `other`.
    pub fn merge(&mut self, other: Self) {
        for (field, violations) in other.fields {
            for violation in violations {
                self.push(field, violation);
            }
        }
        self.whole.extend(other.whole);
    }

    /// Sorts the fields in the order of `fields`; fields that are not listed come last.
    #[must_use]
    pub fn in_order_of(mut self, fields: &[Field]) -> Self {
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        self.fields.sort_by_key(|(name, _)| place(name).unwrap_or(fields.len()));
        self
    }

    /// The errors by field, in the order in which they were added.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &[Violation])> {
        self.fields.iter().map(|(name, violations)| (*name, violations.as_slice()))
    }

    /// The errors of the input as a whole.
    pub fn of_the_whole(&self) -> &[Violation] {
        &self.whole
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.whole.is_empty()
    }

    /// Returns `value` if there are no errors, else the errors.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// Creates an error for `validator`.
pub(crate) fn violation(code: &'static str, message: &'static str) -> ValidationError {
    ValidationError::new(code).with_message(Cow::Borrowed(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(message: &'static str) -> Violation {
        Violation::new("code", message)
    }

    fn told(invalid: &Invalid) -> Vec<(&str, Vec<&str>)> {
        invalid
            .fields()
            .map(|(name, found)| (name, found.iter().map(|one| one.message.as_ref()).collect()))
            .collect()
    }

    #[test]
    fn one_error_of_one_field() {
        let invalid = Invalid::field("email", violation("one"));
        assert_eq!(told(&invalid), [("email", vec!["one"])]);
        assert!(!invalid.is_empty() && invalid.of_the_whole().is_empty());
    }

    #[test]
    fn merged_errors_come_last() {
        let mut invalid = Invalid::field("email", violation("one"));
        let mut other = Invalid::whole(violation("whole"));
        other.push("name", violation("two"));
        other.push("email", violation("three"));
        invalid.merge(other);
        assert_eq!(told(&invalid), [("email", vec!["one", "three"]), ("name", vec!["two"])]);
        assert_eq!(invalid.of_the_whole(), [violation("whole")]);
    }

    #[test]
    fn fields_come_in_the_order_that_is_asked_for_and_the_unknown_last() {
        let mut invalid = Invalid::field("unknown", violation("x"));
        invalid.push("b", violation("x"));
        invalid.push("a", violation("x"));
        let names = |invalid: &Invalid| invalid.fields().map(|(name, _)| name).collect::<Vec<_>>();
        let fields = ["a", "b"].map(|name| Field::boolean().named(name));
        assert_eq!(names(&invalid.in_order_of(&fields)), ["a", "b", "unknown"]);
    }

    #[test]
    fn a_value_is_valid_where_no_rule_is_broken() {
        assert_eq!(Invalid::new().or(7), Ok(7));
        let whole = Invalid::whole(violation("whole"));
        assert!(!whole.is_empty());
        assert_eq!(whole.clone().or(7), Err(whole));
    }
}
