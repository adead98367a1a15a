//! Leads in forms.

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    FIELDS, Lead, LeadChange, LeadInput, LeadState, LeadWork, LeadWorkChange, LeadWorkInput,
    NewLead,
};
use crate::edits::{Edited, FieldTexts};
use crate::email::DisposableDomains;
use crate::raw::RawValue;
use crate::validation::Invalid;

impl Edited for Lead {
    type State = LeadState;

    fn state(&self) -> LeadState {
        Self::state(self)
    }

    fn texts(LeadState { details, work }: &LeadState) -> FieldTexts {
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
        FieldTexts::new(vec![
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

    fn with(
        &self,
        values: Vec<(String, RawValue)>,
        disposable: &DisposableDomains,
    ) -> Result<LeadState, Invalid> {
        let work = LeadWorkInput::of(&values).into_change();
        let details = LeadInput::of(values).into_change(disposable);
        let (details, work): (LeadChange, LeadWorkChange) = both(details, work)?;
        Ok(LeadState { details: details.onto(self), work: work.apply(self) })
    }

    fn check(state: &LeadState) -> Result<(), Invalid> {
        state.check()
    }
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
