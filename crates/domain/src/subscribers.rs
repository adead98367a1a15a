//! Newsletter subscribers.

mod edit;
mod export;

pub use export::COLUMNS;

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidateArgs, ValidationError};

use crate::choice::choice;
use crate::email::{self, DisposableDomains};
use crate::fields::{Field, fields};
use crate::order::{Order, Sort, SortColumn};
use crate::search;
use crate::text::{Reader, characters};
use crate::validation::{Invalid, Violation, violation};

/// The word for subscribers in events.
pub const RESOURCE: &str = "subscriber";

/// Identifies a subscriber. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubscriberId(pub i64);

/// A valid subscription that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSubscriber {
    /// In lower case, at most 254 characters.
    pub email: String,
    /// Whether the person wants the newsletter.
    pub is_subscribed: bool,
}

impl NewSubscriber {
    /// The text that searches look at.
    pub fn search_document(&self) -> String {
        search_document(&self.email)
    }
}

/// The text that searches look at, for a subscriber with this address.
pub fn search_document(email: &str) -> String {
    search::document([Some(email)])
}

impl From<Subscriber> for NewSubscriber {
    /// The details of a stored subscriber.
    fn from(Subscriber { id: _, email, is_subscribed }: Subscriber) -> Self {
        Self { email, is_subscribed }
    }
}

/// A stored subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// The id.
    pub id: SubscriberId,
    /// In lower case; unique regardless of case.
    pub email: String,
    /// Whether the person wants the newsletter.
    pub is_subscribed: bool,
}

fields! {
    /// A subscription as a client sent it.
    SubscriberInput {
        email: Field::text(email::MAX_LENGTH).required(),
        is_subscribed: Field::boolean(),
    }
}

impl SubscriberInput {
    /// Parses a new subscription; `is_subscribed` defaults to true.
    ///
    /// # Errors
    /// All broken rules of all fields.
    pub fn into_new(self, disposable: &DisposableDomains) -> Result<NewSubscriber, Invalid> {
        // No `..` here and below, so that the compiler reports a forgotten field.
        let SubscriberChange { email, is_subscribed } = self.into_replacement(disposable)?;
        Ok(NewSubscriber {
            email: email.unwrap_or_default(),
            is_subscribed: is_subscribed.unwrap_or(true),
        })
    }

    /// Parses a replacement: the address is required; a missing `is_subscribed` keeps its value.
    ///
    /// # Errors
    /// All broken rules of all fields.
    pub fn into_replacement(
        self,
        disposable: &DisposableDomains,
    ) -> Result<SubscriberChange, Invalid> {
        self.read(true, disposable)
    }

    /// Parses a change of the given fields.
    ///
    /// # Errors
    /// All broken rules of the given fields.
    pub fn into_change(self, disposable: &DisposableDomains) -> Result<SubscriberChange, Invalid> {
        self.read(false, disposable)
    }

    /// The address, if its field alone is valid.
    pub fn address(&self, disposable: &DisposableDomains) -> Option<String> {
        let address = Self { email: self.email.clone(), ..Self::default() };
        address.into_change(disposable).ok()?.email
    }

    fn read(
        self,
        complete: bool,
        disposable: &DisposableDomains,
    ) -> Result<SubscriberChange, Invalid> {
        let Self { email, is_subscribed } = self;
        let mut reader = Reader::new(complete);
        let change = SubscriberChange {
            email: reader.required_text("email", email).map(|text| email::canonical(&text)),
            is_subscribed: reader.boolean("is_subscribed", is_subscribed),
        };
        if let Err(errors) = change.validate_with_args(disposable) {
            reader.add(&errors);
        }
        reader.into_invalid().in_order_of(FIELDS).or(change)
    }
}

/// New values for some fields of a subscriber; `None` leaves a field unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Validate)]
#[validate(context = DisposableDomains)]
#[allow(missing_docs, reason = "the fields are those of `NewSubscriber`")]
pub struct SubscriberChange {
    #[validate(
        length(max = email::MAX_LENGTH, code = "max_length", message = "Ensure this field has no more than 254 characters."),
        custom(function = characters),
        custom(function = email::check),
        custom(function = lasting_address, use_context)
    )]
    pub email: Option<String>,
    pub is_subscribed: Option<bool>,
}

