//! Reads of leads for pages.

use exit3_domain::contact::Contact;
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOrder, LeadStatus};
use exit3_domain::paging::{Direction, PageRequest, Slice, Step};
use exit3_domain::search;
use exit3_ports::{StoreError, TRACE};

use super::walk;
use crate::App;

/// The most leads that [`suggest`] returns.
const SUGGESTED: u32 = 8;

/// One step of a list for a page, with counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadPage {
    /// The leads of the page, and whether more precede or follow.
    pub slice: Slice<Lead>,
    /// The number of leads in the whole list.
    pub count: u64,
    /// The same for each status, regardless of the statuses that the filter allows.
    pub by_status: Vec<(LeadStatus, u64)>,
}

/// One page of the matching leads. Pages are steps of a walk, so a deep page costs as much as the
/// first one.
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
    let slice = walk(app, filter, order, step).await?;
    let mut by_status = Vec::new();
    for status in LeadStatus::ALL {
        let one = LeadFilter { statuses: Some(vec![*status]), ..filter.clone() };
        by_status.push((*status, count(app, &one, order).await?));
    }
    let is_chosen =
        |status: &LeadStatus| filter.statuses.as_ref().is_none_or(|chosen| chosen.contains(status));
    let chosen = by_status.iter().filter(|(status, _)| is_chosen(status));
    let count = chosen.map(|(_, count)| count).sum();
    Ok(LeadPage { slice, count, by_status })
}

/// The number of leads in a list.
async fn count(app: &App, filter: &LeadFilter, order: LeadOrder) -> Result<u64, StoreError> {
    let first = PageRequest { size: 1, ..PageRequest::first() };
    let page = app.repositories()?.leads.list(filter, order, first).await?;
    Ok(page.map_or(0, |page| page.count))
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
    let step = |direction| Step { from: Some(order.position(lead)), direction, size: 1 };
    let (back, on) = (step(Direction::Backward), step(Direction::Forward));
    let (before, after) =
        tokio::try_join!(walk(app, filter, order, &back), walk(app, filter, order, &on))?;
    let id = |slice: Slice<Lead>| slice.rows.first().map(|lead| lead.id);
    Ok(Neighbours { previous: id(before), next: id(after) })
}

/// Other leads with the e-mail address or the phone number of `lead`: the newest `most`.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.with_contact", skip_all)]
pub async fn with_contact(app: &App, lead: &Lead, most: u32) -> Result<Vec<Lead>, StoreError> {
    let mut found: Vec<Lead> = Vec::new();
    for contact in lead.details.contacts() {
        let (Contact::Email(word) | Contact::Phone(word)) = &contact;
        let filter = LeadFilter { words: vec![word.clone()], ..LeadFilter::default() };
        // One more, because the lead itself is found too.
        let step = Step { from: None, direction: Direction::Forward, size: most + 1 };
        let slice = walk(app, &filter, LeadOrder::NEWEST, &step).await?;
        let is_other =
            |other: &Lead| other.id != lead.id && other.details.contacts().contains(&contact);
        found.extend(slice.rows.into_iter().filter(is_other));
    }
    found.sort_by_key(|lead| std::cmp::Reverse((lead.created_at, lead.id)));
    found.dedup_by_key(|lead| lead.id);
    found.truncate(most as usize);
    Ok(found)
}

/// The newest leads that match what someone is typing, at most eight. Nothing for a text without
/// words, or with too many.
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
    Ok(walk(app, &filter, LeadOrder::NEWEST, &step).await?.rows)
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
