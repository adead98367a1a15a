//! Filters and orders of lists of leads.

use chrono::{DateTime, Utc};

use super::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus};
use crate::choice::choice;

/// Selects leads. `None` does not restrict; an empty set matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// One of these statuses.
    pub statuses: Option<Vec<LeadStatus>>,
    /// One of these sources.
    pub sources: Option<Vec<LeadSource>>,
    /// One of these categories.
    pub categories: Option<Vec<LeadCategory>>,
    /// Stored at or after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Stored before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Folded words. The lead's search document must contain every one.
    pub words: Vec<String>,
}

impl LeadFilter {
    /// Whether the filter only uses status, source and category, for which databases keep counts.
    pub fn is_counted(&self) -> bool {
        self.created_after.is_none() && self.created_before.is_none() && self.words.is_empty()
    }

    /// The words allowed for `status`, `source` and `category`, in this order, without duplicates;
    /// `None` allows all.
    pub fn choices(&self) -> [Option<Vec<&'static str>>; 3] {
        let statuses = self.statuses.as_ref().map(|any| any.iter().map(|one| one.as_str()));
        let sources = self.sources.as_ref().map(|any| any.iter().map(|one| one.as_str()));
        let categories = self.categories.as_ref().map(|any| any.iter().map(|one| one.as_str()));
        [
            statuses.and_then(|words| some_of(words, LeadStatus::ALL.len())),
            sources.and_then(|words| some_of(words, LeadSource::ALL.len())),
            categories.and_then(|words| some_of(words, LeadCategory::ALL.len())),
        ]
    }

    /// Whether the filter has time bounds.
    pub fn is_bounded(&self) -> bool {
        self.created_after.is_some() || self.created_before.is_some()
    }

    /// Whether a bound of the filter is tighter than `at`, for a walk above (or below) `at`. All
    /// matching leads then lie beyond that bound, and `at` restricts nothing.
    pub fn begins_beyond(&self, at: DateTime<Utc>, below: bool) -> bool {
        if below {
            self.created_before.is_some_and(|bound| bound <= at)
        } else {
            self.created_after.is_some_and(|bound| bound > at)
        }
    }

    /// The filter and the start position for a walk by creation time that continues above (or
    /// below) `from`. If both a bound and the position limit the same side, only the tighter one is
    /// kept, because a database might start at the looser one.
    pub fn beyond<'a>(
        &self,
        from: Option<&'a LeadPosition>,
        below: bool,
    ) -> (Self, Option<&'a LeadPosition>) {
        let mut filter = self.clone();
        match from.map(|from| &from.key) {
            Some(LeadKey::Time(at)) if self.begins_beyond(*at, below) => return (filter, None),
            Some(LeadKey::Time(_)) if below => filter.created_before = None,
            Some(LeadKey::Time(_)) => filter.created_after = None,
            _ => {}
        }
        (filter, from)
    }
}

/// The distinct words; `None` if these are all words that exist.
fn some_of(given: impl Iterator<Item = &'static str>, all: usize) -> Option<Vec<&'static str>> {
    let mut words = Vec::new();
    for word in given {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    (words.len() < all).then_some(words)
}

choice! {
    /// The sort key of a list of leads.
    LeadSort {
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        FullName = "full_name",
        CompanyName = "company_name",
        Status = "status",
    }
}

/// The order of a list of leads. It is total: ties are ordered by id (for `status`: by creation
/// time, then id), in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadOrder {
    /// The sort key.
    pub by: LeadSort,
    /// Largest first.
    pub descending: bool,
}

impl LeadOrder {
    /// Newest first.
    pub const NEWEST: Self = Self { by: LeadSort::CreatedAt, descending: true };

    /// The position of `lead` in this order.
    pub fn position(&self, lead: &Lead) -> LeadPosition {
        let key = match self.by {
            LeadSort::CreatedAt => LeadKey::Time(lead.created_at),
            LeadSort::UpdatedAt => LeadKey::Time(lead.updated_at),
            LeadSort::FullName => LeadKey::Text(lead.details.full_name.clone()),
            LeadSort::CompanyName => {
                LeadKey::Text(lead.details.company_name.clone().unwrap_or_default())
            }
            LeadSort::Status => LeadKey::Status(lead.details.status, lead.created_at),
        };
        LeadPosition { key, id: lead.id }
    }
}

impl Default for LeadOrder {
    fn default() -> Self {
        Self::NEWEST
    }
}

/// The sort value of a row. Texts compare by code point; a missing company sorts as the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeadKey {
    /// For `created_at` and `updated_at`.
    Time(DateTime<Utc>),
    /// For `full_name` and `company_name`.
    Text(String),
    /// For `status`: sorted by its word, then by creation time.
    Status(LeadStatus, DateTime<Utc>),
}

/// A row's position in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadPosition {
    /// The sort value.
    pub key: LeadKey,
    /// The id of the row.
    pub id: LeadId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::NewLead;
    use rstest::rstest;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn lead(company_name: Option<&str>) -> Lead {
        let company_name = company_name.map(str::to_owned);
        let details = NewLead { company_name, ..crate::leads::example() };
        Lead { id: LeadId(7), details, created_at: at(1), updated_at: at(2) }
    }

    #[rstest]
    #[case(LeadSort::CreatedAt, LeadKey::Time(at(1)))]
    #[case(LeadSort::UpdatedAt, LeadKey::Time(at(2)))]
    #[case(LeadSort::FullName, LeadKey::Text("Ana Horvat".into()))]
    #[case(LeadSort::CompanyName, LeadKey::Text("Acme".into()))]
    #[case(LeadSort::Status, LeadKey::Status(LeadStatus::Closed, at(1)))]
    fn a_lead_stands_in_an_order_by_its_key(#[case] by: LeadSort, #[case] key: LeadKey) {
        let order = LeadOrder { by, ..LeadOrder::default() };
        let position = order.position(&lead(Some("Acme")));
        assert_eq!(position, LeadPosition { key, id: LeadId(7) });
        assert_eq!(LeadOrder::default(), LeadOrder::NEWEST);
    }

    #[test]
    fn a_missing_company_sorts_as_the_empty_text() {
        let order = LeadOrder { by: LeadSort::CompanyName, descending: false };
        assert_eq!(order.position(&lead(None)).key, LeadKey::Text(String::new()));
    }

    #[test]
    fn only_filters_by_choice_are_counted() {
        let by_choice = LeadFilter {
            statuses: Some(vec![LeadStatus::New]),
            sources: Some(vec![LeadSource::Other]),
            categories: Some(Vec::new()),
            ..LeadFilter::default()
        };
        assert!(by_choice.is_counted() && LeadFilter::default().is_counted());
        let after = LeadFilter { created_after: Some(at(1)), ..by_choice.clone() };
        let before = LeadFilter { created_before: Some(at(1)), ..by_choice.clone() };
        let searching = LeadFilter { words: vec!["a".into()], ..by_choice };
        assert!(!after.is_counted() && !before.is_counted() && !searching.is_counted());
    }
}