impl SubscriberChange {
    /// The details of `seen` with these changes.
    pub fn apply(&self, seen: &Subscriber) -> NewSubscriber {
        let Self { email, is_subscribed } = self;
        NewSubscriber {
            email: email.clone().unwrap_or_else(|| seen.email.clone()),
            is_subscribed: is_subscribed.unwrap_or(seen.is_subscribed),
        }
    }
}

fn lasting_address(text: &str, disposable: &DisposableDomains) -> Result<(), ValidationError> {
    if disposable.contain(text) {
        return Err(violation("disposable_email", "Please use a valid email address"));
    }
    Ok(())
}

/// The error for an address that is already subscribed.
pub fn already_subscribed() -> Invalid {
    Invalid::field("email", Violation::new("unique", "newsletter with this email already exists."))
}

/// Selects subscribers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriberFilter {
    /// Only those who want the newsletter (`true`), or only those who do not (`false`).
    pub is_subscribed: Option<bool>,
    /// Folded words. The subscriber's search document must contain every one.
    pub words: Vec<String>,
}

choice! {
    /// The sort key of a list of subscribers.
    SubscriberSort {
        Id = "id",
        Email = "email",
        IsSubscribed = "is_subscribed",
    }
}

/// The order of a list of subscribers.
pub type SubscriberOrder = Order<SubscriberSort>;

impl Sort for SubscriberSort {
    type Row = Subscriber;

    const LIST: &'static str = "subscribers";
    const NEWEST: SubscriberOrder = Order { by: Self::Id, descending: true };

