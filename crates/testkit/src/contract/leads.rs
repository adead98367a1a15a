//! Creating, finding, updating and deleting leads.

use exit3_domain::fields::{Field, FieldKind};
use exit3_domain::leads::{
    FIELDS, Lead, LeadCategory, LeadFilter, LeadId, LeadOrder, LeadSource, LeadStatus, NewLead,
};
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::lead_work::work;
use super::model::{NEW_YEAR, NOW, everything, listed, searching, soon};
use crate::builders::{act, at, lead, some_act, time};

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    let odd = "9999-12-31T23:59:59.999999Z";
    let leads = [
        (lead().full_name("Đuro \"Ω\" \\ 🦀\u{1}").notes(Some("a\r\nb\t")).build(), time(NOW)),
        (lead().company_name(None).phone_number(None).email(Some("")).build(), time(odd)),
    ];
    harness.leads.create_many(&leads, &some_act()).await.unwrap();
    let (worked, first) = (lead().full_name("123").notes(Some("null")).build(), work());
    let act = act(at(-62_135_596_800_000_000));
    harness.leads.create_with_work(&worked, &first, &act).await.unwrap();
}

async fn survives(harness: &Harness, new: NewLead) {
    let created = harness.leads.create(&new, &act(at(NEW_YEAR))).await.unwrap();
    assert_eq!(created.details, new);
    assert_eq!(created.created_at, at(NEW_YEAR));
    assert_eq!(created.updated_at, at(NEW_YEAR));
    assert_eq!(harness.leads.find(created.id).await.unwrap(), Some(created));
}

/// The text fields, and the maximum length that is stored of each, in characters.
fn texts() -> impl Iterator<Item = (&'static Field, Option<u64>)> {
    FIELDS.iter().filter_map(|field| match field.kind {
        FieldKind::Text { stored, .. } => Some((field, stored)),
        _ => None,
    })
}

/// Repeats `letter` `longest` + `more` times.
fn long(letter: &str, longest: u64, more: usize) -> String {
    letter.repeat(usize::try_from(longest).unwrap() + more)
}

pub async fn returns_what_it_stored(harness: &Harness) {
    survives(harness, lead().notes(Some("call back\n\tsoon")).build()).await;
    let stored = everything(harness.leads.as_ref()).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(harness.leads.find(stored[0].id).await.unwrap().as_ref(), Some(&stored[0]));
}

pub async fn keeps_the_difference_between_empty_and_missing(harness: &Harness) {
    for text in [None, Some(""), Some("x")] {
        let nullable = texts().filter(|(field, _)| field.is_nullable);
        let all = nullable.fold(lead(), |lead, (field, _)| lead.text(field.name, text));
        survives(harness, all.build()).await;
    }
    survives(harness, lead().company_name(Some("")).phone_number(None).build()).await;
}

pub async fn keeps_every_choice(harness: &Harness) {
    for source in LeadSource::ALL {
        survives(harness, lead().source(*source).build()).await;
    }
    for status in LeadStatus::ALL {
        survives(harness, lead().status(*status).build()).await;
    }
    for category in LeadCategory::ALL {
        survives(harness, lead().category(*category).build()).await;
    }
}

pub async fn keeps_times_to_the_microsecond(harness: &Harness) {
    for moment in [
        "2024-02-29T23:59:59.999999Z",
        "2025-06-30T12:00:00.000001Z",
        "2025-06-30T12:00:00Z",
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999999Z",
    ] {
        let moment = time(moment);
        let created = harness.leads.create(&lead().build(), &act(moment)).await.unwrap();
        assert_eq!((created.created_at, created.updated_at), (moment, moment));
        let found = harness.leads.find(created.id).await.unwrap().unwrap();
        assert_eq!((found.created_at, found.updated_at), (moment, moment));
    }
}

pub async fn keeps_huge_texts_of_wide_characters(harness: &Harness) {
    // Older notes may exceed the limit for new ones.
    let notes = "🦀".repeat(50_000);
    let wide = "\u{10ffff}".repeat(255);
    let new = lead().full_name(&wide).position(&wide).company_name(Some(&wide));
    survives(harness, new.notes(Some(&notes)).build()).await;
}

pub async fn keeps_texts_that_look_like_code(harness: &Harness) {
    for text in ["'; DROP TABLE leads; --", "\"x\" \\' %s $1 ?1 :a {}", "a\\0b\\", "NULL", "<b>"] {
        survives(harness, lead().full_name(text).notes(Some(text)).build()).await;
    }
}

pub async fn counts_lengths_in_characters(harness: &Harness) {
    for (field, longest) in texts() {
        let longest = long("Đ", longest.unwrap_or(255), 0);
        survives(harness, lead().text(field.name, Some(&longest)).build()).await;
    }
}

