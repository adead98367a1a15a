//! Lists of subscribers.

use exit3_domain::order::SortValue;
use exit3_domain::subscribers::{SubscriberFilter, SubscriberOrder, SubscriberSort};

use super::row::COLUMNS;
use crate::listing::{Ahead, Arm, Begin, Beyond, Choice, Key, Listing, Way};
use crate::sql::{Conditions, Value};

/// Describes the list.
pub(super) fn listing(
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    from: Option<Beyond<'_>>,
) -> Listing {
    let all = Listing::all("subscribers", COLUMNS, key(order.by), order.descending, from);
    let conditions = wanted(filter);
    let way = match filter.is_subscribed {
        None => Way::InOrder,
        Some(wanted) => Way::Merged(vec![arm(wanted, order.by, from)]),
    };
    if !filter.words.is_empty() {
        let ahead = Some(Ahead { way, range: Conditions::default(), beside: None });
        return Listing { ahead, ..all.matching(conditions, &filter.words) };
    }
    Listing { counts: Some("subscriber_counts"), conditions, way, ..all }
}

fn key(by: SubscriberSort) -> Key {
    Key(match by {
        SubscriberSort::Id => &["id"],
        SubscriberSort::Email => &["email", "id"],
        SubscriberSort::IsSubscribed => &["is_subscribed", "id"],
    })
}

fn wanted(filter: &SubscriberFilter) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(wanted) = filter.is_subscribed {
        conditions.add("is_subscribed = ", Value::Bool(Some(wanted)), "");
    }
    conditions
}

/// The part of an index that has the list's rows in its order.
fn arm(wanted: bool, by: SubscriberSort, from: Option<Beyond<'_>>) -> Arm {
    let (tail, least): (&[&str], _) = match by {
        SubscriberSort::Email => (&["email", "id"], "''"),
        SubscriberSort::Id | SubscriberSort::IsSubscribed => (&["id"], "-9223372036854775808"),
    };
    let mut words = vec![if wanted { "true" } else { "false" }];
    let from = from.and_then(|Beyond { position, below }| match position.values.as_slice() {
        [SortValue::Boolean(at)] if *at != wanted => {
            // Either all rows of this value lie beyond the position, or none.
            if *at != below {
                words.clear();
            }
            None
        }
        [SortValue::Boolean(_)] => Some(vec![Value::BigInt(position.id)]),
        _ => Some(Value::of_position(position)),
    });
    let choice = Choice { column: "is_subscribed", array: "}'::boolean[]", words };
    let begin = if by == SubscriberSort::Email { Begin::Number } else { Begin::Column };
    Arm { choices: vec![choice], begin, tail, least, from, after: None, before: None }
}

#[cfg(test)]
mod tests {
    use exit3_domain::paging::{Direction, PageNumber, PageRequest, Step};
    use exit3_domain::subscribers::Subscriber;
    use exit3_ports::{Rows, Target};
    use exit3_testkit::postgres;
    use tokio::runtime::Handle;

    use super::super::row::{SubscriberColumns, SubscriberRow};
    use super::*;
    use crate::lists::Lists;
    use crate::migrations;
    use crate::pool::PgPool;
    use crate::settings::PgSettings;

    /// The same list without counts and indexes.
    fn plain(
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        from: Option<Beyond<'_>>,
    ) -> Listing {
        Listing::all("subscribers", COLUMNS, key(order.by), order.descending, from)
            .matching(wanted(filter), &filter.words)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_list_without_counts_and_indexes_has_the_same_rows() {
        let database = postgres::shared().create_database().await;
        let settings = PgSettings::parse(database.url()).unwrap();
        let runtime = Handle::current();
        migrations::run(&settings, &runtime, migrations::OWN, Target::Newest, Rows::Keep)
            .await
            .unwrap();
        let rows = "INSERT INTO subscribers (email, is_subscribed, search_document)
            SELECT email, n % 3 = 0, email
            FROM (SELECT n, 'a' || n % 7 * 10 + n || '@acme.hr' AS email
                  FROM generate_series(1, 20) n) people";
        postgres::client(database.url()).await.batch_execute(rows).await.unwrap();
        let pool = PgPool::new(&settings, runtime.clone());
        let lists = Lists::new(&settings, pool, runtime);
        let page = async |listing, page| {
            let found = lists.page::<SubscriberColumns, SubscriberRow, Subscriber>(&listing, page);
            found.await.unwrap()
        };
        let walk = async |listing, step: &Step| {
            let found = lists.walk::<SubscriberColumns, SubscriberRow, Subscriber>(&listing, step);
            found.await.unwrap()
        };
        for is_subscribed in [None, Some(true), Some(false)] {
            for words in [Vec::new(), vec!["a1".to_owned()], vec!["acme".to_owned()]] {
                let filter = SubscriberFilter { is_subscribed, words };
                for (by, descending) in
                    SubscriberSort::ALL.iter().flat_map(|by| [(*by, true), (*by, false)])
                {
                    let order = SubscriberOrder { by, descending };
                    for number in [PageNumber::Number(1), PageNumber::Number(2), PageNumber::Last] {
                        let request = PageRequest { number, size: 3 };
                        let expected = page(listing(&filter, order, None), request).await;
                        assert_eq!(page(plain(&filter, order, None), request).await, expected);
                        // The row of the position need not match the filter.
                        let all = SubscriberFilter::default();
                        let all = page(listing(&all, order, None), request).await;
                        let rows = all.map(|page| page.rows).unwrap_or_default();
                        let from = rows.last().map(|row| order.position(row));
                        for direction in [Direction::Forward, Direction::Backward] {
                            let step = Step { from: from.clone(), direction, size: 3 };
                            let from = Beyond::of(order, &step);
                            let expected = walk(listing(&filter, order, from), &step).await;
                            let found = walk(plain(&filter, order, from), &step).await;
                            assert_eq!(found, expected, "{order} {step:?}");
                        }
                    }
                }
            }
        }
    }
}
