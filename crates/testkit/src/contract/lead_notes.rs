//! Notes about leads.

use exit3_app::events::UndoError;
use exit3_domain::events::Verb;
use exit3_domain::lead_notes::{LeadNote, LeadNoteId};
use exit3_domain::leads::LeadId;
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::undo::{create_lead, newest, undo_newest, undone};
use crate::builders::{act, at, some_act, time};

/// Stores a note about one of the leads.
pub(crate) async fn fill(harness: &Harness) {
    let leads = super::model::everything(harness.leads.as_ref()).await;
    let lead = leads.first().expect("a lead");
    let act = act(time("2026-03-01T12:00:00.123456Z"));
    harness.lead_notes.add(lead.id, "Đ \"Ω\"\n\t🦀", &act).await.unwrap();
    let removed = harness.lead_notes.add(lead.id, "removed", &act).await.unwrap();
    harness.lead_notes.remove(&removed, &act).await.unwrap();
}

async fn noted(harness: &Harness, lead: LeadId, text: &str, at_microseconds: i64) -> LeadNote {
    harness.lead_notes.add(lead, text, &act(at(at_microseconds))).await.unwrap()
}

async fn listed(harness: &Harness, lead: LeadId) -> Vec<LeadNote> {
    harness.lead_notes.list(lead, None, 50).await.unwrap()
}

pub async fn returns_what_it_stored(harness: &Harness) {
    let lead = create_lead(harness).await.id;
    let note = noted(harness, lead, "called", 7).await;
    let act = act(at(7));
    assert_eq!((note.lead, note.at, &note.author), (lead, act.at, &act.author.actor));
    assert_eq!(note.text, "called");
    assert_eq!(harness.lead_notes.find(note.id).await.unwrap().as_ref(), Some(&note));
    assert_eq!(listed(harness, lead).await, [note]);
    for id in [0, -1, i64::MAX] {
        assert_eq!(harness.lead_notes.find(LeadNoteId(id)).await.unwrap(), None);
    }
}

pub async fn keeps_long_and_odd_texts(harness: &Harness) {
    let lead = create_lead(harness).await.id;
    for text in ["\u{1f980}".repeat(5000).as_str(), "'; DROP TABLE leads; --", "a\n\tb", "<b>"] {
        let note = noted(harness, lead, text, 7).await;
        assert_eq!(harness.lead_notes.find(note.id).await.unwrap().unwrap().text, text);
    }
}

pub async fn refuses_texts_that_no_note_has(harness: &Harness) {
    let lead = create_lead(harness).await.id;
    for text in ["", &"x".repeat(5001), "a\0b"] {
        let refused = harness.lead_notes.add(lead, text, &some_act()).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    }
    assert_eq!(listed(harness, lead).await, []);
    assert_eq!(newest(harness).await.verb.as_str(), "lead.created");
}

pub async fn refuses_a_note_about_a_lead_that_is_not_there(harness: &Harness) {
    let gone = create_lead(harness).await;
    harness.leads.delete(&gone, &some_act()).await.unwrap();
    for id in [gone.id, LeadId(0), LeadId(i64::MAX)] {
        let refused = harness.lead_notes.add(id, "x", &some_act()).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
        assert_eq!(listed(harness, id).await, []);
    }
}

pub async fn lists_the_newest_first_and_so_many_at_a_time(harness: &Harness) {
    let (lead, other) = (create_lead(harness).await.id, create_lead(harness).await.id);
    for time in [5, 7, 7, 3, 7, 9] {
        noted(harness, lead, "x", time).await;
        noted(harness, other, "y", time).await;
    }
    let all = listed(harness, lead).await;
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by(|one, other| one.position() > other.position()));
    assert!(all.iter().all(|note| note.lead == lead));
    let (mut stepped, mut before) = (Vec::new(), None);
    loop {
        let step = harness.lead_notes.list(lead, before, 2).await.unwrap();
        let Some(last) = step.last() else { break };
        before = Some(last.position());
        stepped.extend(step);
    }
    assert_eq!(stepped, all);
    // Positions that no note has.
    let between = harness.lead_notes.list(lead, Some((at(6), LeadNoteId(0))), 9).await.unwrap();
    assert_eq!(between, all[4..]);
    let ends = [(at(i64::MAX / 64), 6), (at(-62_135_596_800_000_000), 0)];
    for (end, count) in ends {
        let found = harness.lead_notes.list(lead, Some((end, LeadNoteId(0))), 9).await.unwrap();
        assert_eq!(found.len(), count);
    }
    assert_eq!(harness.lead_notes.list(lead, None, 0).await.unwrap(), []);
}

