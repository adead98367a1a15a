//! Lists of events find the same rows as a look at all events, and consumers skip none.

use diesel::connection::SimpleConnection;
use exit3_domain::events::{Actor, BatchId, Event, EventFilter, EventId, Verb};
use exit3_ports::{Constraint, StoreError};
use exit3_testkit::builders::{at, lead, some_act};

use super::{kept, raw};

/// Events of all kinds. Times go forward, but some are an hour late or early; most are of one
/// actor and verb.
const ROWS: &str = "
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    INSERT INTO events (at, actor, verb, resource, resource_id, batch)
    SELECT i * 10000000 + CASE i % 97 WHEN 5 THEN -3600000000 WHEN 6 THEN 3600000000 ELSE 0 END,
           CASE WHEN i % 500 = 3 THEN 'staff:ana' ELSE 'api_key:website:Zk3vZk3vZk3v' END,
           CASE WHEN i % 700 = 3 THEN 'lead.deleted' WHEN i % 3 THEN 'lead.created'
                WHEN i % 400 = 0 THEN 'client.created' ELSE 'lead.updated' END,
           CASE WHEN i % 400 = 0 AND i % 3 = 0 THEN 'client' ELSE 'lead' END,
           i % 100, CASE WHEN i BETWEEN 2000 AND 2100 THEN 'batch' END
    FROM n;";

fn matches(filter: &EventFilter, event: &Event) -> bool {
    let EventFilter { actor, verb, resource, id, batch, after, before } = filter;
    let author = &event.act.author;
    actor.as_ref().is_none_or(|actor| *actor == author.actor)
        && verb.as_ref().is_none_or(|verb| *verb == event.verb)
        && resource.as_ref().is_none_or(|resource| *resource == event.subject.resource)
        && id.is_none_or(|id| id == event.subject.id)
        && batch.as_ref().is_none_or(|_| *batch == author.batch)
        && after.is_none_or(|after| event.act.at >= after)
        && before.is_none_or(|before| event.act.at < before)
}

type Change = Box<dyn Fn(&mut EventFilter)>;

/// Every combination of a few values of each filter.
fn filters() -> Vec<EventFilter> {
    let mut filters = vec![EventFilter::default()];
    let actors = ["staff:ana", "api_key:website:Zk3vZk3vZk3v"];
    let times = [5_000_000_000, 40_000_000_000, 90_000_000_000];
    let mut widen = |changes: Vec<Change>| {
        let plain = filters.clone();
        for change in changes {
            filters.extend(plain.iter().cloned().map(|mut filter| {
                change(&mut filter);
                filter
            }));
        }
    };
    let words = actors.map(|words| -> Change {
        Box::new(move |filter| filter.actor = Some(Actor::from_words(words)))
    });
    widen(words.into());
    let verbs = ["lead.created", "client.created", "lead.moved"];
    let verbs = verbs.map(|word| -> Change {
        Box::new(move |filter| filter.verb = Some(Verb::from_word(word)))
    });
    widen(verbs.into());
    let resources = ["lead", "client"]
        .map(|word| -> Change { Box::new(move |filter| filter.resource = Some(word.into())) });
    widen(resources.into());
    widen(vec![
        Box::new(|filter| (filter.resource, filter.id) = (Some("lead".into()), Some(7))),
        Box::new(|filter| filter.batch = Some(BatchId("batch".into()))),
    ]);
    let after =
        times.map(|time| -> Change { Box::new(move |filter| filter.after = Some(at(time))) });
    widen(after.into());
    widen(vec![
        Box::new(|filter| filter.before = Some(at(25_000_000_000))),
        Box::new(|filter| filter.before = Some(at(1))),
    ]);
    filters
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_events_have_the_rows_that_match() {
    let kept = kept();
    raw(&kept.path).batch_execute(ROWS).unwrap();
    let events = kept.database.repositories().events;
    let all = events.list(&EventFilter::default(), None, 10_000).await.unwrap();
    assert_eq!(all.len(), 5000);
    assert!(all.is_sorted_by(|one, other| one.position() > other.position()));
    let middle = all[2950].position();
    for filter in filters() {
        for before in [None, Some(middle)] {
            let expected = all.iter().filter(|event| matches(&filter, event));
            let is_below = |event: &&Event| before.is_none_or(|before| event.position() < before);
            let expected = expected.filter(is_below);
            let expected: Vec<i64> = expected.take(40).map(|event| event.id.0).collect();
            let found = events.list(&filter, before, 40).await.unwrap();
            let found: Vec<i64> = found.iter().map(|event| event.id.0).collect();
            assert_eq!(found, expected, "{filter:?} {before:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_begins_behind_every_id_that_was_ever_given() {
    let kept = kept();
    // Nothing is left of the highest ids.
    let rows = format!("{ROWS} DELETE FROM events WHERE id > 10;");
    raw(&kept.path).batch_execute(&rows).unwrap();
    let all = kept.database.repositories();
    let begun = all.events.unread("mail", 10).await.unwrap();
    assert_eq!((begun.from.id, begun.to, begun.events.len()), (5000, begun.from, 0));
    all.leads.create(&lead().build(), &some_act()).await.unwrap();
    all.leads.create(&lead().build(), &some_act()).await.unwrap();
    let commits = kept.database.commits();
    let unread = all.events.unread("mail", 1).await.unwrap();
    assert_eq!(all.events.unread("mail", 1).await.unwrap(), unread);
    assert_eq!(kept.database.commits(), commits, "reading wrote");
    assert_eq!((unread.from, unread.to.id), (begun.from, 5001));
    assert_eq!(unread.events[0].id, EventId(5001));
    all.events.note_read("mail", &unread, &[]).await.unwrap();
    for behind in [&unread, &begun] {
        let stale = all.events.note_read("mail", behind, &[]).await;
        assert!(matches!(stale, Err(StoreError::Conflict(Constraint::Stale))), "{stale:?}");
    }
    assert_eq!(all.events.unread("mail", 9).await.unwrap().to.id, 5002);
    let long = all.events.unread(&"m".repeat(101), 1).await;
    assert!(matches!(long, Err(StoreError::Other(_))), "{long:?}");
}
