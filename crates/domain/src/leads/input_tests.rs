use rstest::rstest;

use super::*;
use crate::fields::assert_rules;

fn input(fields: &[(&str, &str)]) -> LeadInput {
    let mut input = LeadInput::default();
    for (field, value) in fields {
        input.set(field, RawValue::text(*value));
    }
    input
}

fn ana() -> LeadInput {
    input(&[("full_name", "Ana Horvat"), ("position", "CTO"), ("email", "ana@acme.hr")])
}

fn with(field: &str, value: RawValue) -> LeadInput {
    let mut input = ana();
    input.set(field, value);
    input
}

fn parse(input: LeadInput) -> Result<NewLead, Invalid> {
    let mut disposable = DisposableDomains::default();
    disposable.add_list("m\u{fc}ll.example");
    input.into_new(&disposable)
}

/// The messages of one field.
fn messages(invalid: &Invalid, field: &str) -> Vec<String> {
    invalid
        .fields()
        .filter(|(name, _)| *name == field)
        .flat_map(|(_, violations)| violations.iter().map(|v| v.message.to_string()))
        .collect()
}

#[test]
fn every_field_has_the_rules_of_its_kind() {
    let codes = |field: &str, value: RawValue| -> Vec<&'static str> {
        let Err(invalid) = parse(with(field, value)) else { return Vec::new() };
        let of_field = invalid.fields().filter(|(name, _)| *name == field);
        of_field.flat_map(|(_, broken)| broken.iter().map(|one| one.code)).collect()
    };
    let invalid = parse(LeadInput::default()).unwrap_err();
    let missing: Vec<&str> = invalid.fields().map(|(name, _)| name).collect();
    assert_rules(FIELDS, codes, &missing);
}

#[test]
fn missing_fields_get_their_defaults() {
    let lead = parse(ana()).unwrap();
    assert_eq!(lead.source, LeadSource::Other);
    assert_eq!(lead.status, LeadStatus::New);
    assert_eq!(lead.category, LeadCategory::WebDev);
    assert_eq!(lead.company_name, None);
}

#[test]
fn collects_the_errors_of_all_fields_at_once() {
    let broken = input(&[("full_name", "A"), ("email", "x"), ("status", "y")]);
    let invalid = parse(broken).unwrap_err();
    assert_eq!(messages(&invalid, "full_name"), ["Name must be at least 2 characters"]);
    assert_eq!(messages(&invalid, "position"), ["This field is required."]);
    assert_eq!(messages(&invalid, "email"), ["Enter a valid email address."]);
    assert_eq!(messages(&invalid, "status"), ["\"y\" is not a valid choice."]);
    assert!(invalid.of_the_whole().is_empty());
}

