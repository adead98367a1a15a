//! Steps of lists of subscribers, in bounded time.

use exit3_domain::order::Order;
use exit3_domain::paging::{Direction, Glance, Slice, Step};
use exit3_domain::subscribers::{Subscriber, SubscriberFilter, SubscriberOrder};
use exit3_ports::StoreError;

use super::list::listing;
use super::row::{SubscriberColumns, SubscriberRow};
use crate::listing::Beyond;
use crate::lists::Lists;
use crate::sql::is_indexed;

/// A step. Frequent words are found among the next rows, rare ones by the trigram index. Words that it
/// cannot find are only looked for among the next rows.
pub(super) async fn glance(
    lists: &Lists,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step,
) -> Result<Glance<Subscriber>, StoreError> {
    let listing = listing(filter, order, Beyond::of(order, step));
    let descending = order.descending == (step.direction == Direction::Forward);
    if let Some(ahead) = &listing.ahead {
        let (reach, most) = (ahead.reach(lists.ahead), i64::from(step.size) + 1);
        let next = listing.ahead(ahead, descending, reach, most);
        let next: Vec<(i64, Option<i64>)> = lists.load(&next).await?;
        let is_end = next.first().is_none_or(|(looked, _)| *looked < reach);
        let ids: Vec<i64> = next.into_iter().filter_map(|(_, id)| id).collect();
        let is_enough = is_end || ids.len() > step.size as usize;
        if is_enough || !filter.words.iter().any(|word| is_indexed(word)) {
            let found = ids.len();
            let rows: Vec<SubscriberRow> = match found {
                0 => Vec::new(),
                _ => lists.load(&listing.of_ids::<SubscriberColumns>(ids)).await?,
            };
            let mut rows: Vec<Subscriber> = rows.into_iter().map(Subscriber::from).collect();
            let order = Order { by: order.by, descending };
            rows.sort_by_cached_key(|row| order.position(row));
            if descending {
                rows.reverse();
            }
            let slice = Slice::of_found(step, found, rows);
            return Ok(Glance { slice, is_cut_short: !is_enough });
        }
    }
    let slice = lists.walk::<SubscriberColumns, SubscriberRow, _>(&listing, step).await?;
    Ok(Glance { slice, is_cut_short: false })
}
