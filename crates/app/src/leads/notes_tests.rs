use chrono::DateTime;
use exit3_domain::events::Actor;
use exit3_ports::StoreError;

use super::*;
use crate::testing::{Mocks, act, doer, stored};

fn note(lead: i64) -> LeadNote {
    LeadNote {
        id: LeadNoteId(7),
        lead: LeadId(lead),
        at: DateTime::UNIX_EPOCH,
        author: Actor::Staff("ana".into()),
        text: "called".to_owned(),
    }
}

#[tokio::test]
async fn a_note_is_parsed_before_it_is_stored() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|id| Ok(Some(stored(id.0))));
    let notes = &mut mocks.repositories.lead_notes;
    let is_trimmed =
        |lead: &LeadId, text: &str, by: &_| lead.0 == 1 && text == "called" && *by == act();
    notes.expect_add().times(1).withf(is_trimmed).returning(|_, _, _| Ok(note(1)));
    let app = mocks.into_app();
    let added = add(&app, LeadId(1), RawValue::text(" called\n"), &doer()).await;
    assert_eq!(added.unwrap(), note(1));
    let blank = add(&app, LeadId(1), RawValue::text(" "), &doer()).await;
    assert!(matches!(blank, Err(EditError::Invalid(_))));
}

#[tokio::test]
async fn a_lead_that_is_gone_takes_no_note() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|id| Ok(Some(stored(id.0))));
    mocks.repositories.lead_notes.expect_add().returning(|_, _, _| Err(StoreError::NotFound));
    let outcome = add(&mocks.into_app(), LeadId(1), RawValue::text("x"), &doer()).await;
    assert!(matches!(outcome, Err(EditError::NotFound)));
}

#[tokio::test]
async fn a_note_is_removed_from_its_own_lead_only() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|id| Ok(Some(stored(id.0))));
    let notes = &mut mocks.repositories.lead_notes;
    notes.expect_find().returning(|_| Ok(Some(note(1))));
    notes.expect_remove().times(1).returning(|_, _| Ok(()));
    let app = mocks.into_app();
    assert!(remove(&app, LeadId(1), LeadNoteId(7), &doer()).await.is_ok());
    let other = remove(&app, LeadId(2), LeadNoteId(7), &doer()).await;
    assert!(matches!(other, Err(EditError::NotFound)));
}

#[tokio::test]
async fn orphans_are_removed_step_by_step() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|id| Ok(Some(stored(id.0))));
    let notes = &mut mocks.repositories.lead_notes;
    for (after, last) in [(0, Some(500)), (500, Some(700)), (700, None)] {
        let is_next = move |from: &LeadId, _: &u32| from.0 == after;
        let removed = notes.expect_remove_orphans().times(1).withf(is_next);
        removed.returning(move |_, _| Ok(last.map(LeadId)));
    }
    remove_orphans(mocks.into_app(), RemoveOrphans {}).await.unwrap();
}
