//! Storing, finding, listing and removing events.

use std::cmp::Reverse;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::events::{
    Act, Actor, Author, BatchId, Changes, Event, EventFilter, EventId, NewEvent, Subject, Verb,
};
use exit3_domain::staff::{NewStaff, PasswordHash};
use exit3_ports::events::LAST_IN_PAGE;
use exit3_ports::sign_ins::Ending;
use exit3_ports::{StoreError, Value};

use super::Harness;
use super::api_keys::api_key;
use super::model::{NEW_YEAR, NOW};
use super::sign_ins::{invitation, now, sign_in};
use super::staff::staff;
use crate::builders::{act, at, lead, some_act, time};

pub(super) fn event(verb: &str, id: i64) -> NewEvent {
    let (resource, _) = verb.rsplit_once('.').unwrap();
    NewEvent {
        verb: Verb::from_word(verb),
        subject: Subject { resource: resource.into(), id },
        changes: Changes::None,
    }
}

async fn listed(harness: &Harness, filter: &EventFilter) -> Vec<Event> {
    harness.events.list(filter, None, 1_000).await.unwrap()
}

async fn everything(harness: &Harness) -> Vec<Event> {
    listed(harness, &EventFilter::default()).await
}

/// All events, in the order in which they were stored.
pub(super) async fn stored(harness: &Harness) -> Vec<Event> {
    let mut events = harness.events.list(&EventFilter::default(), None, 100_000).await.unwrap();
    events.sort_by_key(|event| event.id);
    events
}

fn actors() -> Vec<Actor> {
    vec![
        Actor::Staff("ana:\u{111}".into()),
        Actor::ApiKey { name: "website".into(), prefix: "Zk3vZk3vZk3v".into() },
        Actor::BasicKey,
        Actor::command("seed-demo"),
        Actor::Service,
        Actor::Module("guests".into()),
    ]
}

pub async fn returns_what_it_stored(harness: &Harness) {
    let fields = Changes::Fields(vec![
        ("a".to_owned(), serde_json::json!(null), serde_json::json!("\u{1f980}\"\\\n")),
        ("b".to_owned(), serde_json::json!([1.5, true]), serde_json::json!({"c": -7})),
    ]);
    let row = serde_json::json!({"id": 7, "name": "x".repeat(100_000)});
    let row = Changes::Row(row.as_object().cloned().unwrap());
    let mut given = Vec::new();
    for (place, actor) in actors().into_iter().enumerate() {
        let author = Author {
            actor,
            request: (place % 2 == 0).then(|| "x".repeat(64).into()),
            batch: (place % 3 == 0).then(|| BatchId("b".repeat(64).into())),
        };
        let changed = NewEvent { changes: fields.clone(), ..event("lead.updated", i64::MAX) };
        let deleted = NewEvent { changes: row.clone(), ..event("tag.deleted", i64::MIN) };
        for new in [event("lead.created", 0), changed, deleted] {
            let act = author.at(time(NOW));
            harness.events.note(&new, &act).await.unwrap();
            given.push((new, act));
        }
    }
    given.reverse();
    let found = everything(harness).await;
    for event in &found {
        assert_eq!(harness.events.find(event.id).await.unwrap().as_ref(), Some(event));
    }
    let found: Vec<(NewEvent, Act)> = found
        .into_iter()
        .map(|Event { id: _, act, verb, subject, changes }| {
            (NewEvent { verb, subject, changes }, act)
        })
        .collect();
    assert_eq!(found, given);
}

pub async fn refuses_texts_with_nul(harness: &Harness) {
    let author = |actor: Actor| Author::from(actor);
    let (usual, nul) = (author(Actor::Service), author(Actor::command("a\0b")));
    let in_request = Author { request: Some("a\0b".into()), ..usual.clone() };
    let in_batch = Author { batch: Some(BatchId("a\0b".into())), ..usual.clone() };
    for (new, author) in [
        (event("lead.created", 1), nul),
        (event("lead.created", 1), in_request),
        (event("lead.created", 1), in_batch),
        (event("lead.crea\0ted", 1), usual.clone()),
        (event("le\0ad.created", 1), usual),
    ] {
        let refused = harness.events.note(&new, &author.at(at(5))).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{new:?} {author:?}: {refused:?}");
    }
    assert_eq!(everything(harness).await, []);
    // A NUL inside of a value is written as JSON writes it.
    let changes = Changes::one("notes", "a\0b", "");
    let new = NewEvent { changes: changes.clone(), ..event("lead.updated", 1) };
    harness.events.note(&new, &some_act()).await.unwrap();
    assert_eq!(everything(harness).await[0].changes, changes);
}

