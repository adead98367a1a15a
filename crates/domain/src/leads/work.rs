//! How sales works a lead: who owns it, and what the next step is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::ValidationError;

use super::Lead;
use crate::characters::{is_blank, normalize};
use crate::raw::RawValue;
use crate::staff::StaffId;
use crate::text::{characters, time_of};
use crate::validation::{Invalid, Violation};

/// The fields of [`LeadWork`], in their order.
pub const WORK_FIELDS: &[&str] = &["owner", "next_step", "next_step_at"];

/// The longest next step, in characters.
pub const NEXT_STEP_LENGTH: usize = 255;

/// The work on a lead. Only staff see and change it. A lead that the API creates has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadWork {
    /// The account that owns the lead.
    pub owner: Option<StaffId>,
    /// What to do next: 1 to 255 characters.
    pub next_step: Option<String>,
    /// When to do it, in whole minutes.
    pub next_step_at: Option<DateTime<Utc>>,
}

impl LeadWork {
    /// Whether nobody owns the lead and nothing is planned.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The work on a lead as a form sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadWorkInput {
    /// The id of an account; blank for nobody.
    pub owner: RawValue,
    /// A text; blank for none.
    pub next_step: RawValue,
    /// A time in RFC 3339; blank for none. Seconds are cut off.
    pub next_step_at: RawValue,
}

impl LeadWorkInput {
    /// The input with these fields. Other names are ignored.
    pub fn of(fields: &[(String, RawValue)]) -> Self {
        let mut input = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "owner" => input.owner = value.clone(),
                "next_step" => input.next_step = value.clone(),
                "next_step_at" => input.next_step_at = value.clone(),
                _ => {}
            }
        }
        input
    }

    /// Parses a change of the given fields.
    ///
    /// # Errors
    /// All broken rules of the given fields.
    pub fn into_change(self) -> Result<LeadWorkChange, Invalid> {
        let Self { owner, next_step, next_step_at } = self;
        let mut invalid = Invalid::new();
        let change = LeadWorkChange {
            owner: read("owner", owner, owner_of, &mut invalid),
            next_step: read("next_step", next_step, step_of, &mut invalid),
            next_step_at: read("next_step_at", next_step_at, time_of, &mut invalid),
        };
        invalid.or(change)
    }
}

/// Reads a field that may be blank. `None` if it is missing or invalid.
#[allow(clippy::option_option, reason = "a missing field and a blank one differ")]
fn read<T>(
    field: &'static str,
    raw: RawValue,
    parse: fn(&str) -> Result<T, Violation>,
    invalid: &mut Invalid,
) -> Option<Option<T>> {
    let text = match raw {
        RawValue::Missing => return None,
        RawValue::Null | RawValue::Unfilled => return Some(None),
        RawValue::Text(text) | RawValue::Number(text) => normalize(&text),
        RawValue::Bool(_) | RawValue::Other(_) => {
            invalid.push(field, Violation::new("invalid", "Not a valid string."));
            return None;
        }
    };
    if is_blank(&text) {
        return Some(None);
    }
    match parse(&text) {
        Ok(value) => Some(Some(value)),
        Err(violation) => {
            invalid.push(field, violation);
            None
        }
    }
}

fn owner_of(text: &str) -> Result<StaffId, Violation> {
    let id = text.parse().ok().filter(|id| *id > 0).map(StaffId);
    id.ok_or_else(unknown_owner)
}

/// The error for an owner that is no account.
pub fn unknown_owner() -> Violation {
    Violation::new("unknown_owner", "There is no such account.")
}

fn step_of(text: &str) -> Result<String, Violation> {
    if text.chars().count() > NEXT_STEP_LENGTH {
        let message = "Ensure this field has no more than 255 characters.";
        return Err(Violation::new("max_length", message));
    }
    let refused = |error: ValidationError| {
        let message = error.message.unwrap_or_default();
        match text.contains('\0') {
            true => Violation::new("null_characters_not_allowed", message),
            false => Violation::new("control_characters_not_allowed", message),
        }
    };
    characters(text).map_err(refused)?;
    Ok(text.to_owned())
}

/// New values for some fields of [`LeadWork`]; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `LeadWork`")]
#[allow(clippy::option_option, reason = "no change and a change to nothing differ")]
pub struct LeadWorkChange {
    pub owner: Option<Option<StaffId>>,
    pub next_step: Option<Option<String>>,
    pub next_step_at: Option<Option<DateTime<Utc>>>,
}

