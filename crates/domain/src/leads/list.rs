//! Filters and orders of lists of leads.

use chrono::{DateTime, Utc};

use super::counts::StatusCounts;
use super::{Lead, LeadCategory, LeadSource, LeadStatus};
use crate::choice::{choice, chosen};
use crate::order::{ListPosition, Order, Sort, SortColumn, SortValue};
use crate::paging::{Count, Glance};
use crate::staff::StaffId;

/// Whose leads a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeadOwner {
    /// Those of this account.
    Staff(StaffId),
    /// Those of any account.
    Somebody,
    /// Those that nobody owns.
    Nobody,
}

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
    /// Of this owner.
    pub owner: Option<LeadOwner>,
    /// With a next step at or before this time.
    pub due: Option<DateTime<Utc>>,
    /// Folded words. The lead's search document must contain every one.
    pub words: Vec<String>,
}

impl LeadFilter {
    /// The filter for a list in the order `by`: a list by next step contains only leads that have
    /// one, which is due at some time.
    #[must_use]
    pub fn ordered_by(&self, by: LeadSort) -> Self {
        let mut filter = self.clone();
        if by == LeadSort::NextStepAt {
            filter.due.get_or_insert(DateTime::<Utc>::MAX_UTC);
        }
        filter
    }

    /// Whether the filter only uses status, source and category, for which databases keep counts.
    pub fn is_counted(&self) -> bool {
        !self.is_bounded() && self.owner.is_none() && self.due.is_none() && self.words.is_empty()
    }

    /// Whether an index has exactly the matching leads of each status: the filter only uses status,
    /// source, category and the time of creation.
    pub fn is_indexed(&self) -> bool {
        self.owner.is_none() && self.due.is_none() && self.words.is_empty()
    }

    /// The words allowed for `status`, `source` and `category`, in this order, without duplicates;
    /// `None` allows all.
    pub fn choices(&self) -> [Option<Vec<&'static str>>; 3] {
        [
            chosen(self.statuses.as_ref()),
            chosen(self.sources.as_ref()),
            chosen(self.categories.as_ref()),
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
        from: Option<&'a ListPosition>,
        below: bool,
    ) -> (Self, Option<&'a ListPosition>) {
        let mut filter = self.clone();
        match from.map(|from| from.values.as_slice()) {
            Some([SortValue::Time(at)]) if self.begins_beyond(*at, below) => return (filter, None),
            Some([SortValue::Time(_)]) if below => filter.created_before = None,
            Some([SortValue::Time(_)]) => filter.created_after = None,
            _ => {}
        }
        (filter, from)
    }
}

/// One step of a list of leads for a page, and counts, all from one state of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadPage {
    /// The leads of the page, and whether more precede or follow.
    pub glance: Glance<Lead>,
    /// The number of leads in the whole list. Exact if the filter only has choices.
    pub count: Count,
    /// The same for each status, regardless of the statuses that the filter allows.
    pub by_status: StatusCounts,
}

choice! {
    /// The sort key of a list of leads.
    LeadSort {
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        FullName = "full_name",
        CompanyName = "company_name",
        Status = "status",
        NextStepAt = "next_step_at",
    }
}

/// The order of a list of leads. For `status`, ties are ordered by creation time, then by id. A
/// list ordered by `next_step_at` contains only leads that have one.
pub type LeadOrder = Order<LeadSort>;

impl Sort for LeadSort {
    type Row = Lead;

    const LIST: &'static str = "leads";
    const NEWEST: LeadOrder = Order { by: Self::CreatedAt, descending: true };

    fn columns(self) -> &'static [SortColumn<Lead>] {
        match self {
            Self::CreatedAt => &[SortColumn::Time(|lead| lead.created_at)],
            Self::UpdatedAt => &[SortColumn::Time(|lead| lead.updated_at)],
            Self::FullName => &[SortColumn::Text(|lead| &lead.details.full_name)],
            // A missing company sorts as the empty text.
            Self::CompanyName => {
                &[SortColumn::Text(|lead| lead.details.company_name.as_deref().unwrap_or_default())]
            }
            Self::Status => &[
                SortColumn::Word(LeadStatus::WORDS, |lead| lead.details.status.as_str()),
                SortColumn::Time(|lead| lead.created_at),
            ],
            Self::NextStepAt => {
                &[SortColumn::Time(|lead| lead.work.next_step_at.unwrap_or_default())]
            }
        }
    }

    fn id(lead: &Lead) -> i64 {
        lead.id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::{LeadId, LeadWork, NewLead};
    use rstest::rstest;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn lead(company_name: Option<&str>) -> Lead {
        let company_name = company_name.map(str::to_owned);
        let details = NewLead { company_name, ..crate::leads::example() };
        let work = LeadWork { next_step_at: Some(at(3)), ..LeadWork::default() };
        Lead { id: LeadId(7), details, work, created_at: at(1), updated_at: at(2) }
    }

    /// Cursors that earlier builds gave out contain these texts.
    #[rstest]
    #[case(LeadSort::CreatedAt, &["1000000"])]
    #[case(LeadSort::UpdatedAt, &["2000000"])]
    #[case(LeadSort::FullName, &["Ana Horvat"])]
    #[case(LeadSort::CompanyName, &["Acme"])]
    #[case(LeadSort::Status, &["closed", "1000000"])]
    #[case(LeadSort::NextStepAt, &["3000000"])]
    fn a_lead_stands_in_an_order_by_its_values(#[case] by: LeadSort, #[case] texts: &[&str]) {
        let order = LeadOrder { by, ..LeadOrder::default() };
        let position = order.position(&lead(Some("Acme")));
        assert!(position.texts().iter().eq(texts), "{position:?}");
        assert_eq!(position.id, 7);
        assert_eq!(order.parse(&position.texts(), 7), Some(position));
    }

    #[test]
    fn a_missing_company_sorts_as_the_empty_text() {
        let order = LeadOrder { by: LeadSort::CompanyName, descending: false };
        assert_eq!(order.position(&lead(None)).values, [SortValue::Text(String::new())]);
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
        let owned = LeadFilter { owner: Some(LeadOwner::Nobody), ..by_choice.clone() };
        let due = LeadFilter { due: Some(at(1)), ..by_choice.clone() };
        let searching = LeadFilter { words: vec!["a".into()], ..by_choice };
        for filter in [after, before, owned, due, searching] {
            assert!(!filter.is_counted(), "{filter:?}");
        }
    }
}