/// Stores events in which everything varies, and returns them, newest first. Two or three have the
/// same time.
async fn fill(harness: &Harness) -> Vec<Event> {
    let verbs = ["lead.created", "lead.updated", "subscriber.created", "leads.created"];
    for n in 0..120_i64 {
        let place = usize::try_from(n).unwrap();
        let author = Author {
            actor: actors()[place % 5].clone(),
            request: None,
            batch: (n % 7 == 0).then(|| BatchId(format!("b{}", n % 2).into())),
        };
        // Not in the order of the ids.
        let act = author.at(at(NEW_YEAR + (n * 37) % 50));
        harness.events.note(&event(verbs[place % 4], n % 3), &act).await.unwrap();
    }
    let mut all = stored(harness).await;
    assert_eq!(all.len(), 120);
    all.sort_by_key(|event| Reverse((event.act.at, event.id)));
    all
}

fn matches(event: &Event, filter: &EventFilter) -> bool {
    let EventFilter { actor, verb, resource, id, batch, after, before } = filter;
    let Act { author, at } = &event.act;
    actor.as_ref().is_none_or(|actor| author.actor == *actor)
        && verb.as_ref().is_none_or(|verb| event.verb == *verb)
        && resource.as_ref().is_none_or(|resource| event.subject.resource == *resource)
        && id.is_none_or(|id| event.subject.id == id)
        && batch.as_ref().is_none_or(|batch| author.batch.as_ref() == Some(batch))
        && after.is_none_or(|after| *at >= after)
        && before.is_none_or(|before| *at < before)
}

pub async fn lists_by_each_filter(harness: &Harness) {
    let all = fill(harness).await;
    let none = EventFilter::default;
    let actor = |actor: Actor| EventFilter { actor: Some(actor), ..none() };
    let verb = |verb: &str| EventFilter { verb: Some(Verb::from_word(verb)), ..none() };
    let resource = |word: &str| EventFilter { resource: Some(word.into()), ..none() };
    let batch = |id: &str| EventFilter { batch: Some(BatchId(id.into())), ..none() };
    let lead_1 = EventFilter { id: Some(1), ..resource("lead") };
    let late = EventFilter { after: Some(at(NEW_YEAR + 40)), ..none() };
    let early = EventFilter { before: Some(at(NEW_YEAR + 10)), ..none() };
    let both = EventFilter { after: Some(at(NEW_YEAR + 3)), ..early.clone() };
    let found = [
        none(),
        actor(Actor::BasicKey),
        actor(Actor::Staff("ana:\u{111}".into())),
        verb("lead.created"),
        resource("lead"),
        lead_1.clone(),
        batch("b0"),
        late.clone(),
        early,
        both.clone(),
        EventFilter { actor: Some(Actor::Service), verb: both.verb.clone(), ..both.clone() },
        EventFilter { batch: Some(BatchId("b1".into())), ..late },
        EventFilter { verb: Some(Verb::from_word("lead.updated")), ..lead_1.clone() },
        EventFilter { id: Some(2), ..verb("lead.updated") },
        EventFilter { before: both.before, ..verb("lead.updated") },
        EventFilter { after: both.after, ..resource("lead") },
        EventFilter { before: both.before, ..lead_1.clone() },
        EventFilter { batch: Some(BatchId("b0".into())), ..both.clone() },
        EventFilter {
            actor: Some(Actor::Service),
            verb: Some(Verb::from_word("leads.created")),
            ..resource("leads")
        },
    ];
    let empty = [
        actor(Actor::Module("basic_key".into())),
        verb("lead.create"),
        verb("%"),
        verb("lead.created\0"),
        resource(""),
        resource("LEAD"),
        batch(""),
        EventFilter { id: Some(77), ..lead_1 },
        EventFilter { after: both.before, before: both.after, ..none() },
        // No event has this verb and this resource.
        EventFilter { verb: Some(Verb::from_word("lead.created")), ..resource("subscriber") },
        EventFilter { verb: Some(Verb::from_word("lead.created")), ..resource("leads") },
    ];
    for (filter, is_empty) in
        found.iter().map(|one| (one, false)).chain(empty.iter().map(|one| (one, true)))
    {
        let expected: Vec<Event> =
            all.iter().filter(|event| matches(event, filter)).cloned().collect();
        assert_eq!(expected.is_empty(), is_empty, "{filter:?}");
        assert_eq!(listed(harness, filter).await, expected, "{filter:?}");
        // In steps.
        let mut steps: Vec<Event> = Vec::new();
        loop {
            let before = steps.last().map(Event::position);
            let step = harness.events.list(filter, before, 7).await.unwrap();
            assert!(step.len() <= 7);
            if step.is_empty() {
                break;
            }
            steps.extend(step);
        }
        assert_eq!(steps, expected, "{filter:?}");
    }
}

