//! Whether the events of a row explain its values. A release from before events, an import and
//! other programs change rows without an event.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Changes, Event, EventId, Record, Verb};

/// The times of a row, if it has any.
const CREATED_AT: &str = "created_at";
const UPDATED_AT: &str = "updated_at";

/// Whether nothing but events has changed a row since it was created or restored by the event
/// `since`. `events` are all events of the row, in descending order of their ids; `now` are its
/// values, if it exists.
///
/// A restored row had the values of its deletion. The event of a creation has no values: then only
/// `updated_at`, and the fields that later events have changed, can tell.
pub fn is_explained(events: &[Event], since: EventId, now: Option<&Record>) -> bool {
    let mut known: Option<Record> = None;
    for event in events.iter().rev() {
        let is_before = event.id < since;
        match (event.verb.action(), &event.changes) {
            (Verb::CREATED, _) if !is_before => known = Some(as_created(events, now)),
            (Verb::UPDATED, Changes::Fields(fields)) if !is_before => {
                let Some(known) = &mut known else { return false };
                for (name, _, after) in fields {
                    known.insert(name.clone(), after.clone());
                }
                touch(known, event.act.at);
            }
            (Verb::DELETED, Changes::Row(row)) => {
                let agrees = |known: &Record| agree(known, row);
                if !is_before && !known.as_ref().is_some_and(agrees) {
                    return false;
                }
                known = Some(row.clone());
            }
            _ => {}
        }
    }
    match (known, now) {
        (None, _) => false,
        (Some(known), Some(now)) => agree(&known, now),
        (Some(_), None) => true,
    }
}

/// What is known of a row that was just created.
fn as_created(events: &[Event], now: Option<&Record>) -> Record {
    let deleted = events.iter().filter_map(|event| match &event.changes {
        Changes::Row(row) => Some(row),
        Changes::None | Changes::Fields(_) => None,
    });
    let created_at = now.into_iter().chain(deleted).find_map(|row| row.get(CREATED_AT));
    created_at.map(|at| (UPDATED_AT.to_owned(), at.clone())).into_iter().collect()
}

/// Moves `updated_at` as an update at this time does.
fn touch(known: &mut Record, at: DateTime<Utc>) {
    let Some(updated_at) = known.get_mut(UPDATED_AT) else { return };
    let before: Option<DateTime<Utc>> = serde_json::from_value(updated_at.clone()).ok();
    let after = before.map(|before| at.max(before + TimeDelta::microseconds(1)));
    *updated_at = serde_json::to_value(after).unwrap_or_default();
}

