use validator::Validate;

use super::*;

/// An input type that has no list of fields.
#[derive(Validate)]
#[validate(schema(function = never))]
struct Next {
    #[validate(length(max = 3, code = "max_length", message = "Too long."))]
    title: Option<Option<String>>,
    #[validate(length(max = 3))]
    wordless: String,
}

fn never(_: &Next) -> Result<(), ValidationError> {
    Err(violation("never", "Never as a whole."))
}

#[derive(Validate)]
struct Outer {
    #[validate(nested)]
    next: Next,
    #[validate(nested)]
    many: Vec<Next>,
}

fn next(title: &str, wordless: &str) -> Next {
    Next { title: Some(Some(title.to_owned())), wordless: wordless.to_owned() }
}

fn found(errors: &ValidationErrors) -> Invalid {
    let mut reader = Reader::new(true);
    reader.add(errors);
    reader.into_invalid()
}

#[test]
fn broken_rules_of_unlisted_fields_are_reported() {
    let invalid = found(&next("long", "long").validate().unwrap_err());
    let mut fields: Vec<_> = invalid.fields().collect();
    fields.sort_by_key(|(name, _)| *name);
    let expected = [
        ("title", [Violation::new("max_length", "Too long.")]),
        ("wordless", [Violation::new("invalid", UNTOLD)]),
    ];
    assert!(
        fields
            .iter()
            .map(|(name, found)| (*name, *found))
            .eq(expected.iter().map(|(name, expected)| (*name, expected.as_slice())))
    );
}

#[test]
fn a_broken_rule_with_an_unlisted_code_is_reported_beside_others() {
    let mut errors = ValidationErrors::new();
    errors.add("title", violation("max_length", "Too long."));
    errors.add("title", violation("markup", "Markup."));
    errors.add("title", violation("unlisted", "Unlisted."));
    let invalid = found(&errors);
    let (_, told) = invalid.fields().next().unwrap();
    let told: Vec<&str> = told.iter().map(|one| one.message.as_ref()).collect();
    assert_eq!(told, ["Too long.", "Unlisted."]);
}

#[test]
fn a_broken_rule_of_the_whole_is_reported() {
    let invalid = found(&next("ok", "ok").validate().unwrap_err());
    assert_eq!(invalid.of_the_whole(), [Violation::new("invalid", "Never as a whole.")]);
    assert_eq!(invalid.fields().count(), 0);
}

#[test]
fn broken_rules_further_inside_refuse_the_input() {
    let inside = Outer { next: next("long", "ok"), many: vec![next("long", "ok")] };
    let invalid = found(&inside.validate().unwrap_err());
    assert_eq!(invalid.of_the_whole().len(), 2);
}

#[test]
fn a_field_whose_name_is_made_at_run_time_refuses_the_input() {
    let mut errors = ValidationErrors::new();
    errors.add(String::from("made").leak(), violation("never", "Never."));
    assert!(!found(&errors).is_empty());
    let mut errors = ValidationErrors::new();
    let kind = ValidationErrorsKind::Field(vec![violation("never", "Never.")]);
    errors.errors_mut().insert(Cow::Owned("made".to_owned()), kind);
    assert_eq!(found(&errors).of_the_whole(), [Violation::new("invalid", "Never.")]);
}
