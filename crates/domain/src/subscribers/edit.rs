//! Subscribers in forms.

use super::{NewSubscriber, Subscriber, SubscriberInput};
use crate::edits::{Edited, FieldTexts};
use crate::email::DisposableDomains;
use crate::raw::RawValue;
use crate::validation::Invalid;

impl Edited for Subscriber {
    type State = NewSubscriber;

    fn state(&self) -> NewSubscriber {
        self.clone().into()
    }

    fn texts(NewSubscriber { email, is_subscribed }: &NewSubscriber) -> FieldTexts {
        FieldTexts::new(vec![
            ("email", email.clone()),
            ("is_subscribed", is_subscribed.to_string()),
        ])
    }

    fn with(
        &self,
        values: Vec<(String, RawValue)>,
        disposable: &DisposableDomains,
    ) -> Result<NewSubscriber, Invalid> {
        Ok(SubscriberInput::of(values).into_change(disposable)?.apply(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::{Edit, Merged};
    use crate::subscribers::{FIELDS, SubscriberId};
    use crate::versions::Version;

    fn stored() -> Subscriber {
        Subscriber { id: SubscriberId(1), email: "ana@acme.hr".into(), is_subscribed: true }
    }

    fn merge(values: &[(&str, &str)], now: &Subscriber) -> Result<Merged<NewSubscriber>, Invalid> {
        let value = |(name, text): &(&str, &str)| ((*name).to_owned(), RawValue::text(*text));
        let edit = Edit {
            version: Version::of(&stored()),
            base: Vec::new(),
            values: values.iter().map(value).collect(),
        };
        edit.seen(&stored()).merge(now, &DisposableDomains::default())
    }

    #[test]
    fn every_field_has_a_text() {
        let texts = FieldTexts::of(&stored());
        assert!(texts.iter().map(|(name, _)| name).eq(FIELDS.iter().map(|field| field.name)));
    }

    #[test]
    fn changes_of_different_fields_merge() {
        let now = Subscriber { is_subscribed: false, ..stored() };
        let merged = merge(&[("email", " EVA@acme.hr "), ("is_subscribed", "true")], &now);
        let expected = NewSubscriber { email: "eva@acme.hr".into(), is_subscribed: false };
        assert_eq!(merged.unwrap(), Merged::State(expected));
    }

    #[test]
    fn an_address_that_both_changed_is_a_conflict() {
        let now = Subscriber { email: "iva@acme.hr".into(), ..stored() };
        let merged = merge(&[("email", "eva@acme.hr")], &now).unwrap();
        let Merged::Conflicts(conflicts) = merged else { panic!("{merged:?}") };
        assert!(conflicts.fields.iter().map(|conflict| conflict.field).eq(["email"]));
    }

    #[test]
    fn a_blank_address_is_invalid() {
        assert!(merge(&[("email", "")], &stored()).is_err());
    }
}
