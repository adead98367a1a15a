use chrono::{DateTime, Utc};
use exit3_domain::events::{Actor, Author, Changes, EventId, Subject};
use exit3_domain::lead_notes::LeadNoteId;
use exit3_domain::leads::LeadId;
use exit3_domain::staff::{PasswordHash, Staff, StaffId, StaffProfile};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Mocks, now, stored};
use crate::timeline::Change;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn ana() -> Actor {
    Actor::Staff("ana".into())
}

fn event(id: i64, second: i64, action: &str, changes: Changes) -> Event {
    Event {
        id: EventId(id),
        act: Author::from(ana()).at(at(second)),
        verb: Verb::of(RESOURCE, action),
        subject: Subject { resource: RESOURCE.into(), id: 1 },
        changes,
    }
}

fn note(id: i64, second: i64) -> LeadNote {
    let text = format!("note {id}");
    LeadNote { id: LeadNoteId(id), lead: LeadId(1), at: at(second), author: ana(), text }
}

fn account(id: i64, username: &str, first_name: &str) -> Staff {
    Staff {
        id: StaffId(id),
        profile: StaffProfile {
            username: username.to_owned(),
            first_name: first_name.to_owned(),
            last_name: String::new(),
            email: String::new(),
            is_staff: true,
            is_active: true,
            is_superuser: false,
            role: None,
        },
        password: PasswordHash::kept(String::new()),
        preferences: exit3_domain::staff::Preferences::default(),
        date_joined: now(),
        last_login: None,
    }
}

fn app(mut events: Vec<Event>, mut notes: Vec<LeadNote>) -> App {
    let mut mocks = Mocks::new();
    events.sort_by_key(|event| std::cmp::Reverse(event.position()));
    notes.sort_by_key(|note| std::cmp::Reverse(note.position()));
    mocks.repositories.events.expect_list().returning(move |_, before, size| {
        let is_below = |event: &&Event| before.is_none_or(|before| event.position() < before);
        Ok(events.iter().filter(is_below).take(size as usize).cloned().collect())
    });
    mocks.repositories.lead_notes.expect_list().returning(move |_, before, size| {
        let is_below = |note: &&LeadNote| before.is_none_or(|before| note.position() < before);
        Ok(notes.iter().filter(is_below).take(size as usize).cloned().collect())
    });
    mocks
        .repositories
        .staff
        .expect_find_by_username()
        .returning(|name| Ok((name == "ana").then(|| account(7, "ana", "Ana"))));
    mocks.repositories.staff.expect_find().returning(|id| {
        Ok(match id.0 {
            7 => Some(account(7, "ana", " Ana ")),
            8 => Some(account(8, "eva", "")),
            _ => None,
        })
    });
    mocks.into_app()
}

fn lead(notes: Option<&str>) -> Lead {
    let mut lead = stored(1);
    lead.details.notes = notes.map(str::to_owned);
    lead
}

/// What the entries of all steps of this size are, in short.
async fn walked(app: &App, lead: &Lead, size: u32) -> Vec<String> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let step = timeline(app, lead, before, size).await.unwrap();
        assert!(step.entries.len() <= size as usize);
        all.extend(step.entries.iter().map(|entry| match &entry.what {
            What::Note { text, .. } => text.clone(),
            What::NoteRemoved { event } => format!("removed {}", event.0),
            What::Changed { event, .. } => format!("changed {}", event.0),
            What::Event { event, action } => format!("{action} {}", event.0),
            What::Notes(text) => text.clone(),
        }));
        let Some(next) = step.next else { return all };
        assert!(!step.entries.is_empty());
        let read = Before::from_text(&next.to_text());
        assert_eq!(read, Some(next));
        before = read;
    }
}

#[tokio::test]
async fn notes_and_events_are_one_list_in_every_size_of_steps() {
    let changed = || Changes::one("full_name", "Ana", "Eva");
    let removed = note(9, 4).removal();
    let events = vec![
        event(1, 1, Verb::CREATED, Changes::None),
        event(2, 3, Verb::NOTED, LeadNote::addition(LeadNoteId(1))),
        event(3, 5, Verb::UPDATED, changed()),
        event(4, 6, Verb::NOTE_REMOVED, removed),
        event(5, 7, Verb::NOTE_RESTORED, LeadNote::addition(LeadNoteId(2))),
        event(6, 9, Verb::UPDATED, changed()),
    ];
    let notes = vec![note(1, 3), note(2, 5), note(3, 8), note(4, 8)];
    let expected = [
        "changed 6",
        "note 4",
        "note 3",
        "removed 4",
        "note 2",
        "changed 3",
        "note 1",
        "created 1",
        "asks",
    ];
    let (app, lead) = (app(events, notes), lead(Some("asks")));
    for size in 1..=12 {
        assert_eq!(walked(&app, &lead, size).await, expected, "{size} at a time");
    }
}

#[tokio::test]
async fn many_of_one_kind_do_not_hide_the_other() {
    let events: Vec<_> =
        (0..30).map(|id| event(id, 100 + id, Verb::NOTED, Changes::None)).collect();
    let notes = vec![note(1, 1), note(2, 200)];
    for size in [1, 2, 5, 50] {
        let app = app(events.clone(), notes.clone());
        assert_eq!(walked(&app, &lead(None), size).await, ["note 2", "note 1"], "{size}");
    }
    assert_eq!(walked(&app(Vec::new(), Vec::new()), &lead(Some(" ")), 5).await, [""; 0]);
    assert_eq!(walked(&app(Vec::new(), Vec::new()), &lead(Some("a")), 5).await, ["a"]);
}

#[tokio::test]
async fn an_entry_tells_who_and_what() {
    let owner = Changes::Fields(vec![
        ("owner".to_owned(), json!(7), json!(8)),
        ("status".to_owned(), json!("new"), json!("closed")),
    ]);
    let mut other = event(2, 5, Verb::UPDATED, Changes::one("owner", Some(9), None));
    other.act.author.actor = Actor::Staff("gone".into());
    let events = vec![event(1, 9, Verb::UPDATED, owner), other];
    let step = timeline(&app(events, Vec::new()), &lead(Some("asks")), None, 9).await.unwrap();
    assert_eq!(step.next, None);
    let [first, second, last] = step.entries.as_slice() else { panic!("{step:?}") };
    assert_eq!((first.at, &first.actor, first.name.as_deref()), (at(9), &Some(ana()), Some("Ana")));
    let change = |field: &str, before: Value, after: Value| Change {
        field: field.to_owned(),
        before,
        after,
    };
    let What::Changed { changes, .. } = &first.what else { panic!("{first:?}") };
    let status = change("status", json!("new"), json!("closed"));
    assert_eq!(*changes, [change("owner", json!("Ana"), json!("eva")), status]);
    assert_eq!(second.name, None);
    let What::Changed { changes, .. } = &second.what else { panic!("{second:?}") };
    assert_eq!(*changes, [change("owner", json!(9), Value::Null)]);
    assert_eq!((last.at, &last.actor), (now(), &None));
}
