//! Canaries: leads that the service sends to itself through the public way, to see whether leads arrive.
//! No canary is ever stored as a lead.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::leads::{LeadCategory, LeadSource, LeadStatus, NewLead};

/// The status in the body of a canary. No lead has it, so a canary that loses its mark on the way, or
/// comes to an older release, is refused and becomes no lead.
pub const STATUS: &str = "canary";

/// Identifies a canary: a random number, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CanaryId(pub u128);

impl fmt::Display for CanaryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// A text that is no id of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a canary")]
pub struct CanaryIdError;

impl FromStr for CanaryId {
    type Err = CanaryIdError;

    fn from_str(text: &str) -> Result<Self, CanaryIdError> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_plain.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(CanaryIdError)
    }
}

impl CanaryId {
    /// The lead that the canary stands for. It has a value in every field, and follows all rules.
    pub fn lead(self) -> NewLead {
        NewLead {
            full_name: "Canary".to_owned(),
            position: "Canary".to_owned(),
            company_name: Some("Canary".to_owned()),
            phone_number: Some("+000000000000".to_owned()),
            email: Some("canary@canary.invalid".to_owned()),
            source: LeadSource::Other,
            status: LeadStatus::New,
            notes: Some(format!("Not a lead, but the canary {self}")),
            category: LeadCategory::WebDev,
        }
    }

    /// The body of the request: [`Self::lead`] with [`STATUS`].
    ///
    /// # Errors
    /// The lead cannot be written as JSON.
    pub fn body(self) -> Result<Value, serde_json::Error> {
        let mut body = serde_json::to_value(self.lead())?;
        if let Some(fields) = body.as_object_mut() {
            fields.insert("status".to_owned(), STATUS.into());
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::DisposableDomains;
    use crate::leads::LeadInput;
    use crate::raw::RawValue;

    const ID: CanaryId = CanaryId(0xa1);

    fn input() -> LeadInput {
        let body = ID.body().unwrap();
        let fields = body.as_object().unwrap().iter();
        let text = |value: &Value| RawValue::text(value.as_str().unwrap());
        LeadInput::of(fields.map(|(name, value)| (name.clone(), text(value))).collect())
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        assert_eq!(ID.to_string(), "000000000000000000000000000000a1");
        assert_eq!(ID.to_string().parse(), Ok(ID));
        for other in
            ["", "a1", "+00000000000000000000000000000a1", "000000000000000000000000000000ag"]
        {
            assert_eq!(other.parse::<CanaryId>(), Err(CanaryIdError), "{other}");
        }
    }

    #[test]
    fn the_body_is_no_lead_but_for_its_status_it_would_be_one() {
        let none = DisposableDomains::default();
        let invalid = input().into_new(&none).unwrap_err();
        assert!(format!("{invalid:?}").contains("status"), "{invalid:?}");
        let lead = LeadInput { status: RawValue::Missing, ..input() }.into_new(&none).unwrap();
        assert_eq!(lead, ID.lead());
    }
}