    fn columns(self) -> &'static [SortColumn<Subscriber>] {
        match self {
            Self::Id => &[],
            Self::Email => &[SortColumn::Text(|subscriber| &subscriber.email)],
            Self::IsSubscribed => &[SortColumn::Boolean(|subscriber| subscriber.is_subscribed)],
        }
    }

    fn id(subscriber: &Subscriber) -> i64 {
        subscriber.id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::assert_rules;
    use crate::raw::RawValue;
    use rstest::rstest;

    fn parse(email: RawValue, is_subscribed: RawValue) -> Result<NewSubscriber, Invalid> {
        SubscriberInput { email, is_subscribed }.into_new(&DisposableDomains::default())
    }

    #[test]
    fn the_newsletter_is_wanted_by_default() {
        let given = RawValue::text("News@Example.com");
        let subscriber = parse(given.clone(), RawValue::Missing).unwrap();
        assert_eq!(subscriber.email, "news@example.com");
        assert!(subscriber.is_subscribed);
        assert!(!parse(given, RawValue::Bool(false)).unwrap().is_subscribed);
    }

    #[test]
    fn a_field_is_set_by_its_name() {
        let mut input = SubscriberInput::default();
        input.set("email", RawValue::text("a@acme.hr"));
        input.set("is_subscribed", RawValue::Bool(false));
        input.set("id", RawValue::Number("7".into()));
        let set = SubscriberInput {
            email: RawValue::text("a@acme.hr"),
            is_subscribed: RawValue::Bool(false),
        };
        assert_eq!(input, set);
    }

    #[test]
    fn every_field_has_the_rules_of_its_kind() {
        let codes = |field: &str, value: RawValue| -> Vec<&'static str> {
            let mut input =
                SubscriberInput { email: RawValue::text("a@acme.hr"), ..Default::default() };
            input.set(field, value);
            let Err(invalid) = input.into_new(&DisposableDomains::default()) else {
                return Vec::new();
            };
            let of_field = invalid.fields().filter(|(name, _)| *name == field);
            of_field.flat_map(|(_, broken)| broken.iter().map(|one| one.code)).collect()
        };
        let invalid =
            SubscriberInput::default().into_new(&DisposableDomains::default()).unwrap_err();
        let missing: Vec<&str> = invalid.fields().map(|(name, _)| name).collect();
        assert_rules(FIELDS, codes, &missing);
    }

    #[test]
    fn the_address_is_valid_even_if_other_fields_are_not() {
        let address = |email: RawValue| {
            let input = SubscriberInput { email, is_subscribed: RawValue::text("maybe") };
            input.address(&DisposableDomains::default())
        };
        let found = address(RawValue::text(" Iva@xn--Bcher-kva.de\u{200b}"));
        assert_eq!(found.as_deref(), Some("iva@b\u{fc}cher.de"));
        assert_eq!(address(RawValue::text("a@mailinator.com")), None);
        assert_eq!(address(RawValue::Missing), None);
    }

    #[test]
    fn a_change_need_not_name_the_address_and_a_replacement_must() {
        let input = SubscriberInput { is_subscribed: RawValue::Bool(false), ..Default::default() };
        let disposable = DisposableDomains::default();
        let change = input.clone().into_change(&disposable).unwrap();
        assert_eq!(change, SubscriberChange { email: None, is_subscribed: Some(false) });
        assert!(input.into_replacement(&disposable).is_err());
    }

    #[test]
    fn a_taken_address_is_reported_as_in_the_replaced_service() {
        let taken = Violation::new("unique", "newsletter with this email already exists.");
        assert_eq!(
            already_subscribed().fields().collect::<Vec<_>>(),
            [("email", [taken].as_slice())]
        );
    }

    #[test]
    fn is_searched_by_the_address() {
        let new = NewSubscriber { email: "iva@b\u{fc}cher.de".into(), is_subscribed: true };
        assert_eq!(new.search_document(), crate::search::document([Some("iva@b\u{fc}cher.de")]));
        assert!(new.search_document().contains("iva@"));
    }

    /// Cursors that earlier builds gave out contain these texts.
    #[rstest]
    #[case(SubscriberSort::Id, &[])]
    #[case(SubscriberSort::Email, &["a@acme.hr"])]
    #[case(SubscriberSort::IsSubscribed, &["true"])]
    fn stands_in_an_order_by_its_values(#[case] by: SubscriberSort, #[case] texts: &[&str]) {
        let id = SubscriberId(7);
        let subscriber = Subscriber { id, email: "a@acme.hr".into(), is_subscribed: true };
        let order = SubscriberOrder { by, ..SubscriberOrder::default() };
        let position = order.position(&subscriber);
        assert!(position.texts().iter().eq(texts), "{position:?}");
        assert_eq!(position.id, 7);
        assert_eq!(order.parse(&position.texts(), 7), Some(position));
    }

    #[rstest]
    #[case(RawValue::text("yes"), true)]
    #[case(RawValue::text("On"), true)]
    #[case(RawValue::text("0"), false)]
    #[case(RawValue::text("FALSE"), false)]
    #[case(RawValue::Number("1".into()), true)]
    #[case(RawValue::Number("1.0".into()), true)]
    #[case(RawValue::Number("0".into()), false)]
    #[case(RawValue::Number("-0.0".into()), false)]
    #[case(RawValue::Missing, true)]
    #[case(RawValue::Unfilled, true)]
    fn takes_the_usual_words_for_a_boolean(#[case] given: RawValue, #[case] taken: bool) {
        let subscriber = parse(RawValue::text("a@acme.hr"), given).unwrap();
        assert_eq!(subscriber.is_subscribed, taken);
    }

    #[rstest]
    #[case(RawValue::text("maybe"), "Must be a valid boolean.")]
    #[case(RawValue::Number("2".into()), "Must be a valid boolean.")]
    #[case(RawValue::Other("[]".into()), "Must be a valid boolean.")]
    #[case(RawValue::Null, "This field may not be null.")]
    fn refuses_values_that_are_not_booleans(#[case] given: RawValue, #[case] message: &str) {
        let invalid = parse(RawValue::text("a@acme.hr"), given).unwrap_err();
        let (field, violations) = invalid.fields().next().unwrap();
        assert_eq!((field, violations[0].message.as_ref()), ("is_subscribed", message));
    }

    #[test]
    fn broken_rules_come_in_the_order_of_the_fields() {
        let invalid = parse(RawValue::text("ana"), RawValue::Null).unwrap_err();
        assert!(invalid.fields().map(|(name, _)| name).eq(FIELDS.iter().map(|field| field.name)));
    }

    #[rstest]
    #[case(RawValue::Missing, "This field is required.")]
    #[case(RawValue::text(""), "This field may not be blank.")]
    #[case(RawValue::text("ana"), "Enter a valid email address.")]
    #[case(RawValue::text("ana@mailinator.com"), "Please use a valid email address")]
    fn refuses_an_address(#[case] given: RawValue, #[case] message: &str) {
        let invalid = parse(given, RawValue::Missing).unwrap_err();
        let (field, violations) = invalid.fields().next().unwrap();
        assert_eq!((field, violations[0].message.as_ref()), ("email", message));
    }
}
