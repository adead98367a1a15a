//! Reading raw values into typed ones: presence, type, trimming and choices.
//! What a value may look like beyond that is a rule of its field.

use std::borrow::Cow;

use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::characters::{is_blank, normalize};
use crate::email;
use crate::raw::RawValue;
use crate::validation::{Invalid, Violation, violation};

/// Reads the fields of one input and collects what is wrong with them.
pub(crate) struct Reader {
    complete: bool,
    invalid: Invalid,
}

impl Reader {
    /// A reader that insists on required fields (`complete`), or one for a
    /// partial change.
    pub(crate) fn new(complete: bool) -> Self {
        Self { complete, invalid: Invalid::new() }
    }

    /// Everything found wrong.
    pub(crate) fn into_invalid(self) -> Invalid {
        self.invalid
    }

    /// A text that must not be null or blank; `None` where it is missing or wrong.
    pub(crate) fn required_text(&mut self, field: &'static str, raw: RawValue) -> Option<String> {
        if raw.is_missing() {
            if self.complete {
                self.fail(field, "required", "This field is required.");
            }
            return None;
        }
        let text = self.text(field, raw)?;
        if text.is_none() {
            self.fail(field, "null", "This field may not be null.");
        }
        if text.as_deref().is_some_and(is_blank) {
            self.fail(field, "blank", "This field may not be blank.");
            return None;
        }
        text
    }

    /// A text that may be null or blank; `None` where it is missing or wrong,
    /// `Some(None)` for null.
    pub(crate) fn optional_text(
        &mut self,
        field: &'static str,
        raw: RawValue,
    ) -> Option<Option<String>> {
        if raw.is_missing() { None } else { self.text(field, raw) }
    }

    /// One of a set of words; `None` where it is missing or wrong.
    pub(crate) fn choice<T>(
        &mut self,
        field: &'static str,
        raw: RawValue,
        from_word: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let word = match raw {
            RawValue::Missing | RawValue::Unfilled => return None,
            RawValue::Null => {
                self.fail(field, "null", "This field may not be null.");
                return None;
            }
            RawValue::Text(text) | RawValue::Number(text) | RawValue::Other(text) => text,
            RawValue::Bool(true) => "True".to_owned(),
            RawValue::Bool(false) => "False".to_owned(),
        };
        let choice = from_word(&word);
        if choice.is_none() {
            self.fail(field, "invalid_choice", format!("\"{word}\" is not a valid choice."));
        }
        choice
    }

    /// A boolean, also in the words that HTML forms and people use for it;
    /// `None` where it is missing or wrong.
    pub(crate) fn boolean(&mut self, field: &'static str, raw: RawValue) -> Option<bool> {
        let given = match raw {
            RawValue::Missing | RawValue::Unfilled => return None,
            RawValue::Null => {
                self.fail(field, "null", "This field may not be null.");
                return None;
            }
            RawValue::Bool(given) => Some(given),
            RawValue::Text(text) => match text.to_lowercase().as_str() {
                "t" | "y" | "yes" | "true" | "on" | "1" => Some(true),
                "f" | "n" | "no" | "false" | "off" | "0" => Some(false),
                _ => None,
            },
            RawValue::Number(number) => match number.as_str() {
                "1" | "1.0" => Some(true),
                "0" | "0.0" | "-0" | "-0.0" => Some(false),
                _ => None,
            },
            RawValue::Other(_) => None,
        };
        if given.is_none() {
            self.fail(field, "invalid", "Must be a valid boolean.");
        }
        given
    }

    /// `Some(None)` for null, `None` for a value that is not a text.
    fn text(&mut self, field: &'static str, raw: RawValue) -> Option<Option<String>> {
        match raw {
            RawValue::Text(text) | RawValue::Number(text) => Some(Some(normalize(&text))),
            RawValue::Unfilled => Some(Some(String::new())),
            RawValue::Null => Some(None),
            RawValue::Missing | RawValue::Bool(_) | RawValue::Other(_) => {
                if field == "email" {
                    self.fail(field, "invalid_email", email::MESSAGE);
                } else {
                    self.fail(field, "invalid", "Not a valid string.");
                }
                None
            }
        }
    }