async fn refuses(harness: &Harness, field: &str, text: &str) {
    let refused = lead().text(field, Some(text)).build();
    let refused = harness.leads.create(&refused, &act(at(NEW_YEAR))).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{field}: {refused:?}");
}

pub async fn refuses_texts_that_are_too_long_for_any_lead(harness: &Harness) {
    for (field, longest) in texts() {
        if let Some(longest) = longest {
            refuses(harness, field.name, &long("x", longest, 1)).await;
        }
    }
    assert_eq!(everything(harness.leads.as_ref()).await, []);
    survives(harness, lead().build()).await;
}

pub async fn refuses_texts_with_nul(harness: &Harness) {
    for (field, _) in texts() {
        for text in ["a\0b", "\0", "\0b", "b\0"] {
            refuses(harness, field.name, text).await;
        }
    }
    assert_eq!(everything(harness.leads.as_ref()).await, []);
}

pub async fn finds_nothing_under_an_unknown_id(harness: &Harness) {
    for id in [0, 1, -1, i64::MIN, i64::MAX] {
        assert_eq!(harness.leads.find(LeadId(id)).await.unwrap(), None);
    }
}

pub async fn never_reuses_an_id(harness: &Harness) {
    let mut highest = LeadId(0);
    for _ in 0..3 {
        let first = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
        let second = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
        assert!(first.id > highest && second.id > first.id);
        highest = second.id;
        harness.leads.delete(&second, &some_act()).await.unwrap();
        harness.leads.delete(&first, &some_act()).await.unwrap();
    }
}

pub async fn replaces_the_details_and_nothing_else(harness: &Harness) {
    let other = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let details = lead()
        .full_name("Ivo")
        .position("CEO")
        .company_name(None)
        .phone_number(Some(""))
        .email(Some("ivo@zeta.hr"))
        .source(LeadSource::Website)
        .status(LeadStatus::Closed)
        .notes(Some("n"))
        .category(LeadCategory::SalesAuto)
        .build();
    let updated =
        harness.leads.update(&seen, &details, &seen.work, &act(at(NEW_YEAR + 5))).await.unwrap();
    assert_eq!(updated.details, details);
    assert_eq!((updated.id, updated.created_at), (seen.id, seen.created_at));
    assert_eq!(updated.updated_at, at(NEW_YEAR + 5));
    assert_eq!(harness.leads.find(seen.id).await.unwrap(), Some(updated));
    assert_eq!(harness.leads.find(other.id).await.unwrap(), Some(other));
}

pub async fn updated_at_increases_even_if_the_clock_does_not(harness: &Harness) {
    let mut seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    for (now, then) in [(-3_600_000_000, 1), (1, 2), (2, 3), (3, 4), (1000, 1000), (0, 1001)] {
        let details = seen.details.clone();
        seen = harness
            .leads
            .update(&seen, &details, &seen.work, &act(at(NEW_YEAR + now)))
            .await
            .unwrap();
        assert_eq!(seen.updated_at, at(NEW_YEAR + then));
        assert_eq!(harness.leads.find(seen.id).await.unwrap().as_ref(), Some(&seen));
    }
}

pub async fn refuses_to_update_a_row_that_has_changed(harness: &Harness) {
    let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let ivo = lead().full_name("Ivo").build();
    let now = harness.leads.update(&seen, &ivo, &seen.work, &act(at(NEW_YEAR + 1))).await.unwrap();
    let eva = lead().full_name("Eva").build();
    let refused = harness.leads.update(&seen, &eva, &seen.work, &act(at(NEW_YEAR + 2))).await;
    assert!(matches!(refused, Err(StoreError::Conflict(Constraint::Stale))), "{refused:?}");
    assert_eq!(harness.leads.find(seen.id).await.unwrap(), Some(now));
}

