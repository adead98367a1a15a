//! Steps and pages of leads, in bounded time.

use diesel::sql_types::{BigInt, Text};
use exit3_domain::contact::Contact;
use exit3_domain::leads::counts::{SourceCount, StatusCounts, of_words, rest};
use exit3_domain::leads::{Lead, LeadFilter, LeadOrder, LeadPage, LeadStatus};
use exit3_domain::order::Order;
use exit3_domain::paging::{COUNTED_TO, Count, Direction, Glance, MAX_PAGE_SIZE, Slice, Step};
use exit3_domain::search;
use exit3_ports::StoreError;

use super::list::{are_many, is_few, is_in_time, listing, tally};
use super::row::{LeadColumns, LeadRow};
use crate::listing::{Ahead, Beyond, Listing, Way};
use crate::lists::Lists;
use crate::sql::{Sql, is_indexed};

/// How many rows that the trigram index finds are sorted here. More are sorted by the database.
const GATHERED: i64 = 20_000;

/// To count the leads of one status, this part of the rows is looked at that a search looks at before
/// it asks the index.
const SAMPLE: usize = 5;

/// So many rows of an index of few rows are counted in the time in which one row is compared.
const COVERED: usize = 2;

/// Words are frequent if one row in this many has them.
const FREQUENT: i64 = 100;

/// What was found among the next rows of a list.
struct Found {
    ids: Vec<i64>,
    /// Whether these suffice: they are a full step, or all that the list has in this direction.
    is_enough: bool,
    /// Whether the list has no further rows.
    is_end: bool,
}

/// The number of leads of each status and source.
pub(super) async fn counts(lists: &Lists) -> Result<Vec<SourceCount>, StoreError> {
    let counts = Sql::<(Text, Text, BigInt)>::cached(
        "SELECT status, source, sum(n)::bigint FROM lead_counts GROUP BY status, source",
    );
    Ok(of_words(lists.load::<_, (String, String, i64)>(&counts).await?))
}

pub(super) struct Reader<'a> {
    pub(super) lists: &'a Lists,
    /// For a list in this order ([`LeadFilter::ordered_by`]).
    pub(super) filter: LeadFilter,
    pub(super) order: LeadOrder,
    pub(super) step: &'a Step,
}