pub async fn lists_the_newest_first_and_so_many_at_a_time(harness: &Harness) {
    let all = fill(harness).await;
    let none = EventFilter::default();
    let list = async |before, size| harness.events.list(&none, before, size).await.unwrap();
    assert_eq!(list(None, 0).await, []);
    assert_eq!(list(None, 3).await, all[..3]);
    assert_eq!(list(None, u32::MAX).await, all);
    for (place, event) in all.iter().enumerate() {
        assert_eq!(list(Some(event.position()), 200).await, all[place + 1..]);
    }
    // The order is that of neither the ids nor the times alone.
    let pairs = || all.windows(2);
    assert!(pairs().any(|pair| pair[0].id < pair[1].id && pair[0].act.at > pair[1].act.at));
    assert!(pairs().any(|pair| pair[0].id > pair[1].id && pair[0].act.at == pair[1].act.at));
}

pub async fn lists_from_positions_that_no_event_has(harness: &Harness) {
    let all = fill(harness).await;
    let every = EventFilter::default();
    let newer = |at: DateTime<Utc>| all.partition_point(|event| event.act.at > at);
    let newest = all[0].act.at;
    let same = newer(newest - TimeDelta::microseconds(1));
    for (at, id, expected) in [
        (DateTime::<Utc>::MAX_UTC, i64::MAX, 0),
        (DateTime::<Utc>::MAX_UTC, i64::MIN, 0),
        (newest, i64::MAX, 0),
        (newest, i64::MIN, same),
        (newest, 0, same),
        (at(NEW_YEAR + 20), i64::MAX, newer(at(NEW_YEAR + 20))),
        (at(NEW_YEAR + 20), i64::MIN, newer(at(NEW_YEAR + 19))),
        (at(NEW_YEAR), i64::MIN, 120),
        (DateTime::<Utc>::MIN_UTC, i64::MAX, 120),
    ] {
        let found = harness.events.list(&every, Some((at, EventId(id))), 200).await.unwrap();
        assert_eq!(found, all[expected..], "{at} {id}");
        // The earlier one of two ends counts.
        let filter = EventFilter { before: Some(newest), ..every.clone() };
        let found = harness.events.list(&filter, Some((at, EventId(id))), 200).await.unwrap();
        assert_eq!(found, all[expected.max(same)..], "{at} {id}");
    }
}

pub async fn finds_nothing_under_an_unknown_id(harness: &Harness) {
    for id in [0, 1, -1, i64::MIN, i64::MAX] {
        assert_eq!(harness.events.find(EventId(id)).await.unwrap(), None);
    }
}

pub async fn removes_the_oldest_events(harness: &Harness) {
    let all = fill(harness).await;
    let limit = at(NEW_YEAR + 20);
    let kept = all.partition_point(|event| event.act.at >= limit);
    assert!(kept > 10 && kept < 100);
    let remove = async |before, most| harness.events.remove_before(before, most).await.unwrap();
    assert_eq!(remove(at(NEW_YEAR), 10).await, 0);
    assert_eq!(remove(limit, 0).await, 0);
    // Among events of one time, the lowest id is the oldest.
    for left in (kept..120).rev().take(10) {
        assert_eq!(remove(limit, 1).await, 1);
        assert_eq!(everything(harness).await, all[..left]);
    }
    assert_eq!(usize::try_from(remove(limit, 1_000).await).unwrap(), 110 - kept);
    assert_eq!(everything(harness).await, all[..kept]);
    assert_eq!(remove(limit, 1_000).await, 0);
}