pub async fn refuses_to_update_or_delete_missing_rows(harness: &Harness) {
    let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    harness.leads.delete(&seen, &some_act()).await.unwrap();
    let refused =
        harness.leads.update(&seen, &seen.details, &seen.work, &act(at(NEW_YEAR + 1))).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    for id in [seen.id, LeadId(0), LeadId(-1), LeadId(i64::MAX)] {
        let missing = Lead { id, ..seen.clone() };
        let refused = harness.leads.delete(&missing, &some_act()).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
    assert_eq!(harness.leads.find(seen.id).await.unwrap(), None);
}

pub async fn refuses_to_delete_a_row_that_has_changed(harness: &Harness) {
    let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let ivo = lead().full_name("Ivo").build();
    let now = harness.leads.update(&seen, &ivo, &seen.work, &act(at(NEW_YEAR + 1))).await.unwrap();
    let refused = harness.leads.delete(&seen, &some_act()).await;
    assert!(matches!(refused, Err(StoreError::Conflict(Constraint::Stale))), "{refused:?}");
    assert_eq!(harness.leads.find(seen.id).await.unwrap().as_ref(), Some(&now));
    harness.leads.delete(&now, &some_act()).await.unwrap();
}

pub async fn restores_a_deleted_row_with_its_id_and_times(harness: &Harness) {
    let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let ivo = lead().full_name("Ivo").notes(None).company_name(Some("")).build();
    let gone = harness.leads.update(&seen, &ivo, &seen.work, &act(at(NEW_YEAR + 7))).await.unwrap();
    let other = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    for lead in [&gone, &other] {
        harness.leads.delete(lead, &some_act()).await.unwrap();
    }
    for lead in [&gone, &other] {
        let act = act(at(NEW_YEAR + 100));
        assert!(!harness.leads.restore(lead, None, &act).await.unwrap());
        assert_eq!(harness.leads.find(lead.id).await.unwrap().as_ref(), Some(lead));
        for again in [lead, &Lead { details: ivo.clone(), updated_at: at(5), ..lead.clone() }] {
            let refused = harness.leads.restore(again, None, &some_act()).await;
            let is_stale = matches!(refused, Err(StoreError::Conflict(Constraint::Stale)));
            assert!(is_stale, "{refused:?}");
        }
    }
    assert_eq!(everything(harness.leads.as_ref()).await.len(), 2);
    let found = listed(harness.leads.as_ref(), &searching("ivo"), LeadOrder::NEWEST, 50).await;
    assert_eq!(found, [gone]);
    let next = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    assert!(next.id > other.id);
}

pub async fn a_refused_update_changes_nothing(harness: &Harness) {
    let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let too_long = lead().status(LeadStatus::Closed).full_name("x".repeat(256)).build();
    let refused = harness.leads.update(&seen, &too_long, &seen.work, &act(at(NEW_YEAR + 1))).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert_eq!(harness.leads.find(seen.id).await.unwrap().as_ref(), Some(&seen));
    let closed = LeadFilter { statuses: Some(vec![LeadStatus::Closed]), ..LeadFilter::default() };
    assert_eq!(listed(harness.leads.as_ref(), &closed, LeadOrder::NEWEST, 50).await, []);
    // The caller's version is still the stored one.
    harness.leads.update(&seen, &seen.details, &seen.work, &act(at(NEW_YEAR + 1))).await.unwrap();
}

pub async fn deletes_one_lead_only(harness: &Harness) {
    let one = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let other = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    harness.leads.delete(&one, &some_act()).await.unwrap();
    assert_eq!(harness.leads.find(one.id).await.unwrap(), None);
    assert_eq!(everything(harness.leads.as_ref()).await, [other]);
}

pub async fn stores_many_leads_with_their_times(harness: &Harness) {
    let given: Vec<_> = (0..300_i32)
        .map(|n| {
            let new = lead().full_name(format!("Lead {n}")).notes((n % 2 == 0).then_some(""));
            (new.build(), at(NEW_YEAR + i64::from(n) * 1_000_003))
        })
        .collect();
    harness.leads.create_many(&given, &some_act()).await.unwrap();
    let mut stored = everything(harness.leads.as_ref()).await;
    stored.reverse();
    assert!(stored.iter().all(|lead| lead.updated_at == lead.created_at));
    let stored: Vec<_> = stored.into_iter().map(|lead| (lead.details, lead.created_at)).collect();
    assert_eq!(stored, given);
}

pub async fn stores_many_leads_or_none(harness: &Harness) {
    let good = (lead().build(), at(NEW_YEAR));
    let bad = (lead().full_name("x".repeat(256)).build(), at(NEW_YEAR));
    for place in [0, 50, 99] {
        let mut given = vec![good.clone(); 100];
        given[place] = bad.clone();
        let refused = harness.leads.create_many(&given, &some_act()).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
        assert_eq!(everything(harness.leads.as_ref()).await, []);
    }
    harness.leads.create_many(&vec![good; 100], &some_act()).await.unwrap();
    assert_eq!(everything(harness.leads.as_ref()).await.len(), 100);
}

pub async fn stores_no_leads_at_all_when_given_none(harness: &Harness) {
    harness.leads.create_many(&[], &some_act()).await.unwrap();
    assert_eq!(everything(harness.leads.as_ref()).await, []);
}

pub async fn stores_more_leads_at_once_than_a_statement_has_room_for(harness: &Harness) {
    let given: Vec<_> = (0..6000).map(|n| (lead().build(), at(NEW_YEAR + n))).collect();
    harness.leads.create_many(&given, &some_act()).await.unwrap();
    let found = harness
        .leads
        .list(&LeadFilter::default(), LeadOrder::NEWEST, super::model::last(7))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.count, 6000);
    assert_eq!(found.rows.last().unwrap().created_at, at(NEW_YEAR));
}

pub async fn a_usable_database_says_so(harness: &Harness) {
    soon(harness.health.ping()).await.unwrap();
    assert!(soon(harness.health.schema_is_current()).await.unwrap());
}
