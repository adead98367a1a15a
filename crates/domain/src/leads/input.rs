//! Parses leads from the API, forms and files. All leads that are created or changed pass through
//! here.

use unicode_normalization::UnicodeNormalization;
use validator::{Validate, ValidateArgs, ValidationError};

use super::{Lead, LeadCategory, LeadSource, LeadStatus, NewLead};
use crate::email::{self, DisposableDomains};
use crate::fields::{Field, fields};
use crate::phone;
use crate::raw::RawValue;
use crate::text::{Reader, characters};
use crate::validation::{Invalid, Violation, violation};

fields! {
    /// A lead as a client sent it.
    LeadInput {
        full_name: Field::text(255).required(),
        position: Field::text(255).required(),
        company_name: Field::text(255).nullable(),
        phone_number: Field::text(20).nullable(),
        email: Field::text(email::MAX_LENGTH).nullable(),
        source: Field::choice(LeadSource::WORDS),
        status: Field::choice(LeadStatus::WORDS),
        notes: Field::text(5000).stored_at_any_length().nullable(),
        category: Field::choice(LeadCategory::WORDS),
    }
}

impl LeadInput {
    /// Parses a new lead; missing fields get their defaults.
    ///
    /// # Errors
    /// All broken rules of all fields or, if there are none, of the lead as a whole.
    pub fn into_new(self, disposable: &DisposableDomains) -> Result<NewLead, Invalid> {
        // No `..` here and below, so that the compiler reports a forgotten field.
        let LeadChange {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
        } = self.into_replacement(disposable)?;
        Ok(NewLead {
            full_name: full_name.unwrap_or_default(),
            position: position.unwrap_or_default(),
            company_name: company_name.flatten(),
            phone_number: phone_number.flatten(),
            email: email.flatten(),
            source: source.unwrap_or(LeadSource::Other),
            status: status.unwrap_or(LeadStatus::New),
            notes: notes.flatten(),
            category: category.unwrap_or(LeadCategory::WebDev),
        })
    }

    /// Parses a replacement, which must be a complete lead; missing optional fields keep their
    /// values.
    ///
    /// # Errors
    /// Like [`Self::into_new`].
    pub fn into_replacement(self, disposable: &DisposableDomains) -> Result<LeadChange, Invalid> {
        let change = self.read(true, disposable)?;
        let email = change.email.as_ref().and_then(Option::as_deref);
        let phone_number = change.phone_number.as_ref().and_then(Option::as_deref);
        check_reachable(email, phone_number)?;
        Ok(change)
    }

    /// Parses a change of the given fields. [`LeadChange::apply`] checks the lead as a whole.
    ///
    /// # Errors
    /// All broken rules of the given fields.
    pub fn into_change(self, disposable: &DisposableDomains) -> Result<LeadChange, Invalid> {
        self.read(false, disposable)
    }

    fn read(self, complete: bool, disposable: &DisposableDomains) -> Result<LeadChange, Invalid> {
        let Self {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
        } = self;
        let mut reader = Reader::new(complete);
        // A JSON number may contain a sign and a decimal point, which are not separators.
        let is_typed = matches!(phone_number, RawValue::Text(_));
        let dialed = |text: String| match phone::canonical(&text) {
            Some(number) if is_typed => number,
            _ => text,
        };
        let change = LeadChange {
            full_name: reader.required_text("full_name", full_name),
            position: reader.required_text("position", position),
            company_name: reader.optional_text("company_name", company_name),
            phone_number: reader
                .optional_text("phone_number", phone_number)
                .map(|text| text.map(dialed)),
            email: reader
                .optional_text("email", email)
                .map(|text| text.map(|text| email::canonical(&text))),
            source: reader.choice("source", source, LeadSource::from_word),
            status: reader.choice("status", status, LeadStatus::from_word),
            notes: reader.optional_text("notes", notes),
            category: reader.choice("category", category, LeadCategory::from_word),
        };
        if let Err(errors) = change.validate_with_args(disposable) {
            reader.add(&errors);
        }
        reader.into_invalid().in_order_of(FIELDS).or(change)
    }
}

