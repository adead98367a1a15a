//! What the address of the list of leads asks for.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use exit3_domain::leads::{LeadCategory, LeadFilter, LeadOwner, LeadSort, LeadSource, LeadStatus};
use exit3_domain::staff::StaffId;

use crate::asked;
use crate::asked::Filters;

/// A time as a field of date and time has it.
const MOMENT: &str = "%Y-%m-%dT%H:%M";
/// The word for leads without an owner in addresses.
pub(crate) const NOBODY: &str = "none";

/// What the address of the list of leads asks for.
pub(crate) type Asked = asked::Asked<LeadFilters>;

/// The filters of the list of leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LeadFilters {
    pub(crate) status: Option<LeadStatus>,
    pub(crate) source: Option<LeadSource>,
    pub(crate) category: Option<LeadCategory>,
    pub(crate) owner: Option<LeadOwner>,
    /// Only leads whose next step is due.
    pub(crate) due: bool,
    /// Created at this time or later. A day alone begins at midnight.
    pub(crate) since: Option<NaiveDateTime>,
    /// Created on this day or earlier.
    pub(crate) until: Option<NaiveDate>,
}

impl Filters for LeadFilters {
    type Sort = LeadSort;

    const PATH: &'static str = super::LIST;

    fn read(&mut self, name: &str, value: &str) {
        match name {
            "status" => self.status = LeadStatus::from_word(value),
            "source" => self.source = LeadSource::from_word(value),
            "category" => self.category = LeadCategory::from_word(value),
            "owner" => self.owner = owner(value),
            "due" => self.due = value == "1",
            "since" => self.since = moment(value),
            "until" => self.until = value.parse().ok(),
            _ => {}
        }
    }

    fn fields(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("status", self.status.map(|word| word.to_string())),
            ("source", self.source.map(|word| word.to_string())),
            ("category", self.category.map(|word| word.to_string())),
            ("owner", self.owner.map(owner_word)),
            ("due", self.due.then(|| "1".to_owned())),
            ("since", self.since.map(moment_word)),
            ("until", self.until.map(|day| day.to_string())),
        ]
    }

    fn is_largest_first(by: LeadSort) -> bool {
        matches!(by, LeadSort::CreatedAt | LeadSort::UpdatedAt)
    }
}

impl LeadFilters {
    /// The filter at this time, with these words.
    pub(crate) fn filter(&self, words: Vec<String>, now: DateTime<Utc>) -> LeadFilter {
        let begin = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        LeadFilter {
            statuses: self.status.map(|status| vec![status]),
            sources: self.source.map(|source| vec![source]),
            categories: self.category.map(|category| vec![category]),
            created_after: self.since.map(|since| since.and_utc()),
            created_before: self
                .until
                .and_then(|day| day.checked_add_days(Days::new(1)))
                .map(begin),
            owner: self.owner,
            due: self.due.then_some(now),
            words,
        }
    }

    /// The same with another status.
    pub(crate) fn with_status(&self, status: Option<LeadStatus>) -> Self {
        Self { status, ..self.clone() }
    }

    /// Whether a filter is chosen that is hidden until somebody opens the others.
    pub(crate) fn has_more(&self) -> bool {
        self.with_status(None) != Self::default()
    }

    /// Since when, as a date field has it, or a field of date and time; empty for always.
    pub(crate) fn since_word(&self) -> String {
        self.since.map(moment_word).unwrap_or_default()
    }

    /// Whether the time of the day counts too.
    pub(crate) fn is_since_a_time(&self) -> bool {
        self.since.is_some_and(|since| since.time() != NaiveTime::MIN)
    }

    /// The owner as a word; empty for all.
    pub(crate) fn owner_word(&self) -> String {
        self.owner.map(owner_word).unwrap_or_default()
    }
}

/// Reads `2026-01-01` or `2026-01-01T18:03`, if databases know the time.
fn moment(word: &str) -> Option<NaiveDateTime> {
    let day = |word: &str| Some(word.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN));
    let moment = day(word).or_else(|| NaiveDateTime::parse_from_str(word, MOMENT).ok())?;
    (1..=9999).contains(&moment.year()).then_some(moment)
}

