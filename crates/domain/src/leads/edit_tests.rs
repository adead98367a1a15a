use super::*;
use crate::edits::{Conflict, Conflicts, Edit, Merged};
use crate::leads::{LeadId, LeadStatus, example};
use crate::staff::StaffId;
use crate::versions::Version;

fn stored() -> Lead {
    let at = DateTime::UNIX_EPOCH;
    let details = NewLead {
        email: Some("ana@acme.hr".into()),
        phone_number: Some("+385911234567".into()),
        notes: Some("one\ntwo".into()),
        ..example()
    };
    Lead { id: LeadId(1), details, work: LeadWork::default(), created_at: at, updated_at: at }
}

/// The edit of a form that was rendered from `lead`, and in which these fields were changed.
fn edit(lead: &Lead, fields: &[(&str, &str)]) -> Edit {
    let texts = FieldTexts::of(lead);
    let base: Vec<_> =
        texts.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let value = |(name, text): &(String, String)| {
        let given = fields.iter().find(|(field, _)| field == name).map(|(_, text)| *text);
        (name.clone(), RawValue::text(given.unwrap_or(text)))
    };
    Edit { version: Version::of(lead), values: base.iter().map(value).collect(), base }
}

fn merge(edit: &Edit, now: &Lead) -> Result<Merged<LeadState>, Invalid> {
    edit.merge(now, &DisposableDomains::default())
}

fn merged(edit: &Edit, now: &Lead) -> Lead {
    match merge(edit, now).unwrap() {
        Merged::State(LeadState { details, work }) => Lead { details, work, ..now.clone() },
        Merged::Conflicts(conflicts) => panic!("{conflicts:?}"),
    }
}

fn conflicts(edit: &Edit, now: &Lead) -> Conflicts {
    match merge(edit, now).unwrap() {
        Merged::Conflicts(conflicts) => conflicts,
        Merged::State(_) => panic!("no conflict"),
    }
}

fn by_others(fields: &[(&str, &str)]) -> Lead {
    let changed = merged(&edit(&stored(), fields), &stored());
    Lead { updated_at: DateTime::from_timestamp_micros(9).unwrap(), ..changed }
}

#[test]
fn every_field_has_a_text() {
    let texts = FieldTexts::of(&stored());
    let names = FIELDS.iter().map(|field| field.name).chain(super::super::WORK_FIELDS.to_vec());
    assert!(texts.iter().map(|(name, _)| name).eq(names));
    assert_eq!(texts.get("owner"), Some(""));
    assert_eq!(texts.get("id"), None);
}

#[test]
fn a_form_that_was_not_touched_changes_nothing() {
    let lead = by_others(&[("owner", "7"), ("next_step_at", "2026-02-03T10:00:00Z")]);
    assert_eq!(merged(&edit(&lead, &[]), &lead), lead);
    // Browsers send other line ends than they were given.
    let sent = edit(&lead, &[("notes", "one\r\ntwo")]);
    assert_eq!(merged(&sent, &lead), lead);
}

#[test]
fn every_field_can_be_changed() {
    let fields = [
        ("full_name", "Eva"),
        ("position", "CEO"),
        ("company_name", ""),
        ("phone_number", "+385 91 000 0000"),
        ("email", "EVA@acme.hr"),
        ("source", "website"),
        ("status", "new"),
        ("notes", "three"),
        ("category", "sales_auto"),
        ("owner", "7"),
        ("next_step", "call"),
        ("next_step_at", "2026-02-03T10:00:00+01:00"),
    ];
    let changed = FieldTexts::of(&by_others(&fields));
    for (field, text) in fields {
        let expected = match field {
            "phone_number" => "+385910000000",
            "email" => "eva@acme.hr",
            "next_step_at" => "2026-02-03T09:00:00Z",
            _ => text,
        };
        assert_eq!(changed.get(field), Some(expected), "{field}");
    }
}

#[test]
fn changes_of_different_fields_merge() {
    let now = by_others(&[("status", "new"), ("owner", "7")]);
    let both = merged(&edit(&stored(), &[("full_name", "Eva"), ("next_step", "call")]), &now);
    assert_eq!(both.details.full_name, "Eva");
    assert_eq!(both.details.status, LeadStatus::New);
    assert_eq!(both.work.owner, Some(StaffId(7)));
    assert_eq!(both.work.next_step.as_deref(), Some("call"));
}