/// New values for some fields of a lead; `None` leaves a field unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Validate)]
#[validate(context = DisposableDomains)]
#[allow(missing_docs, reason = "the fields are those of `NewLead`")]
pub struct LeadChange {
    #[validate(
        length(max = 255, code = "max_length", message = "Ensure this field has no more than 255 characters."),
        custom(function = characters),
        custom(function = person_name)
    )]
    pub full_name: Option<String>,
    #[validate(
        length(max = 255, code = "max_length", message = "Ensure this field has no more than 255 characters."),
        custom(function = characters),
        custom(function = label)
    )]
    pub position: Option<String>,
    #[validate(
        length(max = 255, code = "max_length", message = "Ensure this field has no more than 255 characters."),
        custom(function = characters),
        custom(function = label)
    )]
    pub company_name: Option<Option<String>>,
    #[validate(
        length(max = 20, code = "max_length", message = "Ensure this field has no more than 20 characters."),
        custom(function = characters),
        custom(function = dialable)
    )]
    pub phone_number: Option<Option<String>>,
    #[validate(
        length(max = email::MAX_LENGTH, code = "max_length", message = "Ensure this field has no more than 254 characters."),
        custom(function = characters),
        custom(function = email::check),
        custom(function = business_address, use_context)
    )]
    pub email: Option<Option<String>>,
    pub source: Option<LeadSource>,
    pub status: Option<LeadStatus>,
    #[validate(custom(function = characters), custom(function = bounded))]
    pub notes: Option<Option<String>>,
    pub category: Option<LeadCategory>,
}

impl LeadChange {
    /// Returns the details of `lead` after the change.
    ///
    /// # Errors
    /// A broken rule of the lead as a whole.
    pub fn apply(&self, lead: &Lead) -> Result<NewLead, Invalid> {
        let changed = self.onto(lead);
        changed.check()?;
        Ok(changed)
    }

    /// The details of `lead` after the change, which may break a rule of the lead as a whole.
    pub(super) fn onto(&self, lead: &Lead) -> NewLead {
        fn pick<T: Clone>(change: &Option<T>, current: &T) -> T {
            change.as_ref().unwrap_or(current).clone()
        }
        let Self {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
        } = self;
        let current = &lead.details;
        NewLead {
            full_name: pick(full_name, &current.full_name),
            position: pick(position, &current.position),
            company_name: pick(company_name, &current.company_name),
            phone_number: pick(phone_number, &current.phone_number),
            email: pick(email, &current.email),
            source: pick(source, &current.source),
            status: pick(status, &current.status),
            notes: pick(notes, &current.notes),
            category: pick(category, &current.category),
        }
    }
}

/// Whether `c` is a digit of any script, including superscripts but not fractions.
fn is_digit(c: char) -> bool {
    let mut parts = std::iter::once(c).nfkd();
    parts.next().is_some_and(char::is_numeric) && parts.next().is_none()
}

/// Requires an e-mail address or a phone number, because sales cannot use a lead without either.
pub(super) fn check_reachable(
    email: Option<&str>,
    phone_number: Option<&str>,
) -> Result<(), Invalid> {
    if email.is_none_or(str::is_empty) && phone_number.is_none_or(str::is_empty) {
        return Err(Invalid::whole(Violation::new(
            "unreachable",
            "Either email or phone number is required",
        )));
    }
    Ok(())
}

fn label(text: &str) -> Result<(), ValidationError> {
    if text.chars().count() == 1 {
        return Err(violation("min_length", "Name must be at least 2 characters"));
    }
    if text.contains(['<', '>']) {
        return Err(violation("markup", "Name contains invalid characters"));
    }
    Ok(())
}

fn person_name(text: &str) -> Result<(), ValidationError> {
    if text.chars().count() > 1 && text.chars().all(is_digit) {
        return Err(violation("only_numbers", "Name cannot be only numbers"));
    }
    label(text)
}

fn dialable(text: &str) -> Result<(), ValidationError> {
    if text.is_empty() || phone::is_canonical(text) {
        return Ok(());
    }
    Err(violation("invalid_phone_number", "Enter a valid international phone number."))
}

fn business_address(text: &str, disposable: &DisposableDomains) -> Result<(), ValidationError> {
    if disposable.contain(text) {
        return Err(violation("disposable_email", "Please use a valid business email"));
    }
    Ok(())
}

fn bounded(text: &str) -> Result<(), ValidationError> {
    if text.chars().count() > 5000 {
        return Err(violation("notes_too_long", "Notes too long (max 5000 chars)"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
