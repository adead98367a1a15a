//! How a person is recognised: by an e-mail address or a phone number.

mod text;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::characters::ascii_digit;
use crate::{email, phone};

/// The fewest digits of a phone number that identifies a person.
const FEWEST_DIGITS: usize = 6;

/// The last digits of a phone number, which few other numbers have.
const TELLING_DIGITS: usize = 7;

/// An e-mail address or a phone number, without regard to how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Contact {
    /// An address in the form of [`email::canonical`].
    Email(String),
    /// The digits of a number.
    Phone(String),
}

/// What a column or a field contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactKind {
    /// E-mail addresses.
    Email,
    /// Phone numbers.
    Phone,
    /// Text, in which there may be addresses and numbers.
    Text,
    /// JSON, in whose texts there may be addresses and numbers.
    Json,
}

impl Contact {
    /// Reads an address or a number. `None` if it identifies nobody: an address needs text on both
    /// sides of an `@`, a number at least six digits. A number keeps its digits only, without `00`
    /// at the beginning, which stands for `+`, and without a `(0)` that is not dialled from abroad.
    pub fn read(kind: ContactKind, text: &str) -> Option<Self> {
        match kind {
            ContactKind::Email => {
                let address = email::canonical(text.trim());
                let (name, domain) = address.rsplit_once('@')?;
                let is_one = !name.is_empty() && !domain.is_empty();
                is_one.then(|| Self::Email(address.clone()))
            }
            ContactKind::Phone => {
                // Without a zero in brackets, which is not dialled from abroad.
                let number = phone::canonical(text);
                let number = number.as_deref().unwrap_or(text);
                let digits = number.chars().map(ascii_digit).filter(char::is_ascii_digit);
                let digits: String = digits.collect();
                let digits = digits.strip_prefix("00").unwrap_or(&digits);
                (digits.len() >= FEWEST_DIGITS).then(|| Self::Phone(digits.to_owned()))
            }
            ContactKind::Text | ContactKind::Json => None,
        }
    }

    /// A part of the contact that few others have, so that an index finds it fast: the end of a number, or the
    /// name before the `@` unless it is a plain word such as `info`, which many addresses begin with.
    pub fn telling(&self) -> &str {
        match self {
            Self::Email(address) => {
                let name = address.rfind('@').and_then(|at| address.get(..=at)).unwrap_or(address);
                let is_plain = name.trim_end_matches('@').chars().all(char::is_alphabetic);
                if is_plain { address } else { name }
            }
            Self::Phone(digits) => {
                let begin = digits.len().saturating_sub(TELLING_DIGITS);
                digits.get(begin..).unwrap_or(digits)
            }
        }
    }

    /// Whether a value of this kind has a contact for which `is` returns true.
    pub fn is_in(kind: ContactKind, text: &str, is: &dyn Fn(&Self) -> bool) -> bool {
        match kind {
            ContactKind::Text => text::has(text, is),
            // What is no JSON must not hide anybody.
            ContactKind::Json => match serde_json::from_str(text) {
                Ok(json) => Self::is_in_json(&json, is),
                Err(_) => text::has(text, is),
            },
            kind => Self::read(kind, text).is_some_and(|contact| is(&contact)),
        }
    }

    /// Whether a text anywhere in `json` has a contact for which `is` returns true.
    pub fn is_in_json(json: &Value, is: &dyn Fn(&Self) -> bool) -> bool {
        match json {
            // A text may be JSON itself.
            Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
                Self::is_in(ContactKind::Json, text, is)
            }
            Value::String(text) => text::has_as_value(text, is),
            Value::Array(values) => values.iter().any(|value| Self::is_in_json(value, is)),
            Value::Object(values) => values.iter().any(|(name, value)| {
                Self::is_in(ContactKind::Text, name, is) || Self::is_in_json(value, is)
            }),
            _ => false,
        }
    }
}

impl fmt::Display for Contact {
    /// Writes the contact in one form, such as `email:ana@acme.hr` or `phone:385911234567`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(address) => write!(formatter, "email:{address}"),
            Self::Phone(digits) => write!(formatter, "phone:{digits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(ContactKind::Email, " Ana@ACME.hr ", Some("email:ana@acme.hr"))]
    #[case(ContactKind::Email, "ana@xn--bcher-kva.de", Some("email:ana@bücher.de"))]
    #[case(ContactKind::Email, "ana", None)]
    #[case(ContactKind::Email, "@acme.hr", None)]
    #[case(ContactKind::Email, "ana@", None)]
    #[case(ContactKind::Email, "", None)]
    #[case(ContactKind::Phone, "+385 91 123-4567", Some("phone:385911234567"))]
    #[case(ContactKind::Phone, "00385911234567", Some("phone:385911234567"))]
    #[case(ContactKind::Phone, "091/123 4567", Some("phone:0911234567"))]
    #[case(ContactKind::Phone, "+385 (0)91 123-4567", Some("phone:385911234567"))]
    #[case(ContactKind::Phone, "00385 (0)91 123-4567", Some("phone:385911234567"))]
    #[case(ContactKind::Phone, "+39 (0)6 123 4567", Some("phone:39061234567"))]
    #[case(ContactKind::Phone, "\u{ff10}\u{ff19}\u{ff11} 1234567", Some("phone:0911234567"))]
    #[case(ContactKind::Phone, "12345", None)]
    #[case(ContactKind::Phone, "call me", None)]
    fn a_contact_is_read_however_it_is_written(
        #[case] kind: ContactKind,
        #[case] text: &str,
        #[case] read: Option<&str>,
    ) {
        let contact = Contact::read(kind, text).map(|contact| contact.to_string());
        assert_eq!(contact.as_deref(), read);
    }

    #[rstest]
    #[case(ContactKind::Email, "ana.horvat@acme.hr", "ana.horvat@")]
    #[case(ContactKind::Email, "ana7@acme.hr", "ana7@")]
    #[case(ContactKind::Email, "info@acme.hr", "info@acme.hr")]
    #[case(ContactKind::Phone, "+385911234567", "1234567")]
    #[case(ContactKind::Phone, "123456", "123456")]
    fn the_telling_part_is_one_that_few_others_have(
        #[case] kind: ContactKind,
        #[case] text: &str,
        #[case] part: &str,
    ) {
        assert_eq!(Contact::read(kind, text).unwrap().telling(), part);
    }

    #[rstest]
    #[case(r#"{"to": ["ANA@acme.hr", 7]}"#, true)]
    #[case(r#"{"to": {"phone": "+385 91 123-4567"}}"#, true)]
    #[case(r#"{"to": "eva@acme.hr", "id": 385911234567}"#, false)]
    #[case(r#"{"text": "call 385911234567"}"#, true)]
    #[case(r#"{"to": "Ana <ana@acme.hr>"}"#, true)]
    #[case(r#"{"ana@acme.hr": 1}"#, true)]
    #[case(r#"{"inner": "{\"to\":\"\\nana@acme.hr\"}"}"#, true)]
    #[case(r#"{"inner": "[no JSON: ana@acme.hr"}"#, true)]
    #[case("no JSON: ana@acme.hr", true)]
    #[case("no JSON: eva@acme.hr", false)]
    #[case(r#"{"to": "xana@acme.hr", "from": "ana@acme.hr.example"}"#, false)]
    fn a_contact_is_found_anywhere_in_json(#[case] text: &str, #[case] found: bool) {
        let is = |contact: &Contact| {
            ["email:ana@acme.hr", "phone:385911234567"].contains(&contact.to_string().as_str())
        };
        assert_eq!(Contact::is_in(ContactKind::Json, text, &is), found);
    }
}