fn moment_word(moment: NaiveDateTime) -> String {
    match moment.time() == NaiveTime::MIN {
        true => moment.date().to_string(),
        false => moment.format(MOMENT).to_string(),
    }
}

fn owner(word: &str) -> Option<LeadOwner> {
    match word {
        NOBODY => Some(LeadOwner::Nobody),
        id => id.parse().ok().map(|id| LeadOwner::Staff(StaffId(id))),
    }
}

fn owner_word(owner: LeadOwner) -> String {
    match owner {
        LeadOwner::Nobody => NOBODY.to_owned(),
        LeadOwner::Staff(id) => id.0.to_string(),
        LeadOwner::Somebody => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("")]
    #[case("q=ana+horvat&status=new&source=website&category=web_dev&owner=none&due=1")]
    #[case("owner=7&since=2026-01-01&until=2026-02-01&sort=full_name&size=100&after=12")]
    #[case("since=2026-01-01T18%3A03&until=2026-02-01")]
    #[case("sort=-next_step_at&before=3&at=1790000000000001&count=exact")]
    fn a_list_is_read_back_from_its_address(#[case] query: &str) {
        assert_eq!(Asked::read(query).query(), query);
    }

    #[rstest]
    #[case("status=unknown&source=&owner=x&since=yesterday&sort=no&size=7&after=x&due=yes")]
    #[case("%ff=%ff&&&=")]
    #[case("since=2026-01-01T25:00&until=2026-01-01T18:03")]
    #[case("since=%2B99999-01-01")]
    fn what_is_malformed_does_not_restrict(#[case] query: &str) {
        assert_eq!(Asked::read(query), Asked::default());
    }

    #[test]
    fn a_search_is_cut_off() {
        let asked = Asked::read(&format!("q={}", "a".repeat(500)));
        assert_eq!(asked.search.len(), 200);
    }

    #[test]
    fn a_click_on_a_column_turns_its_order_around() {
        let asked = Asked::read("after=9&status=new");
        assert_eq!(asked.sorted(LeadSort::FullName).query(), "status=new&sort=full_name");
        assert_eq!(asked.sorted(LeadSort::CreatedAt).query(), "status=new&sort=created_at");
        let by_name = asked.sorted(LeadSort::FullName).sorted(LeadSort::FullName);
        assert_eq!(by_name.query(), "status=new&sort=-full_name");
    }

    #[rstest]
    #[case("sort=created_at&at=1790000000000001", true)]
    #[case("sort=status&at=new.1790000000000001", true)]
    #[case("sort=full_name&at=%C4%8Cedo", true)]
    #[case("sort=company_name&at=", true)]
    #[case("sort=full_name&at=a%00", false)]
    #[case("sort=status&at=gone.1", false)]
    #[case("sort=created_at&at=-9000000000000000000", false)]
    #[case("sort=created_at&at=x", false)]
    #[case("sort=created_at", false)]
    fn a_position_is_one_of_the_order(#[case] query: &str, #[case] is_one: bool) {
        assert_eq!(Asked::read(&format!("{query}&after=7")).position().is_some(), is_one);
        assert_eq!(Asked::read(query).position(), None, "beside no lead");
    }

    #[test]
    fn a_range_contains_its_last_day() {
        let filter = Asked::read("since=2026-01-01&until=2026-01-01")
            .filters
            .filter(Vec::new(), DateTime::UNIX_EPOCH);
        let (after, before) = (filter.created_after.unwrap(), filter.created_before.unwrap());
        assert_eq!((before - after).num_hours(), 24);
    }

    #[test]
    fn order_and_size_are_no_filter() {
        assert!(!Asked::read("sort=full_name&size=25&after=1").is_filtered());
        assert!(Asked::read("q=a").is_filtered() && Asked::read("due=1").is_filtered());
    }
}