impl LeadWorkChange {
    /// The work on `lead` after the change.
    pub fn apply(&self, lead: &Lead) -> LeadWork {
        let Self { owner, next_step, next_step_at } = self.clone();
        let current = lead.work.clone();
        LeadWork {
            owner: owner.unwrap_or(current.owner),
            next_step: next_step.unwrap_or(current.next_step),
            next_step_at: next_step_at.unwrap_or(current.next_step_at),
        }
    }

    /// The work on a new lead.
    pub fn into_new(self) -> LeadWork {
        let Self { owner, next_step, next_step_at } = self;
        LeadWork {
            owner: owner.flatten(),
            next_step: next_step.flatten(),
            next_step_at: next_step_at.flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn change(field: &str, value: RawValue) -> Result<LeadWorkChange, Vec<&'static str>> {
        let input = LeadWorkInput::of(&[(field.to_owned(), value)]);
        input.into_change().map_err(|invalid| {
            let errors = invalid.fields().flat_map(|(name, errors)| {
                assert_eq!(name, field);
                errors.iter().map(|error| error.code)
            });
            errors.collect()
        })
    }

    #[test]
    fn missing_fields_do_not_change_and_blank_ones_become_empty() {
        assert_eq!(LeadWorkInput::default().into_change(), Ok(LeadWorkChange::default()));
        for blank in [RawValue::Null, RawValue::Unfilled, RawValue::text(" \u{200b}")] {
            for field in WORK_FIELDS {
                let change = change(field, blank.clone()).unwrap();
                assert_eq!(change.clone().into_new(), LeadWork::default());
                assert_ne!(change, LeadWorkChange::default(), "{field}");
            }
        }
    }

    #[rstest]
    #[case("owner", "0", "unknown_owner")]
    #[case("owner", "-1", "unknown_owner")]
    #[case("owner", "ana", "unknown_owner")]
    #[case("owner", "99999999999999999999", "unknown_owner")]
    #[case("next_step", "a\0b", "null_characters_not_allowed")]
    #[case("next_step", "a\u{7}b", "control_characters_not_allowed")]
    #[case("next_step_at", "tomorrow", "invalid_time")]
    #[case("next_step_at", "2026-02-30T10:00:00Z", "invalid_time")]
    #[case("next_step_at", "2026-02-03T10:00", "invalid_time")]
    #[case("next_step_at", "1899-12-31T23:59:59Z", "invalid_time")]
    #[case("next_step_at", "9999-01-01T00:00:00Z", "invalid_time")]
    fn refuses(#[case] field: &str, #[case] text: &str, #[case] code: &'static str) {
        assert_eq!(change(field, RawValue::text(text)), Err(vec![code]));
    }

    #[test]
    fn refuses_values_of_another_kind() {
        for field in WORK_FIELDS {
            for value in [RawValue::Bool(true), RawValue::Other("[]".to_owned())] {
                assert_eq!(change(field, value), Err(vec!["invalid"]), "{field}");
            }
        }
    }

    #[test]
    fn a_next_step_has_at_most_255_characters() {
        let longest = "\u{111}".repeat(255);
        let taken = change("next_step", RawValue::text(format!(" {longest} "))).unwrap();
        assert_eq!(taken.next_step, Some(Some(longest.clone())));
        let refused = change("next_step", RawValue::text(longest + "x"));
        assert_eq!(refused, Err(vec!["max_length"]));
    }

    #[test]
    fn a_next_step_is_planned_to_the_minute() {
        let taken = change("next_step_at", RawValue::text("2026-02-03T10:05:59.5+02:00")).unwrap();
        let expected = "2026-02-03T08:05:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(taken.next_step_at, Some(Some(expected)));
    }

    #[test]
    fn all_errors_are_collected() {
        let fields = WORK_FIELDS.iter().map(|name| ((*name).to_owned(), RawValue::text("\0")));
        let fields: Vec<_> = fields.collect();
        let invalid = LeadWorkInput::of(&fields).into_change().unwrap_err();
        assert!(invalid.fields().map(|(name, _)| name).eq(WORK_FIELDS.iter().copied()));
    }
}
