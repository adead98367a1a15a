//! Reads of leads for pages.

use exit3_domain::leads::counts::SourceCount;
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOrder, LeadPage};
use exit3_domain::paging::{Direction, Glance, PageRequest, Step};
use exit3_domain::search;
use exit3_ports::{StoreError, TRACE};

use crate::App;

/// The most leads that [`suggest`] returns.
const SUGGESTED: u32 = 8;

/// One page of the matching leads with counts, in bounded time. Pages are steps of a walk,
/// so a deep page costs as much as the first one.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.page", skip_all)]
pub async fn page(
    app: &App,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step,
) -> Result<LeadPage, StoreError> {
    app.repositories()?.leads.page(filter, order, step).await
}

/// The exact number of leads in a list, which may take long.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.count", skip_all)]
pub async fn count(app: &App, filter: &LeadFilter, order: LeadOrder) -> Result<u64, StoreError> {
    let first = PageRequest { size: 1, ..PageRequest::first() };
    let page = app.repositories()?.leads.list(filter, order, first).await?;
    Ok(page.map_or(0, |page| page.count))
}

/// The number of leads of each status and source. A pair without leads is left out.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.counts", skip_all)]
pub async fn counts(app: &App) -> Result<Vec<SourceCount>, StoreError> {
    app.repositories()?.leads.counts().await
}

/// The leads before and after a lead in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbours {
    /// The lead before.
    pub previous: Option<LeadId>,
    /// The lead after.
    pub next: Option<LeadId>,
}

/// The leads before and after `lead` in a list, even if `lead` itself is no longer in it.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.neighbours", skip_all)]
pub async fn neighbours(
    app: &App,
    filter: &LeadFilter,
    order: LeadOrder,
    lead: &Lead,
) -> Result<Neighbours, StoreError> {
    let leads = &app.repositories()?.leads;
    let step = |direction| Step { from: Some(order.position(lead)), direction, size: 1 };
    let (back, on) = (step(Direction::Backward), step(Direction::Forward));
    let (before, after) =
        tokio::try_join!(leads.glance(filter, order, &back), leads.glance(filter, order, &on))?;
    let id = |glance: Glance<Lead>| glance.slice.rows.first().map(|lead| lead.id);
    Ok(Neighbours { previous: id(before), next: id(after) })
}

/// Other leads with the e-mail address or the phone number of `lead`: the newest `most`.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.with_contact", skip_all)]
pub async fn with_contact(app: &App, lead: &Lead, most: u32) -> Result<Vec<Lead>, StoreError> {
    let contacts = lead.details.contacts();
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    app.repositories()?.leads.with_contact(&contacts, Some(lead.id), most).await
}

/// The newest leads that match what someone is typing, at most [`SUGGESTED`]. Nothing for a text
/// without words, or with too many.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.suggest", skip_all)]
pub async fn suggest(app: &App, typed: &str) -> Result<Vec<Lead>, StoreError> {
    let words = search::words(typed).unwrap_or_default();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let filter = LeadFilter { words, ..LeadFilter::default() };
    let step = Step { from: None, direction: Direction::Forward, size: SUGGESTED };
    let glance = app.repositories()?.leads.glance(&filter, LeadOrder::NEWEST, &step).await?;
    Ok(glance.slice.rows)
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
