//! Which leads a list shows, and in which order.

use chrono::{DateTime, Utc};

use super::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus};
use crate::choice::choice;

/// Which leads a list shows. An empty set of choices matches nothing; `None`
/// does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Any of these statuses.
    pub statuses: Option<Vec<LeadStatus>>,
    /// Any of these sources.
    pub sources: Option<Vec<LeadSource>>,
    /// Any of these categories.
    pub categories: Option<Vec<LeadCategory>>,
    /// Stored at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Stored before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Folded words that must all occur in the lead's search document.
    pub words: Vec<String>,
}

impl LeadFilter {
    /// Whether the filter looks at nothing but status, source and category,
    /// which databases keep counts of.
    pub fn is_counted(&self) -> bool {
        self.created_after.is_none() && self.created_before.is_none() && self.words.is_empty()
    }

    /// The words that `status`, `source` and `category` may have, in this order, each word
    /// once; `None` where it may be any.
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

    /// Whether there are bounds of time.
    pub fn is_bounded(&self) -> bool {
        self.created_after.is_some() || self.created_before.is_some()
    }

    /// Whether all leads above (or below) the time `at` that match lie beyond a bound that
    /// is nearer than `at`, so that `at` is none.
    pub fn begins_beyond(&self, at: DateTime<Utc>, below: bool) -> bool {
        if below {
            self.created_before.is_some_and(|bound| bound <= at)
        } else {
            self.created_after.is_some_and(|bound| bound > at)
        }
    }

    /// The filter for a walk by time of creation that goes on above (or below) `from`,
    /// and from where it goes. A bound and a position on the same side are one too many:
    /// a database may begin at the one that is farther away.
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

/// Each word once, unless they are all that there are.
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
    /// What a list of leads is sorted by.
    LeadSort {
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        FullName = "full_name",
        CompanyName = "company_name",
        Status = "status",
    }
}

/// The order of a list of leads. It is total: equal keys are ordered by id (for
/// `status`: by time of creation, then id), in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadOrder {
    /// What to sort by.
    pub by: LeadSort,
    /// Largest first.
    pub descending: bool,
}

impl LeadOrder {
    /// Newest first.
    pub const NEWEST: Self = Self { by: LeadSort::CreatedAt, descending: true };

    /// Where `lead` stands in this order.
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

/// The value that a row is sorted by. Texts compare by code point; a company
/// that is not known sorts as the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeadKey {
    /// Of `created_at` and `updated_at`.
    Time(DateTime<Utc>),
    /// Of `full_name` and `company_name`.
    Text(String),
    /// Of `status` (by its word), with the time of creation.
    Status(LeadStatus, DateTime<Utc>),
}

/// A row's place in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadPosition {
    /// The value that it is sorted by.
    pub key: LeadKey,
    /// The row itself.
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
    fn a_company_that_is_not_known_stands_as_the_empty_text() {
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