pub async fn notes_outlive_their_lead_and_are_there_when_it_comes_back(harness: &Harness) {
    let lead = create_lead(harness).await;
    let note = noted(harness, lead.id, "called", 7).await;
    harness.leads.delete(&lead, &some_act()).await.unwrap();
    undo_newest(harness).await;
    assert_eq!(listed(harness, lead.id).await, [note]);
}

pub async fn removes_a_note_once(harness: &Harness) {
    let lead = create_lead(harness).await.id;
    let (gone, kept) = (noted(harness, lead, "a", 7).await, noted(harness, lead, "b", 7).await);
    harness.lead_notes.remove(&gone, &some_act()).await.unwrap();
    assert_eq!(harness.lead_notes.find(gone.id).await.unwrap(), None);
    assert_eq!(listed(harness, lead).await, [kept]);
    let again = harness.lead_notes.remove(&gone, &some_act()).await;
    assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    // Its id is never given again.
    assert!(noted(harness, lead, "c", 7).await.id > gone.id);
}

pub async fn restores_a_removed_note_with_its_id(harness: &Harness) {
    let lead = create_lead(harness).await;
    let note = noted(harness, lead.id, "called", 7).await;
    let is_there = harness.lead_notes.restore(&note, &some_act()).await;
    assert!(matches!(is_there, Err(StoreError::Conflict(Constraint::Stale))), "{is_there:?}");
    harness.lead_notes.remove(&note, &some_act()).await.unwrap();
    harness.lead_notes.restore(&note, &act(at(99))).await.unwrap();
    assert_eq!(listed(harness, lead.id).await, std::slice::from_ref(&note));
    harness.lead_notes.remove(&note, &some_act()).await.unwrap();
    harness.leads.delete(&lead, &some_act()).await.unwrap();
    let has_no_lead = harness.lead_notes.restore(&note, &some_act()).await;
    assert!(matches!(has_no_lead, Err(StoreError::NotFound)), "{has_no_lead:?}");
    assert_eq!(harness.lead_notes.find(note.id).await.unwrap(), None);
}

pub async fn additions_and_removals_are_undone(harness: &Harness) {
    let lead = create_lead(harness).await.id;
    let note = noted(harness, lead, "called", 7).await;
    let addition = newest(harness).await;
    let action = |verb: &Verb| verb.action().to_owned();
    assert_eq!(action(&undo_newest(harness).await.verb), Verb::NOTE_REMOVED);
    assert_eq!(listed(harness, lead).await, []);
    let removal = newest(harness).await;
    let gone = undone(harness, addition.id).await;
    assert!(matches!(gone, Err(UndoError::Gone)), "{gone:?}");
    assert_eq!(action(&undo_newest(harness).await.verb), Verb::NOTE_RESTORED);
    assert_eq!(listed(harness, lead).await, [note]);
    let exists = undone(harness, removal.id).await;
    assert!(matches!(exists, Err(UndoError::Exists)), "{exists:?}");
    assert_eq!(action(&undo_newest(harness).await.verb), Verb::NOTE_REMOVED);
    assert_eq!(listed(harness, lead).await, []);
}

pub async fn notes_of_leads_that_are_gone_for_good_are_removed(harness: &Harness) {
    let (kept, back, gone) =
        (create_lead(harness).await, create_lead(harness).await, create_lead(harness).await);
    for lead in [&kept, &back, &gone] {
        noted(harness, lead.id, "a", 7).await;
        noted(harness, lead.id, "b", 7).await;
    }
    let count = async |lead: LeadId| listed(harness, lead).await.len();
    let remove = async || {
        let (mut after, mut steps) = (LeadId(0), 0);
        while let Some(last) = harness.lead_notes.remove_orphans(after, 2).await.unwrap() {
            (after, steps) = (last, steps + 1);
        }
        steps
    };
    harness.leads.delete(&gone, &act(at(1_000))).await.unwrap();
    harness.leads.delete(&back, &act(at(3_000))).await.unwrap();
    // Both can come back.
    assert_eq!(remove().await, 2);
    assert_eq!((count(kept.id).await, count(back.id).await, count(gone.id).await), (2, 2, 2));
    harness.events.remove_before(at(2_000), 1_000).await.unwrap();
    assert_eq!(remove().await, 2);
    assert_eq!((count(kept.id).await, count(back.id).await, count(gone.id).await), (2, 2, 0));
    harness.leads.restore(&back, None, &some_act()).await.unwrap();
    harness.events.remove_before(at(i64::MAX / 64), 1_000).await.unwrap();
    assert_eq!(remove().await, 1);
    assert_eq!((count(kept.id).await, count(back.id).await), (2, 2));
}
