//! Clients in forms.

use super::{Client, ClientInput, Money, NewClient};
use crate::edits::{Edited, FieldTexts};
use crate::email::DisposableDomains;
use crate::raw::RawValue;
use crate::validation::Invalid;

impl Edited for Client {
    type State = NewClient;

    fn state(&self) -> NewClient {
        self.details.clone()
    }

    fn texts(state: &NewClient) -> FieldTexts {
        // No `..`, so that the compiler reports a forgotten field. Forms do not change the contract.
        let NewClient {
            lead,
            team_id,
            monthly_charge,
            one_time_charge,
            contract_file: _,
            short_description,
            category,
        } = state;
        let charge = |charge: &Option<Money>| charge.map(String::from).unwrap_or_default();
        FieldTexts::new(vec![
            ("lead", lead.map(|lead| lead.0.to_string()).unwrap_or_default()),
            ("team_id", team_id.clone()),
            ("monthly_charge", charge(monthly_charge)),
            ("one_time_charge", charge(one_time_charge)),
            ("short_description", short_description.clone()),
            ("category", category.to_string()),
        ])
    }

    fn with(
        &self,
        values: Vec<(String, RawValue)>,
        _: &DisposableDomains,
    ) -> Result<NewClient, Invalid> {
        Ok(ClientInput::of(values).into_change()?.apply(self))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FIELDS, example};
    use super::*;
    use crate::edits::{Edit, Merged};
    use crate::versions::Version;

    fn edit(base: &Client, field: &str, text: &str) -> Edit {
        let texts = FieldTexts::of(base);
        let base_texts = texts.iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
        Edit {
            version: Version::of(base),
            base: base_texts.collect(),
            values: vec![(field.to_owned(), RawValue::text(text))],
        }
    }

    fn merge(edit: &Edit, now: &Client) -> Merged<NewClient> {
        edit.merge(now, &DisposableDomains::default()).unwrap()
    }

    #[test]
    fn every_field_has_a_text() {
        let texts = FieldTexts::of(&example());
        assert!(texts.iter().map(|(name, _)| name).eq(FIELDS.iter().map(|field| field.name)));
        assert_eq!(texts.get("monthly_charge"), Some("1200.50"));
        assert_eq!((texts.get("one_time_charge"), texts.get("lead")), (Some(""), Some("3")));
    }

    #[test]
    fn every_field_can_be_changed() {
        for (field, text) in [
            ("lead", "4"),
            ("team_id", "T2"),
            ("monthly_charge", "0.00"),
            ("one_time_charge", "7.00"),
            ("short_description", "x"),
            ("category", "sales_auto"),
        ] {
            let Merged::State(state) = merge(&edit(&example(), field, text), &example()) else {
                panic!("{field}");
            };
            assert_eq!(<Client as Edited>::texts(&state).get(field), Some(text));
            assert_eq!(state.contract_file, example().details.contract_file);
        }
    }

    #[test]
    fn another_spelling_of_the_same_amount_is_no_conflict() {
        let details = NewClient { monthly_charge: Money::charge(700), ..example().details };
        let now = Client { details, ..example() };
        let same = merge(&edit(&example(), "monthly_charge", "7"), &now);
        assert_eq!(same, Merged::State(now.details.clone()));
        let other = merge(&edit(&example(), "monthly_charge", "8"), &now);
        let Merged::Conflicts(conflicts) = other else { panic!("{other:?}") };
        let conflict = &conflicts.fields[0];
        let texts = (conflict.yours.as_str(), conflict.theirs.as_str());
        assert_eq!((texts, conflict.original.as_deref()), (("8.00", "7.00"), Some("1200.50")));
    }
}
