//! Parses clients from the API and forms. All clients that are created or changed there pass
//! through here.

use validator::Validate;

use super::{Client, Money, NewClient};
use crate::fields::{Field, fields};
use crate::leads::{LeadCategory, LeadId};
use crate::text::{Reader, characters};
use crate::validation::{Invalid, Violation};

fields! {
    /// A client as a caller sent it. Its contract is not a field: it has an address of its own.
    ClientInput {
        lead: Field::reference().nullable(),
        team_id: Field::text(100).required(),
        monthly_charge: Field::money().nullable(),
        one_time_charge: Field::money().nullable(),
        short_description: Field::text(5000).stored_at_any_length(),
        category: Field::choice(LeadCategory::WORDS),
    }
}

impl ClientInput {
    /// Parses a new client; missing fields get their defaults.
    ///
    /// # Errors
    /// All broken rules of all fields.
    pub fn into_new(self) -> Result<NewClient, Invalid> {
        // No `..` here and below, so that the compiler reports a forgotten field.
        let ClientChange {
            lead,
            team_id,
            monthly_charge,
            one_time_charge,
            short_description,
            category,
        } = self.into_replacement()?;
        Ok(NewClient {
            lead: lead.flatten(),
            team_id: team_id.unwrap_or_default(),
            monthly_charge: monthly_charge.flatten(),
            one_time_charge: one_time_charge.flatten(),
            contract_file: None,
            short_description: short_description.unwrap_or_default(),
            category: category.unwrap_or(LeadCategory::WebDev),
        })
    }

    /// Parses a replacement, which must name the team; missing optional fields keep their values.
    ///
    /// # Errors
    /// All broken rules of all fields.
    pub fn into_replacement(self) -> Result<ClientChange, Invalid> {
        self.read(true)
    }

    /// Parses a change of the given fields.
    ///
    /// # Errors
    /// All broken rules of the given fields.
    pub fn into_change(self) -> Result<ClientChange, Invalid> {
        self.read(false)
    }

    /// The lead, if its field alone is valid and names one.
    pub fn lead(&self) -> Option<LeadId> {
        let lead = Self { lead: self.lead.clone(), ..Self::default() };
        lead.into_change().ok()?.lead.flatten()
    }

    fn read(self, complete: bool) -> Result<ClientChange, Invalid> {
        let Self { lead, team_id, monthly_charge, one_time_charge, short_description, category } =
            self;
        let mut reader = Reader::new(complete);
        let change = ClientChange {
            lead: reader.optional("lead", lead, lead_of),
            team_id: reader.required_text("team_id", team_id),
            monthly_charge: reader.optional("monthly_charge", monthly_charge, Money::parse_charge),
            one_time_charge: reader.optional(
                "one_time_charge",
                one_time_charge,
                Money::parse_charge,
            ),
            short_description: reader.blank_text("short_description", short_description),
            category: reader.choice("category", category, LeadCategory::from_word),
        };
        if let Err(errors) = change.validate() {
            reader.add(&errors);
        }
        reader.into_invalid().in_order_of(FIELDS).or(change)
    }
}

fn lead_of(text: &str) -> Result<LeadId, Violation> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Violation::new("incorrect_type", "Enter the id of a lead."));
    }
    text.parse().ok().filter(|id| *id > 0).map(LeadId).ok_or_else(no_such_lead)
}

fn no_such_lead() -> Violation {
    Violation::new("does_not_exist", "There is no such lead.")
}

/// The error for a lead that does not exist.
pub fn unknown_lead() -> Invalid {
    Invalid::field("lead", no_such_lead())
}

/// The error for a lead that another client has.
pub fn lead_taken() -> Invalid {
    Invalid::field("lead", Violation::new("unique", "Another client has this lead."))
}

/// New values for some fields of a client; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Validate)]
#[allow(missing_docs, reason = "the fields are those of `NewClient`")]
#[allow(clippy::option_option, reason = "no change and a change to nothing differ")]
pub struct ClientChange {
    pub lead: Option<Option<LeadId>>,
    #[validate(
        length(max = 100, code = "max_length", message = "Ensure this field has no more than 100 characters."),
        custom(function = characters)
    )]
    pub team_id: Option<String>,
    pub monthly_charge: Option<Option<Money>>,
    pub one_time_charge: Option<Option<Money>>,
    #[validate(
        length(max = 5000, code = "max_length", message = "Ensure this field has no more than 5000 characters."),
        custom(function = characters)
    )]
    pub short_description: Option<String>,
    pub category: Option<LeadCategory>,
}

