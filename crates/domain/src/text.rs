//! Converts raw values to typed ones: checks presence, type and choices, and trims texts. Further
//! requirements are rules of the fields.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, DurationRound, TimeDelta, Utc};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::characters::{is_blank, normalize};
use crate::email;
use crate::raw::RawValue;
use crate::validation::{Invalid, Violation, violation};

/// Reads the fields of one input and collects their errors.
///
/// ```
/// use exit3_domain::raw::RawValue;
/// use exit3_domain::text::{Reader, time_of};
///
/// let mut reader = Reader::new(true);
/// let place = reader.required_text("place", RawValue::text(" Zagreb "));
/// let starts_at = reader.required("starts_at", RawValue::text("tomorrow"), time_of);
/// assert_eq!((place.as_deref(), starts_at), (Some("Zagreb"), None));
///
/// let invalid = reader.into_invalid();
/// let (field, broken) = invalid.fields().next().unwrap();
/// assert_eq!((field, broken[0].code), ("starts_at", "invalid_time"));
/// ```
pub struct Reader {
    complete: bool,
    invalid: Invalid,
}

impl Reader {
    /// With `complete`, missing required fields are errors; without it, the input is a partial
    /// change.
    pub fn new(complete: bool) -> Self {
        Self { complete, invalid: Invalid::new() }
    }

    /// All errors.
    pub fn into_invalid(self) -> Invalid {
        self.invalid
    }

    /// Reads a text that must not be null or blank; `None` if it is missing or invalid.
    pub fn required_text(&mut self, field: &'static str, raw: RawValue) -> Option<String> {
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

    /// Reads a text that may be null or blank; `None` if it is missing or invalid, `Some(None)` for
    /// null.
    pub fn optional_text(&mut self, field: &'static str, raw: RawValue) -> Option<Option<String>> {
        if raw.is_missing() { None } else { self.text(field, raw) }
    }

    /// Reads a text that may be blank, but not null; `None` if it is missing or invalid.
    pub fn blank_text(&mut self, field: &'static str, raw: RawValue) -> Option<String> {
        let text = self.optional_text(field, raw)?;
        if text.is_none() {
            self.fail(field, "null", "This field may not be null.");
        }
        text
    }

    /// Reads a value that is written as a text, and may be null or blank; `None` if it is missing
    /// or invalid, `Some(None)` for null and blank texts.
    pub fn optional<T>(
        &mut self,
        field: &'static str,
        raw: RawValue,
        parse: fn(&str) -> Result<T, Violation>,
    ) -> Option<Option<T>> {
        let text = match raw {
            RawValue::Missing => return None,
            RawValue::Null | RawValue::Unfilled => return Some(None),
            RawValue::Text(text) | RawValue::Number(text) => normalize(&text),
            RawValue::Bool(truth) => truth.to_string(),
            RawValue::Other(text) => text,
        };
        if is_blank(&text) {
            return Some(None);
        }
        match parse(&text) {
            Ok(value) => Some(Some(value)),
            Err(violation) => {
                self.invalid.push(field, violation);
                None
            }
        }
    }

    /// Like [`Self::optional`], for a value that must not be null or blank; `None` if it is missing
    /// or invalid.
    pub fn required<T>(
        &mut self,
        field: &'static str,
        raw: RawValue,
        parse: fn(&str) -> Result<T, Violation>,
    ) -> Option<T> {
        let (is_missing, is_null) = (raw.is_missing(), raw == RawValue::Null);
        let value = self.optional(field, raw, parse);
        match value {
            None if is_missing && self.complete => {
                self.fail(field, "required", "This field is required.");
            }
            Some(None) if is_null => self.fail(field, "null", "This field may not be null."),
            Some(None) => self.fail(field, "blank", "This field may not be blank."),
            _ => {}
        }
        value.flatten()
    }

    /// Reads one of a set of words; `None` if it is missing or invalid.
    pub fn choice<T>(
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

    /// Reads a boolean, also in the words that HTML forms and people use; `None` if it is missing
    /// or invalid.
    pub fn boolean(&mut self, field: &'static str, raw: RawValue) -> Option<bool> {
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

    /// Adds every broken rule in `errors`, for any field, because a rule that is not added counts
    /// as fulfilled.
    pub fn add(&mut self, errors: &ValidationErrors) {
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
                // No input has nested errors yet. If one gets them, it is refused until they are
                // reported per field.
                (_, ValidationErrorsKind::Struct(_) | ValidationErrorsKind::List(_)) => {
                    self.invalid.push_whole(Violation::new("invalid", UNTOLD));
                }
            }
        }
    }

    /// If a format rule fails (too long, not an address), the style rules of that field are not
    /// reported. A rule that [`CODES`] does not list is always reported. `validator` keeps the
    /// offending value beside each error; only code and message are copied.
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

/// The key under which `validator` reports errors of a struct as a whole.
const WHOLE_STRUCT: &str = "__all__";

/// The message for a broken rule that has none.
const UNTOLD: &str = "Invalid value.";

fn told(error: &ValidationError) -> Violation {
    Violation::new(code(&error.code), error.message.clone().unwrap_or(Cow::Borrowed(UNTOLD)))
}

/// Rules with this rank or a higher one are style rules.
const TASTE: u8 = 10;

/// The rank of rules that are not listed.
const UNLISTED: u8 = 11;

/// The codes of field rules, in the order in which their messages are reported.
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

/// Refuses control characters except tab and newline. PostgreSQL cannot store NUL.
///
/// It is a rule for `#[validate(custom(function = characters))]`, whose errors [`Reader::add`] takes.
///
/// # Errors
/// The text has such a character.
pub fn characters(text: &str) -> Result<(), ValidationError> {
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

/// Reads a time in RFC 3339, in whole minutes: seconds are cut off.
///
/// ```
/// use exit3_domain::text::time_of;
///
/// let time = time_of("2026-02-03T10:05:59+02:00").unwrap();
/// assert_eq!(time.to_rfc3339(), "2026-02-03T08:05:00+00:00");
/// assert_eq!(time_of("2026-02-03T10:05").unwrap_err().code, "invalid_time");
/// ```
///
/// # Errors
/// The text is no time, or one that the databases cannot store.
pub fn time_of(text: &str) -> Result<DateTime<Utc>, Violation> {
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let time = time.and_then(|time| time.duration_trunc(TimeDelta::minutes(1)).ok());
    // The databases store years up to 9999, and a zone may cross the end of a year.
    let time = time.filter(|time| (1900..9999).contains(&time.year()));
    time.ok_or_else(|| Violation::new("invalid_time", "Enter a valid date and time."))
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