#[rstest]
#[case("full_name", RawValue::Null, "This field may not be null.")]
#[case("full_name", RawValue::text("  "), "This field may not be blank.")]
#[case("full_name", RawValue::Bool(true), "Not a valid string.")]
#[case("full_name", RawValue::Other("[]".into()), "Not a valid string.")]
#[case("full_name", RawValue::Number("12".into()), "Name cannot be only numbers")]
#[case("full_name", RawValue::text("١²3"), "Name cannot be only numbers")]
#[case("full_name", RawValue::text("<b>Ana</b>"), "Name contains invalid characters")]
#[case("full_name", RawValue::text("5"), "Name must be at least 2 characters")]
#[case("position", RawValue::text("a>b"), "Name contains invalid characters")]
#[case("full_name", RawValue::text("A\u{7}na"), "Control characters are not allowed.")]
#[case("full_name", RawValue::text("A\0na"), "Null characters are not allowed.")]
#[case(
    "position",
    RawValue::text("x".repeat(256)),
    "Ensure this field has no more than 255 characters."
)]
#[case("company_name", RawValue::text("a"), "Name must be at least 2 characters")]
#[case("company_name", RawValue::text("a>b"), "Name contains invalid characters")]
#[case("phone_number", RawValue::text("123456"), "Enter a valid international phone number.")]
#[case("phone_number", RawValue::text("+385-9-1"), "Enter a valid international phone number.")]
#[case(
    "phone_number",
    RawValue::text("091 234 5678 ext. 5"),
    "Enter a valid international phone number."
)]
#[case("phone_number", RawValue::Number("-38591234567".into()), "Enter a valid international phone number.")]
#[case("phone_number", RawValue::Number("3859123.4567".into()), "Enter a valid international phone number.")]
#[case("email", RawValue::text("ana@ac\u{200b}me.hr"), "Enter a valid email address.")]
#[case("email", RawValue::text("ana@M\u{fc}ll.example"), "Please use a valid business email")]
#[case("email", RawValue::text("ana@xn--mll-hoa.example"), "Please use a valid business email")]
#[case("full_name", RawValue::text("\u{200b}\u{feff}"), "This field may not be blank.")]
#[case("full_name", RawValue::text("\u{115f}\u{fe0f}"), "This field may not be blank.")]
#[case("position", RawValue::text("\u{34f}\u{200d}"), "This field may not be blank.")]
#[case("email", RawValue::text("ana@MAILINATOR.com"), "Please use a valid business email")]
#[case("notes", RawValue::text("n".repeat(5001)), "Notes too long (max 5000 chars)")]
#[case("email", RawValue::Bool(true), "Enter a valid email address.")]
#[case("source", RawValue::Null, "This field may not be null.")]
#[case("source", RawValue::Bool(true), "\"True\" is not a valid choice.")]
#[case("category", RawValue::text("Web_Dev"), "\"Web_Dev\" is not a valid choice.")]
fn refuses(#[case] field: &str, #[case] value: RawValue, #[case] message: &str) {
    let invalid = parse(with(field, value)).unwrap_err();
    assert_eq!(messages(&invalid, field), [message]);
    assert_eq!(invalid.fields().count(), 1);
}

#[test]
fn names_every_broken_rule_of_form_and_then_none_of_taste() {
    let invalid = parse(with("phone_number", RawValue::text("1".repeat(21)))).unwrap_err();
    assert_eq!(
        messages(&invalid, "phone_number"),
        [
            "Enter a valid international phone number.",
            "Ensure this field has no more than 20 characters."
        ]
    );
    let invalid = parse(with("full_name", RawValue::text("<".repeat(256)))).unwrap_err();
    assert_eq!(
        messages(&invalid, "full_name"),
        ["Ensure this field has no more than 255 characters."]
    );
}

#[rstest]
#[case("full_name", "  Ana  ", "Ana")]
#[case("full_name", "Zoe\u{301}", "Zo\u{e9}")]
#[case("notes", " one\r\ntwo\t<b>three</b> ", "one\ntwo\t<b>three</b>")]
#[case("full_name", "½½", "½½")]
#[case("email", "MiXeD@Example.COM", "mixed@example.com")]
#[case("email", "\u{feff}ana@acme.hr\u{200b}", "ana@acme.hr")]
#[case("email", "Iva@XN--Bcher-kva.de", "iva@b\u{fc}cher.de")]
#[case("phone_number", " (091) 234-5678", "0912345678")]
#[case("phone_number", "tel:+385\u{a0}91/234\u{2011}5678", "+385912345678")]
#[case("phone_number", "\u{202a}+385 (91) 234 - 56 - 78 \u{202c}", "+385912345678")]
fn normalizes(#[case] field: &str, #[case] given: &str, #[case] kept: &str) {
    let lead = parse(with(field, RawValue::text(given))).unwrap();
    let value = match field {
        "full_name" => Some(lead.full_name),
        "notes" => lead.notes,
        "phone_number" => lead.phone_number,
        _ => lead.email,
    };
    assert_eq!(value.as_deref(), Some(kept));
}

