//! Counts of leads by status.

use super::{LeadFilter, LeadOwner, LeadSource, LeadStatus};
use crate::paging::Count;

/// The number of leads of each status.
pub type StatusCounts = Vec<(LeadStatus, Count)>;

/// The number of leads of one status and source.
pub type SourceCount = (LeadStatus, LeadSource, u64);

/// Counts from stored words, without those that are 0.
pub fn of_words(rows: impl IntoIterator<Item = (String, String, i64)>) -> Vec<SourceCount> {
    let count = |(status, source, n): (String, String, i64)| {
        let n = u64::try_from(n).ok().filter(|n| *n > 0)?;
        Some((LeadStatus::from_word(&status)?, LeadSource::from_word(&source)?, n))
    };
    rows.into_iter().filter_map(count).collect()
}

impl LeadFilter {
    /// The number of leads of all statuses that the filter allows.
    pub fn total(&self, by_status: &[(LeadStatus, Count)]) -> Count {
        let is_allowed = |status: &LeadStatus| {
            self.statuses.as_ref().is_none_or(|allowed| allowed.contains(status))
        };
        let counts = by_status.iter().filter(|(status, _)| is_allowed(status));
        counts.fold(Count::Exact(0), |total, (_, count)| total.plus(*count))
    }

    /// For a list of leads that nobody owns: a list of all leads, and one of those that somebody
    /// owns. The latter are usually few, so they are counted faster.
    pub fn difference(&self) -> Option<(Self, Self)> {
        let is_one =
            self.owner == Some(LeadOwner::Nobody) && self.due.is_none() && self.words.is_empty();
        let with = |owner| Self { owner, ..self.clone() };
        is_one.then(|| (with(None), with(Some(LeadOwner::Somebody))))
    }
}

/// The numbers of leads that are in one list and not in another one, which is a part of it. `None`
/// unless all numbers are exact. Both lists have the same statuses in the same order.
pub fn rest(all: &[(LeadStatus, Count)], part: &[(LeadStatus, Count)]) -> Option<StatusCounts> {
    let pairs = all.iter().zip(part);
    let rest = pairs.map(|((status, all), (_, part))| match (all, part) {
        (Count::Exact(all), Count::Exact(part)) => {
            Some((*status, Count::Exact(all.saturating_sub(*part))))
        }
        _ => None,
    });
    rest.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: LeadStatus = LeadStatus::New;
    const CLOSED: LeadStatus = LeadStatus::Closed;

    #[test]
    fn the_total_has_the_allowed_statuses() {
        let counts = [(NEW, Count::Exact(2)), (CLOSED, Count::AtLeast(3))];
        let of = |statuses| LeadFilter { statuses, ..LeadFilter::default() }.total(&counts);
        assert_eq!(of(Some(vec![NEW])), Count::Exact(2));
        assert_eq!(of(None), Count::AtLeast(5));
        assert_eq!(of(Some(Vec::new())), Count::Exact(0));
    }

    #[test]
    fn the_rest_is_known_if_both_lists_are() {
        let all = [(NEW, Count::Exact(5)), (CLOSED, Count::Exact(1))];
        let part = [(NEW, Count::Exact(2)), (CLOSED, Count::Exact(1))];
        let rest_of = vec![(NEW, Count::Exact(3)), (CLOSED, Count::Exact(0))];
        assert_eq!(rest(&all, &part), Some(rest_of));
        assert_eq!(rest(&all, &[(NEW, Count::Exact(2)), (CLOSED, Count::AtLeast(1))]), None);
    }
}