/// Whether a row has the known values. Fields that only one of two releases has do not count.
fn agree(known: &Record, row: &Record) -> bool {
    known
        .iter()
        .all(|(name, value): (&String, &Value)| row.get(name).is_none_or(|now| now == value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Actor, Author, Subject};
    use serde_json::json;

    fn at(seconds: u32) -> DateTime<Utc> {
        format!("2026-09-21T14:13:{seconds:02}Z").parse().unwrap()
    }

    fn event(id: i64, action: &str, seconds: u32, changes: Changes) -> Event {
        Event {
            id: EventId(id),
            act: Author::from(Actor::Service).at(at(seconds)),
            verb: Verb::of("lead", action),
            subject: Subject { resource: "lead".into(), id: 7 },
            changes,
        }
    }

    fn created() -> Event {
        event(1, Verb::CREATED, 0, Changes::None)
    }

    fn renamed(id: i64, seconds: u32) -> Event {
        event(id, Verb::UPDATED, seconds, Changes::one("name", "Ana", "Eva"))
    }

    fn deleted(id: i64, row: Record) -> Event {
        event(id, Verb::DELETED, 9, Changes::Row(row))
    }

    fn restored(id: i64) -> Event {
        event(id, Verb::RESTORED, 9, Changes::None)
    }

    fn row(name: &str, notes: &str, updated_at: DateTime<Utc>) -> Record {
        let row = json!({
            "id": 7, "name": name, "notes": notes, "created_at": at(0), "updated_at": updated_at,
        });
        row.as_object().cloned().unwrap()
    }

    fn holds(oldest_first: &[Event], since: i64, now: Option<&Record>) -> bool {
        let events: Vec<Event> = oldest_first.iter().rev().cloned().collect();
        is_explained(&events, EventId(since), now)
    }

    #[test]
    fn a_creation_is_explained_until_the_row_is_updated() {
        assert!(holds(&[created()], 1, Some(&row("Ana", "a", at(0)))));
        assert!(!holds(&[created()], 1, Some(&row("Ana", "b", at(3)))));
        assert!(holds(&[created()], 1, None));
    }

    #[test]
    fn updates_with_events_are_followed() {
        let events = [created(), renamed(2, 3)];
        assert!(holds(&events, 1, Some(&row("Eva", "a", at(3)))));
        assert!(!holds(&events, 1, Some(&row("Iva", "a", at(3)))));
        assert!(!holds(&events, 1, Some(&row("Eva", "b", at(4)))));
        // Two updates in the same moment.
        let events = [created(), renamed(2, 3), renamed(3, 3)];
        let moved = at(3) + TimeDelta::microseconds(1);
        assert!(holds(&events, 1, Some(&row("Eva", "a", moved))));
        assert!(!holds(&events, 1, Some(&row("Eva", "a", at(3)))));
    }

    #[test]
    fn a_deletion_shows_what_came_before_it() {
        let quiet = row("Eva", "a", at(3));
        for (last, expected) in [(quiet, true), (row("Eva", "b", at(5)), false)] {
            let events = [created(), renamed(2, 3), deleted(3, last.clone())];
            assert_eq!(holds(&events, 1, None), expected);
            let events = [&events[..], &[restored(4)]].concat();
            assert_eq!(holds(&events, 1, Some(&last)), expected);
            assert!(holds(&events, 4, Some(&last)));
        }
    }

    #[test]
    fn a_restored_row_has_all_values_of_its_deletion() {
        let last = row("Eva", "a", at(3));
        let events = [created(), deleted(3, last.clone()), restored(4)];
        assert!(holds(&events, 4, Some(&last)));
        // Not even `updated_at` tells.
        assert!(!holds(&events, 4, Some(&row("Eva", "b", at(3)))));
        let events = [&events[..], &[renamed(5, 6)]].concat();
        assert!(holds(&events, 4, Some(&row("Eva", "a", at(6)))));
        assert!(!holds(&events, 4, Some(&row("Eva", "b", at(6)))));
    }

    #[test]
    fn fields_of_one_release_alone_do_not_count() {
        let mut newer = row("Eva", "a", at(3));
        newer.insert("website".to_owned(), json!("https://acme.hr"));
        let events = [deleted(3, row("Eva", "a", at(3))), restored(4)];
        assert!(holds(&events, 4, Some(&newer)));
        let events = [deleted(3, newer), restored(4)];
        assert!(holds(&events, 4, Some(&row("Eva", "a", at(3)))));
    }

    #[test]
    fn nothing_is_explained_without_the_events() {
        let now = row("Eva", "a", at(0));
        assert!(!holds(&[], 1, Some(&now)));
        assert!(!holds(&[restored(4)], 4, Some(&now)), "its deletion was removed");
        assert!(!holds(&[renamed(5, 3)], 4, Some(&now)));
    }

    #[test]
    fn rows_without_times_tell_by_their_values() {
        let with = |email: &str, is_subscribed: bool| {
            let row = json!({"id": 7, "email": email, "is_subscribed": is_subscribed});
            row.as_object().cloned().unwrap()
        };
        // Nothing is known of a row that was created.
        assert!(holds(&[created()], 1, Some(&with("a", true))));
        let events = [deleted(3, with("a", true)), restored(4)];
        assert!(holds(&events, 4, Some(&with("a", true))));
        assert!(!holds(&events, 4, Some(&with("a", false))));
        assert!(!holds(&events, 4, Some(&with("b", true))));
    }
}