#[test]
fn a_number_is_accepted_as_text() {
    let lead = parse(with("phone_number", RawValue::Number("385911234567".into()))).unwrap();
    assert_eq!(lead.phone_number.as_deref(), Some("385911234567"));
}

#[test]
fn optional_texts_may_be_blank_and_a_blank_reaches_nobody() {
    let lead = parse(with("company_name", RawValue::text(" "))).unwrap();
    assert_eq!(lead.company_name.as_deref(), Some(""));
    let mut unreachable = with("email", RawValue::text(""));
    unreachable.set("phone_number", RawValue::text(""));
    let invalid = parse(unreachable).unwrap_err();
    let whole: Vec<_> = invalid.of_the_whole().iter().map(|v| v.message.as_ref()).collect();
    assert_eq!(whole, ["Either email or phone number is required"]);
}

#[test]
fn an_unfilled_input_of_a_form_is_an_empty_text_or_no_choice() {
    let mut given = ana();
    given.set("company_name", RawValue::Unfilled);
    given.set("status", RawValue::Unfilled);
    let lead = parse(given).unwrap();
    assert_eq!(lead.company_name.as_deref(), Some(""));
    assert_eq!(lead.status, LeadStatus::New);
    assert!(parse(with("status", RawValue::text(""))).is_err());
}

#[test]
fn limits_count_characters_not_bytes() {
    assert!(parse(with("full_name", RawValue::text("đ".repeat(255)))).is_ok());
    assert!(parse(with("full_name", RawValue::text("đ".repeat(256)))).is_err());
    assert!(parse(with("notes", RawValue::text("đ".repeat(5000)))).is_ok());
}

fn stored() -> Lead {
    let now = chrono::DateTime::UNIX_EPOCH;
    Lead {
        id: super::super::LeadId(1),
        details: parse(ana()).unwrap(),
        work: super::super::LeadWork::default(),
        created_at: now,
        updated_at: now,
    }
}

fn change(fields: &[(&str, RawValue)]) -> LeadChange {
    let mut input = LeadInput::default();
    for (field, value) in fields {
        input.set(field, value.clone());
    }
    input.into_change(&DisposableDomains::default()).unwrap()
}

#[test]
fn a_change_leaves_alone_what_it_does_not_name() {
    let changed = change(&[("status", RawValue::text("closed"))]).apply(&stored()).unwrap();
    assert_eq!(changed.status, LeadStatus::Closed);
    assert_eq!(changed.full_name, "Ana Horvat");
    assert_eq!(changed.email.as_deref(), Some("ana@acme.hr"));
}

#[test]
fn a_change_is_checked_against_the_lead_as_it_will_be() {
    assert!(change(&[("email", RawValue::Null)]).apply(&stored()).is_err());
    let moved =
        change(&[("email", RawValue::Null), ("phone_number", RawValue::text("0911234567"))]);
    assert_eq!(moved.apply(&stored()).unwrap().email, None);
}

#[test]
fn a_replacement_must_be_a_whole_lead_in_itself() {
    let replacement = input(&[("full_name", "Ana"), ("position", "CEO")])
        .into_replacement(&DisposableDomains::default());
    assert!(replacement.is_err());
}

proptest::proptest! {
    #[test]
    fn accepted_values_are_accepted_again_unchanged(
        name in "\\PC{0,20}", notes in ".{0,40}", phone in "\\+?[0-9]{0,16}",
    ) {
        let mut given = ana();
        given.set("full_name", RawValue::Text(name));
        given.set("notes", RawValue::Text(notes));
        given.set("phone_number", RawValue::Text(phone));
        if let Ok(lead) = parse(given) {
            let mut again = ana();
            again.set("full_name", RawValue::Text(lead.full_name.clone()));
            again.set("notes", RawValue::Text(lead.notes.clone().unwrap_or_default()));
            again.set("phone_number", RawValue::Text(lead.phone_number.clone().unwrap_or_default()));
            proptest::prop_assert_eq!(parse(again), Ok(lead));
        }
    }
}