#[test]
fn a_field_that_both_changed_differently_is_a_conflict() {
    let now = by_others(&[("full_name", "Eva"), ("owner", "7"), ("status", "new")]);
    let edit = edit(&stored(), &[("full_name", "Iva"), ("owner", "8"), ("position", "CEO")]);
    let found = conflicts(&edit, &now);
    assert_eq!(found.version, Version::of(&now));
    let conflict = |field, original: &str, yours: &str, theirs: &str| Conflict {
        field,
        original: Some(original.to_owned()),
        yours: yours.to_owned(),
        theirs: theirs.to_owned(),
    };
    let expected =
        [conflict("full_name", "Ana Horvat", "Iva", "Eva"), conflict("owner", "", "8", "7")];
    assert_eq!(found.fields, expected);
}

#[test]
fn a_conflict_is_settled_by_a_form_that_was_rendered_from_it() {
    let now = by_others(&[("full_name", "Eva")]);
    let found = conflicts(&edit(&stored(), &[("full_name", "Iva")]), &now);
    let mut again = edit(&stored(), &[("full_name", "Iva")]);
    again.version = found.version;
    assert_eq!(merged(&again, &now).details.full_name, "Iva");
}

#[test]
fn the_same_change_by_both_is_no_conflict() {
    let now = by_others(&[("phone_number", "+385910000000")]);
    let same = edit(&stored(), &[("phone_number", "+385 91 / 000-0000")]);
    assert_eq!(merged(&same, &now), now);
}

#[test]
fn a_change_back_to_the_old_text_is_a_conflict_only_if_others_changed_it() {
    let now = by_others(&[("full_name", "Eva")]);
    assert_eq!(merged(&edit(&stored(), &[("full_name", "Ana Horvat")]), &now), now);
}

#[test]
fn a_form_without_its_old_texts_never_overwrites_others() {
    let mut blind = edit(&stored(), &[("full_name", "Iva")]);
    blind.base.clear();
    blind.values.retain(|(name, _)| name == "full_name");
    assert_eq!(merged(&blind, &stored()).details.full_name, "Iva");
    let now = by_others(&[("position", "CEO")]);
    let found = conflicts(&blind, &now);
    assert_eq!(found.fields.len(), 1);
    assert_eq!(found.fields[0].original, None);
    // Unless it remembers the lead of its version.
    assert_eq!(merged(&blind.clone().seen(&stored()), &now).details.full_name, "Iva");
    let other = by_others(&[("full_name", "Eva")]);
    assert_eq!(conflicts(&blind.clone().seen(&stored()), &other).fields.len(), 1);
    assert_eq!(blind.clone().seen(&other), blind);
}

#[test]
fn only_changed_fields_must_follow_the_rules_of_today() {
    let mut old = stored();
    old.details.full_name = "1 < 2".to_owned();
    let changed = merged(&edit(&old, &[("status", "new")]), &old);
    assert_eq!(changed.details.status, LeadStatus::New);
    assert!(merge(&edit(&old, &[("full_name", "2 < 3")]), &old).is_err());
}

#[test]
fn errors_of_all_fields_are_collected() {
    let fields = [("full_name", ""), ("status", "x"), ("owner", "x"), ("next_step_at", "x")];
    let invalid = merge(&edit(&stored(), &fields), &stored()).unwrap_err();
    assert!(invalid.fields().map(|(name, _)| name).eq(fields.map(|(name, _)| name)));
    let whole = [("email", ""), ("phone_number", "")];
    assert!(!merge(&edit(&stored(), &whole), &stored()).unwrap_err().of_the_whole().is_empty());
}

#[test]
fn a_lead_that_both_make_unreachable_is_invalid_and_a_conflict_comes_first() {
    let now = by_others(&[("phone_number", "")]);
    assert!(merge(&edit(&stored(), &[("email", "")]), &now).is_err());
    let moved = by_others(&[("phone_number", ""), ("email", "eva@acme.hr")]);
    assert_eq!(conflicts(&edit(&stored(), &[("email", "")]), &moved).fields.len(), 1);
}

#[test]
fn a_new_lead_is_parsed_with_the_work_on_it() {
    let field = |name: &str, text: &str| (name.to_owned(), RawValue::text(text));
    let values = vec![
        field("full_name", "Ana"),
        field("position", "CTO"),
        field("email", "ana@acme.hr"),
        field("owner", "7"),
    ];
    let disposable = DisposableDomains::default();
    let (details, work) = parse_new(values, &disposable).unwrap();
    assert_eq!((details.full_name.as_str(), work.owner), ("Ana", Some(StaffId(7))));
    let invalid = parse_new(vec![field("owner", "x")], &disposable).unwrap_err();
    let names: Vec<_> = invalid.fields().map(|(name, _)| name).collect();
    assert_eq!(names, ["full_name", "position", "owner"]);
}