impl ClientChange {
    /// The details of `client` after the change.
    pub fn apply(&self, client: &Client) -> NewClient {
        let Self { lead, team_id, monthly_charge, one_time_charge, short_description, category } =
            self.clone();
        let now = client.details.clone();
        NewClient {
            lead: lead.unwrap_or(now.lead),
            team_id: team_id.unwrap_or(now.team_id),
            monthly_charge: monthly_charge.unwrap_or(now.monthly_charge),
            one_time_charge: one_time_charge.unwrap_or(now.one_time_charge),
            contract_file: now.contract_file,
            short_description: short_description.unwrap_or(now.short_description),
            category: category.unwrap_or(now.category),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use crate::fields::assert_rules;
    use crate::raw::RawValue;

    fn given(field: &str, value: RawValue) -> ClientInput {
        let mut input = ClientInput { team_id: RawValue::text("T1"), ..ClientInput::default() };
        input.set(field, value);
        input
    }

    #[test]
    fn every_field_has_the_rules_of_its_kind() {
        let codes = |field: &str, value: RawValue| -> Vec<&'static str> {
            let Err(invalid) = given(field, value).into_new() else { return Vec::new() };
            let of_field = invalid.fields().filter(|(name, _)| *name == field);
            of_field.flat_map(|(_, broken)| broken.iter().map(|one| one.code)).collect()
        };
        let invalid = ClientInput::default().into_new().unwrap_err();
        let missing: Vec<&str> = invalid.fields().map(|(name, _)| name).collect();
        assert_rules(FIELDS, codes, &missing);
    }

    #[test]
    fn a_team_is_enough() {
        let new = given("team_id", RawValue::text(" T1\u{200b} ")).into_new().unwrap();
        let expected = NewClient {
            lead: None,
            team_id: "T1".into(),
            monthly_charge: None,
            one_time_charge: None,
            contract_file: None,
            short_description: String::new(),
            category: LeadCategory::WebDev,
        };
        assert_eq!(new, expected);
    }

    #[test]
    fn numbers_and_texts_are_amounts() {
        for charge in [RawValue::text("1200.5"), RawValue::Number("1200.50".into())] {
            let new = given("monthly_charge", charge).into_new().unwrap();
            assert_eq!(new.monthly_charge, Money::charge(120_050));
        }
        for nothing in [RawValue::Null, RawValue::Unfilled, RawValue::text(" ")] {
            for field in ["monthly_charge", "one_time_charge", "lead"] {
                let change = given(field, nothing.clone()).into_change().unwrap().apply(&example());
                let values = (change.monthly_charge, change.one_time_charge, change.lead);
                let (monthly, lead) = (example().details.monthly_charge, Some(LeadId(3)));
                match field {
                    "monthly_charge" => assert_eq!(values, (None, None, lead)),
                    "one_time_charge" => assert_eq!(values, (monthly, None, lead)),
                    _ => assert_eq!(values, (monthly, None, None)),
                }
            }
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let change = ClientInput::default().into_change().unwrap();
        assert_eq!(change, ClientChange::default());
        assert_eq!(change.apply(&example()), example().details);
        assert!(ClientInput::default().into_replacement().is_err());
    }

    #[test]
    fn a_contract_is_no_field() {
        let change = given("contract_file", RawValue::text("b.pdf")).into_replacement().unwrap();
        assert_eq!(change.apply(&example()).contract_file, example().details.contract_file);
        assert_eq!(
            given("contract_file", RawValue::text("b.pdf")).into_new().unwrap().contract_file,
            None
        );
    }

    #[test]
    fn the_lead_is_known_even_if_other_fields_are_invalid() {
        let mut input = given("lead", RawValue::Number("7".into()));
        input.set("category", RawValue::text("no"));
        assert_eq!(input.lead(), Some(LeadId(7)));
        for none in ["x", "0", "99999999999999999999", ""] {
            assert_eq!(given("lead", RawValue::text(none)).lead(), None, "{none}");
        }
    }

    #[test]
    fn broken_rules_come_in_the_order_of_the_fields() {
        let mut input = ClientInput::default();
        for field in FIELDS {
            input.set(field.name, RawValue::Other("[\"\\u0000\"]".into()));
        }
        let invalid = input.into_new().unwrap_err();
        assert!(invalid.fields().map(|(name, _)| name).eq(FIELDS.iter().map(|field| field.name)));
    }
}