    fn fail(
        &mut self,
        field: &'static str,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.invalid.push(field, Violation::new(code, message));
    }

    /// Adds every rule that `errors` reports as broken, for any field, since a rule that is not
    /// added counts as fulfilled.
    pub(crate) fn add(&mut self, errors: &ValidationErrors) {
        for (field, errors) in errors.errors() {
            match (field, errors) {
                (Cow::Borrowed(field), ValidationErrorsKind::Field(errors))
                    if *field != WHOLE_STRUCT =>
                {
                    self.add_of_field(field, errors);
                }
                (_, ValidationErrorsKind::Field(errors)) => {
                    errors.iter().for_each(|error| self.invalid.push_whole(told(error)));
                }
                // No input has any yet. One that gets some is refused until they are told
                // field by field.
                (_, ValidationErrorsKind::Struct(_) | ValidationErrorsKind::List(_)) => {
                    self.invalid.push_whole(Violation::new("invalid", UNTOLD));
                }
            }
        }
    }

    /// If a rule of form fails (too long, not an address), the rules of taste of that field
    /// are not reported. A rule that [`CODES`] does not list is always reported.
    /// `validator` keeps the offending value beside each error; only code and message are
    /// taken over.
    fn add_of_field(&mut self, field: &'static str, errors: &[ValidationError]) {
        let mut broken: Vec<(u8, &ValidationError)> =
            errors.iter().map(|error| (rank(&error.code), error)).collect();
        broken.sort_by_key(|(rank, _)| *rank);
        let of_form = broken.iter().any(|(rank, _)| *rank < TASTE);
        for (rank, error) in broken {
            if rank != TASTE || !of_form {
                self.invalid.push(field, told(error));
            }
        }
    }
}

/// Under which name `validator` has errors of a struct as a whole.
const WHOLE_STRUCT: &str = "__all__";

/// What is said of a broken rule that has no words of its own.
const UNTOLD: &str = "Invalid value.";

fn told(error: &ValidationError) -> Violation {
    Violation::new(code(&error.code), error.message.clone().unwrap_or(Cow::Borrowed(UNTOLD)))
}

/// The rank from which on a rule is one of taste.
const TASTE: u8 = 10;

/// The rank of a rule that is not listed.
const UNLISTED: u8 = 11;

/// The codes of field rules, in the order in which their messages are given.
const CODES: &[(&str, u8)] = &[
    ("invalid_phone_number", 0),
    ("max_length", 1),
    ("null_characters_not_allowed", 2),
    ("control_characters_not_allowed", 3),
    ("invalid_email", 4),
    ("notes_too_long", TASTE),
    ("min_length", TASTE),
    ("only_numbers", TASTE),
    ("markup", TASTE),
    ("disposable_email", TASTE),
];

fn rank(code: &str) -> u8 {
    CODES.iter().find(|(known, _)| *known == code).map_or(UNLISTED, |(_, rank)| *rank)
}

fn code(code: &str) -> &'static str {
    CODES.iter().find(|(known, _)| *known == code).map_or("invalid", |(known, _)| known)
}

/// No NUL, which PostgreSQL cannot store, and no other control character but
/// tab and newline.
pub(crate) fn characters(text: &str) -> Result<(), ValidationError> {
    if text.contains('\0') {
        return Err(violation("null_characters_not_allowed", "Null characters are not allowed."));
    }
    if text.chars().any(|c| c.is_control() && c != '\t' && c != '\n') {
        return Err(violation(
            "control_characters_not_allowed",
            "Control characters are not allowed.",
        ));
    }
    Ok(())
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
