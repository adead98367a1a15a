use exit3_domain::paging::{Page, Slice};
use exit3_domain::subscribers::SubscriberId;

use super::*;
use crate::testing::Mocks;

const FIRST: Step = Step { from: None, direction: Direction::Forward, size: 50 };

fn subscriber(id: i64, email: &str) -> Subscriber {
    Subscriber { id: SubscriberId(id), email: email.to_owned(), is_subscribed: true }
}

fn glance(rows: Vec<Subscriber>, is_cut_short: bool) -> Glance<Subscriber> {
    Glance { slice: Slice { rows, has_next: false, has_previous: false }, is_cut_short }
}

fn mocks(found: Glance<Subscriber>) -> Mocks {
    let mut mocks = Mocks::new();
    let subscribers = &mut mocks.repositories.subscribers;
    subscribers.expect_glance().returning(move |_, _, _| Ok(found.clone()));
    subscribers.expect_list().returning(|filter, _, _| {
        let count = if filter.is_subscribed == Some(true) { 7 } else { 3 };
        Ok(Some(Page { count, number: 1, rows: Vec::new() }))
    });
    subscribers
        .expect_find_by_email()
        .returning(|email| Ok((email == "ana@acme.hr").then(|| subscriber(1, email))));
    mocks
}

fn searching() -> SubscriberFilter {
    SubscriberFilter { words: vec!["ana".to_owned()], ..SubscriberFilter::default() }
}

#[tokio::test]
async fn a_list_without_a_search_is_counted_exactly() {
    for (is_subscribed, count) in [(None, 10), (Some(true), 7), (Some(false), 3)] {
        let filter = SubscriberFilter { is_subscribed, words: Vec::new() };
        let app = mocks(glance(Vec::new(), false)).into_app();
        let page = page(&app, &filter, "", SubscriberOrder::NEWEST, &FIRST).await.unwrap();
        assert_eq!((page.count, page.by_state), (Count::Exact(count), Some([7, 3])));
    }
}

#[tokio::test]
async fn a_search_is_counted_exactly_only_if_the_page_has_everything() {
    let rows = || vec![subscriber(2, "ana2@acme.hr")];
    let mut more = glance(rows(), false);
    more.slice.has_next = true;
    for (found, count) in [
        (glance(rows(), false), Count::Exact(1)),
        (glance(rows(), true), Count::AtLeast(1)),
        (more, Count::AtLeast(1)),
    ] {
        let app = mocks(found).into_app();
        let page = page(&app, &searching(), "ana", SubscriberOrder::NEWEST, &FIRST).await.unwrap();
        assert_eq!((page.count, page.by_state), (count, None));
    }
}

#[tokio::test]
async fn a_whole_address_is_found_however_old_its_subscriber_is() {
    let app = mocks(glance(vec![subscriber(2, "ana@acme.hr.example")], true)).into_app();
    let typed = " ana@acme.hr";
    let page = page(&app, &searching(), typed, SubscriberOrder::NEWEST, &FIRST).await.unwrap();
    let ids = |rows: &[Subscriber]| rows.iter().map(|row| row.id.0).collect::<Vec<_>>();
    assert_eq!(ids(&page.glance.slice.rows), [1, 2]);
    assert_eq!(ids(&suggest(&app, typed).await.unwrap()), [1, 2]);
    assert_eq!(ids(&suggest(&app, "ana@acme").await.unwrap()), [2]);
    assert!(suggest(&app, " ").await.unwrap().is_empty());
}