impl Reader<'_> {
    /// A step. The reader finds every row of it.
    pub(super) async fn walk(&self) -> Result<Slice<Lead>, StoreError> {
        let is_searched = self.is_indexed();
        if (is_searched || self.is_walked().await?)
            && let Some(slice) = self.ahead_slice().await?
        {
            return Ok(slice);
        }
        self.lists.walk::<LeadColumns, LeadRow, _>(&self.listing(), self.step).await
    }

    /// A step. Words that the trigram index cannot find are only looked for among the next rows.
    pub(super) async fn glance(&self) -> Result<Glance<Lead>, StoreError> {
        if self.filter.words.is_empty() || self.is_indexed() || is_few(&self.filter) {
            return Ok(Glance { slice: self.walk().await?, is_cut_short: false });
        }
        let found = self.ahead().await?;
        Ok(Glance { slice: self.slice(found.ids).await?, is_cut_short: !found.is_enough })
    }

    pub(super) async fn page(&self) -> Result<LeadPage, StoreError> {
        if self.filter.words.is_empty() || is_few(&self.filter) {
            let (glance, by_status) = (self.glance().await?, self.counts().await?);
            let count = self.filter.total(&by_status);
            return Ok(LeadPage { glance, count, by_status });
        }
        let found = self.ahead().await?;
        if !found.is_enough
            && self.is_indexed()
            && let Some(page) = self.gathered().await?
        {
            return Ok(page);
        }
        let by_status = self.counts().await?;
        let is_all = found.is_end && self.step.from.is_none();
        let count = match is_all && found.ids.len() <= self.step.size as usize {
            true => Count::Exact(found.ids.len() as u64),
            false => self.filter.total(&by_status),
        };
        let glance = match found.is_enough || !self.is_indexed() {
            true => Glance { slice: self.slice(found.ids).await?, is_cut_short: !found.is_enough },
            false => {
                let listing = self.listing();
                let slice = self.lists.walk::<LeadColumns, LeadRow, _>(&listing, self.step).await?;
                Glance { slice, is_cut_short: false }
            }
        };
        Ok(LeadPage { glance, count, by_status })
    }

    fn is_indexed(&self) -> bool {
        self.filter.words.iter().any(|word| is_indexed(word))
    }

    fn listing(&self) -> Listing {
        listing(&self.filter, self.order, Beyond::of(self.order, self.step))
    }

    fn is_descending(&self) -> bool {
        self.order.descending == (self.step.direction == Direction::Forward)
    }

    fn most(&self) -> usize {
        self.step.size as usize + 1
    }

    /// Whether walking along the index of the order is faster than sorting all rows within the
    /// bounds.
    async fn is_walked(&self) -> Result<bool, StoreError> {
        let filter = &self.filter;
        if is_few(filter)
            || !filter.is_bounded()
            || is_in_time(self.order.by)
            || !filter.words.is_empty()
        {
            return Ok(false);
        }
        let are_many: Vec<bool> = self.lists.load(&are_many(filter, self.step.size)).await?;
        Ok(are_many.first().copied().unwrap_or_default())
    }

    async fn ahead_slice(&self) -> Result<Option<Slice<Lead>>, StoreError> {
        let found = self.ahead().await?;
        Ok(if found.is_enough { Some(self.slice(found.ids).await?) } else { None })
    }

    /// Looks at the next rows, and then at as many as are likely to suffice, unless the rows that
    /// match are so few that the trigram index finds all of them faster.
    async fn ahead(&self) -> Result<Found, StoreError> {
        let (listing, most) = (self.listing(), self.most());
        let Some(ahead) = &listing.ahead else {
            return Ok(Found { ids: Vec::new(), is_enough: false, is_end: false });
        };
        let reach = ahead.reach(self.lists.ahead);
        let found = self.look(&listing, ahead, reach).await?;
        let seen = i64::try_from(found.ids.len()).unwrap_or(i64::MAX);
        if found.is_enough || seen.saturating_mul(FREQUENT) < reach {
            return Ok(found);
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        // More than that, because they are not spread evenly. Rows of an index cost little.
        let spare = if ahead.beside.is_some() { 4 } else { 3 };
        let wanted = reach.saturating_mul(most).saturating_mul(spare);
        let wanted = wanted.checked_div(seen.saturating_mul(2)).unwrap_or(reach);
        self.look(&listing, ahead, wanted).await
    }

    async fn look(
        &self,
        listing: &Listing,
        ahead: &Ahead,
        reach: i64,
    ) -> Result<Found, StoreError> {
        let most = self.most();
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let query = listing.ahead(ahead, self.is_descending(), reach, limit);
        let rows: Vec<(i64, Option<i64>)> = self.lists.load(&query).await?;
        let is_end = rows.first().is_none_or(|(looked, _)| *looked < reach);
        let ids: Vec<i64> = rows.into_iter().filter_map(|(_, id)| id).collect();
        Ok(Found { is_enough: is_end || ids.len() >= most, ids, is_end })
    }

    /// The slice of the leads with these ids.
    async fn slice(&self, ids: Vec<i64>) -> Result<Slice<Lead>, StoreError> {
        let (mut leads, found) = (Vec::new(), ids.len());
        if !ids.is_empty() {
            let query = self.listing().of_ids::<LeadColumns>(ids);
            let rows: Vec<LeadRow> = self.lists.load(&query).await?;
            leads = rows.into_iter().map(Lead::from).collect();
        }
        let descending = self.is_descending();
        let order = Order { by: self.order.by, descending };
        leads.sort_by_cached_key(|lead| order.position(lead));
        if descending {
            leads.reverse();
        }
        Ok(Slice::of_found(self.step, found, leads))
    }

    /// The page, with exact counts, if the trigram index finds few leads.
    async fn gathered(&self) -> Result<Option<LeadPage>, StoreError> {
        // Leads of other statuses are counted too.
        let any_status = LeadFilter { statuses: None, ..self.filter.clone() };
        let all = listing(&any_status, self.order, Beyond::of(self.order, self.step));
        let Way::Gathered(_, conditions) = &all.way else { return Ok(None) };
        let query = all.gathered(conditions, self.is_descending(), GATHERED);
        let found: Vec<(i64, String, bool)> = self.lists.load(&query).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found >= GATHERED) {
            return Ok(None);
        }
        let by_status = LeadStatus::ALL.iter().map(|status| {
            let of_it = found.iter().filter(|(_, word, _)| word == status.as_str());
            (*status, Count::Exact(of_it.count() as u64))
        });
        let by_status: StatusCounts = by_status.collect();
        let is_wanted = |word: &str| match &self.filter.statuses {
            Some(statuses) => statuses.iter().any(|status| status.as_str() == word),
            None => true,
        };
        let wanted = found.iter().filter(|(_, word, beyond)| *beyond && is_wanted(word));
        let ids = wanted.map(|(id, ..)| *id).take(self.most()).collect();
        let glance = Glance { slice: self.slice(ids).await?, is_cut_short: false };
        Ok(Some(LeadPage { glance, count: self.filter.total(&by_status), by_status }))
    }

    /// The number of leads of each status that match the rest of the filter.
    async fn counts(&self) -> Result<StatusCounts, StoreError> {
        if let Some((all, part)) = self.filter.difference() {
            let (all, part) = (self.counts_of(&all).await?, self.counts_of(&part).await?);
            if let Some(rest) = rest(&all, &part) {
                return Ok(rest);
            }
        }
        self.counts_of(&self.filter).await
    }

    async fn counts_of(&self, filter: &LeadFilter) -> Result<StatusCounts, StoreError> {
        let is_few = is_few(filter);
        let most = match filter.is_indexed() {
            true => usize::try_from(COUNTED_TO).unwrap_or(usize::MAX).saturating_add(1),
            false if is_few => self.lists.ahead * COVERED,
            false => self.lists.ahead / SAMPLE,
        };
        let query = tally(filter, most);
        let counted: Vec<(String, i64, bool)> = self.lists.load(&query).await?;
        let is_kept = filter.is_counted();
        let is_complete = counted.iter().all(|(.., is_all)| *is_all);
        let of = |status: &LeadStatus| {
            let found = counted.iter().find(|(word, ..)| word == status.as_str());
            // A status that is missing has no row among those that were looked at.
            let (found, is_all) =
                found.map_or((0, is_complete), |(_, n, is_all)| (n.unsigned_abs(), *is_all));
            let is_exact = is_kept || (is_few && is_all);
            let count = if is_exact { Count::Exact(found) } else { Count::of(found, is_all) };
            (*status, count)
        };
        Ok(LeadStatus::ALL.iter().map(of).collect())
    }
}

/// The newest leads that may have the contact: their documents contain its telling part.
pub(super) async fn resembling(lists: &Lists, contact: &Contact) -> Result<Vec<Lead>, StoreError> {
    let words = vec![search::fold(contact.telling())];
    let filter = LeadFilter { words, ..LeadFilter::default() };
    let step = Step { from: None, direction: Direction::Forward, size: MAX_PAGE_SIZE };
    let listing = listing(&filter, LeadOrder::NEWEST, None);
    Ok(lists.walk::<LeadColumns, LeadRow, _>(&listing, &step).await?.rows)
}