pub async fn keeps_the_events_of_erasures(harness: &Harness) {
    for verb in ["lead.created", "person.erased", "lead.updated"] {
        harness.events.note(&event(verb, 1), &act(at(5))).await.unwrap();
    }
    let remove = async || harness.events.remove_before(at(6), 1).await.unwrap();
    assert_eq!([remove().await, remove().await, remove().await], [1, 1, 0]);
    let left = everything(harness).await;
    assert_eq!(left.iter().map(|event| event.verb.as_str()).collect::<Vec<_>>(), ["person.erased"]);
}

pub async fn knows_the_last_stored_event_of_an_age(harness: &Harness) {
    let week = Duration::from_secs(7 * 86_400);
    let last = async |age| harness.events.last_older_than(age).await.unwrap();
    assert_eq!(last(week).await, None);
    let note = async |time| {
        harness.events.note(&event("lead.created", 1), &act(time)).await.unwrap();
    };
    let future = at(4_000_000_000_000_000);
    note(future).await;
    assert_eq!(last(week).await, None);
    // A clock was wrong in between, and is wrong now.
    for time in [at(30), at(10), at(20), future] {
        note(time).await;
    }
    assert_eq!(last(week).await, Some(at(20)));
    assert_eq!(last(Duration::MAX).await, None, "at most a century");
    // Behind many others.
    let mut load = harness.transfer.load().await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let shape = shapes.iter().find(|shape| shape.table.name == "events").unwrap();
    let newest = load.rows(shape, 4, 9).await.unwrap().pop().unwrap();
    let copy = |id: i64| {
        let mut row = newest.clone();
        row[0] = Value::Integer(id);
        row
    };
    let many = i64::from(LAST_IN_PAGE) * 2 + 10;
    load.write(shape, (10..many).map(copy).collect()).await.unwrap();
    load.keep_ids(shape.table, many).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(last(week).await, Some(at(20)));
}

pub async fn an_id_is_never_given_again(harness: &Harness) {
    harness.events.note(&event("lead.created", 1), &act(at(5))).await.unwrap();
    let last = everything(harness).await[0].id;
    assert_eq!(harness.events.remove_before(at(6), 10).await.unwrap(), 1);
    harness.events.note(&event("lead.created", 2), &act(at(5))).await.unwrap();
    assert!(everything(harness).await[0].id > last);
}

pub async fn no_event_contains_a_secret(harness: &Harness) {
    let by = &some_act();
    let secret = "argon2-secret-hash";
    let new = NewStaff { password: PasswordHash::kept(secret.to_owned()), ..staff("ana") };
    let account = harness.staff.create(&new, by).await.unwrap();
    let renamed = harness.staff.update(&account, &staff("eva").profile, by).await.unwrap();
    let next = PasswordHash::kept(format!("{secret}-2"));
    harness.staff.set_password(&renamed, &next, by).await.unwrap();
    let renamed = harness.staff.find(renamed.id).await.unwrap().unwrap();
    let sign_in = harness.sign_ins.begin(&sign_in(&renamed, 1), by).await.unwrap();
    let next = PasswordHash::kept(format!("{secret}-3"));
    let keep = Some(sign_in.id);
    harness.sign_ins.change_password(&renamed, &next, keep, by).await.unwrap();
    harness.sign_ins.end(renamed.id, Ending::All, by).await.unwrap();
    let invitation = invitation(Some(&renamed), 2);
    harness.invitations.invite(&invitation, by).await.unwrap();
    let next = PasswordHash::kept(format!("{secret}-4"));
    let act = &act(now(1));
    harness.invitations.accept(&invitation.digest, &renamed, &next, act).await.unwrap();
    harness.api_keys.create(&api_key("a", 1), by).await.unwrap();
    harness.api_keys.revoke(&"a".into(), by).await.unwrap();
    harness.leads.create(&lead().notes(Some(secret)).build(), by).await.unwrap();
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let shapes = snapshot.shapes().await.unwrap();
    let shape = shapes.iter().find(|shape| shape.table.name == "events").unwrap();
    let rows = snapshot.rows(shape, i64::MIN, 100).await.unwrap();
    assert_eq!(rows.len(), 11);
    for value in rows.iter().flatten() {
        if let Value::Text(text) = value {
            assert!(!text.contains(secret) && !text.contains("digest"), "{text}");
        }
    }
}
