//! The one door through which a lead comes in, from the API, a form or a file.

use unicode_normalization::UnicodeNormalization;
use validator::{Validate, ValidateArgs, ValidationError};

use super::{Lead, LeadCategory, LeadSource, LeadStatus, NewLead};
use crate::email::{self, DisposableDomains};
use crate::phone;
use crate::raw::RawValue;
use crate::text::{Reader, characters};
use crate::validation::{Invalid, Violation, violation};

/// A lead as a client sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `NewLead`")]
pub struct LeadInput {
    pub full_name: RawValue,
    pub position: RawValue,
    pub company_name: RawValue,
    pub phone_number: RawValue,
    pub email: RawValue,
    pub source: RawValue,
    pub status: RawValue,
    pub notes: RawValue,
    pub category: RawValue,
}

impl LeadInput {
    /// Sets the field of that name; a name that no client may set is ignored.
    pub fn set(&mut self, field: &str, value: RawValue) {
        let place = match field {
            "full_name" => &mut self.full_name,
            "position" => &mut self.position,
            "company_name" => &mut self.company_name,
            "phone_number" => &mut self.phone_number,
            "email" => &mut self.email,
            "source" => &mut self.source,
            "status" => &mut self.status,
            "notes" => &mut self.notes,
            "category" => &mut self.category,
            _ => return,
        };
        *place = value;
    }

    /// A new lead; what is not given takes its default.
    ///
    /// # Errors
    /// Every broken rule of every field, or, if there is none, of the whole.
    pub fn into_new(self, disposable: &DisposableDomains) -> Result<NewLead, Invalid> {
        let change = self.into_replacement(disposable)?;
        Ok(NewLead {
            full_name: change.full_name.unwrap_or_default(),
            position: change.position.unwrap_or_default(),
            company_name: change.company_name.flatten(),
            phone_number: change.phone_number.flatten(),
            email: change.email.flatten(),
            source: change.source.unwrap_or(LeadSource::Other),
            status: change.status.unwrap_or(LeadStatus::New),
            notes: change.notes.flatten(),
            category: change.category.unwrap_or(LeadCategory::WebDev),
        })
    }

    /// A change that must be a whole lead in itself; optional fields that are
    /// not given keep what the lead has.
    ///
    /// # Errors
    /// As [`Self::into_new`].
    pub fn into_replacement(self, disposable: &DisposableDomains) -> Result<LeadChange, Invalid> {
        let change = self.read(true, disposable)?;
        let email = change.email.as_ref().and_then(Option::as_deref);
        let phone_number = change.phone_number.as_ref().and_then(Option::as_deref);
        check_reachable(email, phone_number)?;
        Ok(change)
    }

    /// A change of the given fields only. Whether the lead is still valid as a
    /// whole shows when it is applied.
    ///
    /// # Errors
    /// Every broken rule of every given field.
    pub fn into_change(self, disposable: &DisposableDomains) -> Result<LeadChange, Invalid> {
        self.read(false, disposable)
    }

    fn read(self, complete: bool, disposable: &DisposableDomains) -> Result<LeadChange, Invalid> {
        let mut reader = Reader::new(complete);
        // A number of JSON has a sign and a decimal point that are no separators.
        let is_typed = matches!(self.phone_number, RawValue::Text(_));
        let phone_number = |text: String| match phone::canonical(&text) {
            Some(number) if is_typed => number,
            _ => text,
        };
        let change = LeadChange {
            full_name: reader.required_text("full_name", self.full_name),
            position: reader.required_text("position", self.position),
            company_name: reader.optional_text("company_name", self.company_name),
            phone_number: reader
                .optional_text("phone_number", self.phone_number)
                .map(|text| text.map(phone_number)),
            email: reader
                .optional_text("email", self.email)
                .map(|text| text.map(|text| email::canonical(&text))),
            source: reader.choice("source", self.source, LeadSource::from_word),
            status: reader.choice("status", self.status, LeadStatus::from_word),
            notes: reader.optional_text("notes", self.notes),
            category: reader.choice("category", self.category, LeadCategory::from_word),
        };
        if let Err(errors) = change.validate_with_args(disposable) {
            reader.add(&errors);
        }
        reader.into_invalid().in_order_of(super::FIELDS).or(change)
    }
}

/// New values for some fields of a lead; `None` leaves a field as it is.
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
    /// `lead` as it will be after the change.
    ///
    /// # Errors
    /// A broken rule of the lead as a whole.
    pub fn apply(&self, lead: &Lead) -> Result<NewLead, Invalid> {
        fn pick<T: Clone>(change: &Option<T>, current: &T) -> T {
            change.as_ref().unwrap_or(current).clone()
        }
        let current = &lead.details;
        let changed = NewLead {
            full_name: pick(&self.full_name, &current.full_name),
            position: pick(&self.position, &current.position),
            company_name: pick(&self.company_name, &current.company_name),
            phone_number: pick(&self.phone_number, &current.phone_number),
            email: pick(&self.email, &current.email),
            source: pick(&self.source, &current.source),
            status: pick(&self.status, &current.status),
            notes: pick(&self.notes, &current.notes),
            category: pick(&self.category, &current.category),
        };
        check_reachable(changed.email.as_deref(), changed.phone_number.as_deref())?;
        Ok(changed)
    }
}

/// A digit of any script, superscripts included; a fraction is none.
fn is_digit(c: char) -> bool {
    let mut parts = std::iter::once(c).nfkd();
    parts.next().is_some_and(char::is_numeric) && parts.next().is_none()
}

/// A lead that can be neither mailed nor called is of no use to sales.
fn check_reachable(email: Option<&str>, phone_number: Option<&str>) -> Result<(), Invalid> {
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
