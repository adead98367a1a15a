//! Reads of subscribers for pages.

use exit3_domain::paging::{Count, Direction, Glance, PageRequest, Step};
use exit3_domain::search;
use exit3_domain::subscribers::{Subscriber, SubscriberFilter, SubscriberOrder};
use exit3_ports::{StoreError, TRACE};

use crate::App;

/// The most subscribers that [`suggest`] returns.
const SUGGESTED: u32 = 8;

/// One step of a list of subscribers for a page, and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriberPage {
    /// The subscribers of the page, and whether more precede or follow.
    pub glance: Glance<Subscriber>,
    /// The number of subscribers in the whole list. Exact if no words are searched, or if the page has
    /// all of them.
    pub count: Count,
    /// The numbers of those who want the newsletter, and of those who do not, regardless of what the
    /// filter says about that. `None` if words are searched.
    pub by_state: Option<[u64; 2]>,
}

/// One page of the matching subscribers with counts, in bounded time. Pages are steps of a walk, so a
/// deep page costs as much as the first one. If the search was cut short, and somebody has `typed` a
/// whole address, the page begins with its subscriber.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "subscribers.page", skip_all)]
pub async fn page(
    app: &App,
    filter: &SubscriberFilter,
    typed: &str,
    order: SubscriberOrder,
    step: &Step,
) -> Result<SubscriberPage, StoreError> {
    let mut glance = app.repositories()?.subscribers.glance(filter, order, step).await?;
    if step.from.is_none() {
        add_holder(app, typed, &mut glance).await?;
    }
    if !filter.words.is_empty() {
        let (found, slice) = (glance.slice.rows.len() as u64, &glance.slice);
        let is_all = step.from.is_none() && !slice.has_next && !glance.is_cut_short;
        let count = if is_all { Count::Exact(found) } else { Count::AtLeast(found) };
        return Ok(SubscriberPage { glance, count, by_state: None });
    }
    let of =
        |wanted| SubscriberFilter { is_subscribed: Some(wanted), ..SubscriberFilter::default() };
    let (wanting, others) = (of(true), of(false));
    let by_state = [count(app, &wanting).await?, count(app, &others).await?];
    let [wanting, others] = by_state;
    let all = match filter.is_subscribed {
        None => wanting.saturating_add(others),
        Some(true) => wanting,
        Some(false) => others,
    };
    Ok(SubscriberPage { glance, count: Count::Exact(all), by_state: Some(by_state) })
}

/// The exact number of subscribers in a list, which may take long if words are searched.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "subscribers.count", skip_all)]
pub async fn count(app: &App, filter: &SubscriberFilter) -> Result<u64, StoreError> {
    let first = PageRequest { size: 1, ..PageRequest::first() };
    let page = app.repositories()?.subscribers.list(filter, SubscriberOrder::NEWEST, first).await?;
    Ok(page.map_or(0, |page| page.count))
}

/// The newest subscribers that match what someone is typing, at most [`SUGGESTED`]. A whole address
/// finds its subscriber, however old. Nothing for a text without words, or with too many.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "subscribers.suggest", skip_all)]
pub async fn suggest(app: &App, typed: &str) -> Result<Vec<Subscriber>, StoreError> {
    let words = search::words(typed).unwrap_or_default();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let filter = SubscriberFilter { words, ..SubscriberFilter::default() };
    let step = Step { from: None, direction: Direction::Forward, size: SUGGESTED };
    let subscribers = &app.repositories()?.subscribers;
    let mut glance = subscribers.glance(&filter, SubscriberOrder::NEWEST, &step).await?;
    add_holder(app, typed, &mut glance).await?;
    Ok(glance.slice.rows)
}

/// If the search was cut short, adds the subscriber with the typed address.
async fn add_holder(
    app: &App,
    typed: &str,
    glance: &mut Glance<Subscriber>,
) -> Result<(), StoreError> {
    let rows = &mut glance.slice.rows;
    if glance.is_cut_short
        && let Some(holder) = app.repositories()?.subscribers.find_by_email(typed.trim()).await?
        && !rows.contains(&holder)
    {
        rows.insert(0, holder);
    }
    Ok(())
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
