use exit3_domain::events::{Author, Subject};
use exit3_domain::subscribers::RESOURCE;

use super::*;
use crate::testing::Mocks;

fn event(id: i64) -> Event {
    Event {
        id: EventId(id),
        act: Author::from(Actor::Service).at(DateTime::UNIX_EPOCH),
        verb: Verb::of(RESOURCE, Verb::CREATED),
        subject: Subject { resource: RESOURCE.into(), id: 3 },
        changes: Changes::None,
    }
}

#[tokio::test]
async fn the_timeline_of_a_row_has_each_event_once_in_every_size_of_steps() {
    for size in 1..=4 {
        let mut mocks = Mocks::new();
        mocks.repositories.events.expect_list().returning(|filter, before, size| {
            assert_eq!((filter.resource.as_deref(), filter.id), (Some(RESOURCE), Some(3)));
            let events = [3, 2, 1].map(event).into_iter();
            let is_below = |event: &Event| before.is_none_or(|before| event.position() < before);
            Ok(events.filter(is_below).take(size as usize).collect())
        });
        let (app, mut before, mut found) = (mocks.into_app(), None, Vec::new());
        loop {
            let step = of_row(&app, RESOURCE, 3, before, size).await.unwrap();
            assert!(step.entries.len() <= size as usize);
            found.extend(step.entries.into_iter().map(|entry| entry.what));
            let Some(next) = step.next else { break };
            before = Before::from_text(&next.to_text());
        }
        let created = |id| What::Event { event: EventId(id), action: Verb::CREATED.to_owned() };
        assert_eq!(found, [3, 2, 1].map(created), "{size} at a time");
    }
}

#[test]
fn other_texts_are_no_beginning_of_a_step() {
    assert_eq!(Before::from_text("_"), Some(Before::default()));
    for text in ["", "1.2", "1.2_x", "x_", "1_2.3", "1.2_3.4_5", "99999999999999999999.1_"] {
        assert_eq!(Before::from_text(text), None, "{text}");
    }
}
