//! Lists of subscribers.

use exit3_domain::paging::{Direction, Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    Subscriber, SubscriberFilter, SubscriberKey, SubscriberOrder, SubscriberPosition,
    SubscriberSort,
};
use exit3_ports::StoreError;

use super::row::{COLUMNS, SubscriberColumns, SubscriberRow};
use crate::listing::{Arm, Begin, Choice, Key, Listing, Way, page_of};
use crate::lists::Lists;
use crate::sql::{Conditions, Value, is_indexed};

pub(super) async fn page(
    lists: &Lists,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    request: PageRequest,
) -> Result<Option<Page<Subscriber>>, StoreError> {
    let Some(query) = listing(filter, order, None).page::<SubscriberColumns>(request) else {
        return Ok(None);
    };
    Ok(page_of::<SubscriberRow, _>(request, lists.load(&query).await?))
}

pub(super) async fn walk(
    lists: &Lists,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step<SubscriberPosition>,
) -> Result<Slice<Subscriber>, StoreError> {
    let forward = step.direction == Direction::Forward;
    let from = step.from.as_ref().map(|from| (from, order.descending == forward));
    let query = listing(filter, order, from).step::<SubscriberColumns>(forward, step.size);
    let rows: Vec<SubscriberRow> = lists.load(&query).await?;
    Ok(Slice::of(step, rows.into_iter().map(Subscriber::from).collect()))
}

/// Describes the list. For a walk, `from` is a position, and whether to read the rows below it
/// instead of those above.
fn listing(
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    from: Option<(&SubscriberPosition, bool)>,
) -> Listing {
    let way = match filter.is_subscribed {
        _ if !filter.words.is_empty() => gathered(filter),
        None => Way::InOrder,
        Some(wanted) => Way::Merged(vec![arm(wanted, order.by, from)]),
    };
    let mut conditions = wanted(filter);
    filter.words.iter().for_each(|word| conditions.add_word(word));
    let is_counted = filter.words.is_empty();
    Listing {
        table: "subscribers",
        columns: COLUMNS,
        counts: is_counted.then_some("subscriber_counts"),
        conditions,
        key: Key(match order.by {
            SubscriberSort::Id => &["id"],
            SubscriberSort::Email => &["email", "id"],
            SubscriberSort::IsSubscribed => &["is_subscribed", "id"],
        }),
        descending: order.descending,
        from: from.map(|(from, _)| values(from)),
        way,
        plannable: is_counted,
    }
}

fn wanted(filter: &SubscriberFilter) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(wanted) = filter.is_subscribed {
        conditions.add("is_subscribed = ", Value::Bool(Some(wanted)), "");
    }
    conditions
}

/// The part of an index that has the list's rows in its order.
fn arm(wanted: bool, by: SubscriberSort, from: Option<(&SubscriberPosition, bool)>) -> Arm {
    let (tail, least): (&[&str], _) = match by {
        SubscriberSort::Email => (&["email", "id"], "''"),
        SubscriberSort::Id | SubscriberSort::IsSubscribed => (&["id"], "-9223372036854775808"),
    };
    let mut words = vec![if wanted { "true" } else { "false" }];
    let from = from.and_then(|(from, below)| match &from.key {
        SubscriberKey::IsSubscribed(at) if *at != wanted => {
            // Either all rows of this value lie beyond the position, or none.
            if *at != below {
                words.clear();
            }
            None
        }
        SubscriberKey::Email(email) => {
            Some(vec![Value::Text(Some(email.clone())), Value::BigInt(from.id.0)])
        }
        SubscriberKey::Id | SubscriberKey::IsSubscribed(_) => Some(vec![Value::BigInt(from.id.0)]),
    });
    let choice = Choice { column: "is_subscribed", array: "}'::boolean[]", words };
    let begin = if by == SubscriberSort::Email { Begin::Number } else { Begin::Column };
    Arm { choices: vec![choice], begin, tail, least, from, after: None, before: None }
}

/// All matching rows, found by the trigram index if it can find one of the words.
fn gathered(filter: &SubscriberFilter) -> Way {
    let (mut conditions, mut hidden) = (Conditions::default(), Conditions::default());
    for word in &filter.words {
        if is_indexed(word) { conditions.add_word(word) } else { hidden.add_word(word) }
    }
    hidden.add_all(&wanted(filter));
    conditions.add_hidden(&hidden);
    Way::Gathered(None, conditions)
}

/// The values of a position, in the order of the key.
fn values(position: &SubscriberPosition) -> Vec<Value> {
    let id = Value::BigInt(position.id.0);
    match &position.key {
        SubscriberKey::Id => vec![id],
        SubscriberKey::Email(email) => vec![Value::Text(Some(email.clone())), id],
        SubscriberKey::IsSubscribed(wanted) => vec![Value::Bool(Some(*wanted)), id],
    }
}
