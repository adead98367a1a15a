//! What the address of a list asks for. Everything that a person chooses is in the address, so a
//! list can be sent to somebody else, and Back works.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadId, LeadOrder, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::order::{ListPosition, SortValue};
use exit3_domain::paging::Direction;
use exit3_domain::search;
use exit3_domain::staff::StaffId;

/// The numbers of rows that a page can have.
pub(crate) const SIZES: [u32; 3] = [25, 50, 100];
/// The number of rows if the address asks for none, or for another one.
const SIZE: u32 = 50;
/// The longest text that is searched for, in characters.
const LONGEST: usize = 200;
/// The word for leads without an owner in addresses.
pub(crate) const NOBODY: &str = "none";

/// What the address of a list asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) search: String,
    pub(crate) status: Option<LeadStatus>,
    pub(crate) source: Option<LeadSource>,
    pub(crate) category: Option<LeadCategory>,
    pub(crate) owner: Option<LeadOwner>,
    /// Only leads whose next step is due.
    pub(crate) due: bool,
    /// Created on this day or later.
    pub(crate) since: Option<NaiveDate>,
    /// Created on this day or earlier.
    pub(crate) until: Option<NaiveDate>,
    pub(crate) order: LeadOrder,
    pub(crate) size: u32,
    /// The lead next to which the page begins or ends.
    pub(crate) beside: Option<(Direction, LeadId)>,
    /// Where that lead was, in the order of the list: see [`Self::position`].
    pub(crate) at: Option<String>,
    /// Whether the leads are counted exactly, which may take longer than the page.
    pub(crate) is_counted: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            search: String::new(),
            status: None,
            source: None,
            category: None,
            owner: None,
            due: false,
            since: None,
            until: None,
            order: LeadOrder::NEWEST,
            size: SIZE,
            beside: None,
            at: None,
            is_counted: false,
        }
    }
}

impl Asked {
    /// Reads a query. What is unknown or malformed does not restrict the list.
    pub(crate) fn read(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            let lead = |direction| Some((direction, LeadId(value.parse().ok()?)));
            match &*name {
                "q" => asked.search = value.chars().take(LONGEST).collect(),
                "status" => asked.status = LeadStatus::from_word(value),
                "source" => asked.source = LeadSource::from_word(value),
                "category" => asked.category = LeadCategory::from_word(value),
                "owner" => asked.owner = owner(value),
                "due" => asked.due = value == "1",
                "since" => asked.since = value.parse().ok(),
                "until" => asked.until = value.parse().ok(),
                "sort" => asked.order = order(value).unwrap_or(LeadOrder::NEWEST),
                "size" => {
                    let size = value.parse().ok().filter(|size| SIZES.contains(size));
                    asked.size = size.unwrap_or(SIZE);
                }
                "after" => asked.beside = lead(Direction::Forward),
                "before" => asked.beside = lead(Direction::Backward),
                "at" => asked.at = Some(value.to_owned()),
                "count" => asked.is_counted = value == "exact",
                _ => {}
            }
        }
        asked
    }

    /// The query that asks for the same; empty for the plain list.
    pub(crate) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.fields() {
            query.append_pair(name, &value);
        }
        query.finish()
    }

    /// The names and values of the query, without what is as usual.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        let mut add = |name, value: Option<String>| fields.extend(value.map(|value| (name, value)));
        add("q", Some(self.search.clone()).filter(|text| !text.is_empty()));
        add("status", self.status.map(|word| word.to_string()));
        add("source", self.source.map(|word| word.to_string()));
        add("category", self.category.map(|word| word.to_string()));
        add("owner", self.owner.map(owner_word));
        add("due", self.due.then(|| "1".to_owned()));
        add("since", self.since.map(|day| day.to_string()));
        add("until", self.until.map(|day| day.to_string()));
        add("sort", (self.order != LeadOrder::NEWEST).then(|| order_word(self.order)));
        add("size", (self.size != SIZE).then(|| self.size.to_string()));
        if let Some((direction, lead)) = self.beside {
            let name = match direction {
                Direction::Forward => "after",
                Direction::Backward => "before",
            };
            add(name, Some(lead.0.to_string()));
            add("at", self.at.clone());
        }
        add("count", self.is_counted.then(|| "exact".to_owned()));
        fields
    }

    /// The filter at this time.
    pub(crate) fn filter(&self, now: DateTime<Utc>) -> LeadFilter {
        let begin = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        LeadFilter {
            statuses: self.status.map(|status| vec![status]),
            sources: self.source.map(|source| vec![source]),
            categories: self.category.map(|category| vec![category]),
            created_after: self.since.map(begin),
            created_before: self
                .until
                .and_then(|day| day.checked_add_days(Days::new(1)))
                .map(begin),
            owner: self.owner,
            due: self.due.then_some(now),
            // A text of this length cannot have too many words.
            words: search::words(&self.search).unwrap_or_default(),
        }
    }

    /// Whether anything but order and size is chosen.
    pub(crate) fn is_filtered(&self) -> bool {
        let Self { order, size, .. } = *self;
        let plain = Self { order, size, ..self.anew() };
        plain != Self { order, size, ..Self::default() }
    }

    /// Whether a filter is chosen that is hidden until somebody opens the others.
    pub(crate) fn has_more_filters(&self) -> bool {
        self.source.is_some()
            || self.category.is_some()
            || self.owner.is_some()
            || self.due
            || self.since.is_some()
            || self.until.is_some()
    }

    /// The same from the first page on.
    fn anew(&self) -> Self {
        Self { beside: None, at: None, is_counted: false, ..self.clone() }
    }

    /// The same with another status.
    pub(crate) fn with_status(&self, status: Option<LeadStatus>) -> Self {
        Self { status, ..self.anew() }
    }

    /// The same in another order; in the opposite direction if it has that order already.
    pub(crate) fn sorted(&self, by: LeadSort) -> Self {
        let descending = match self.order.by == by {
            true => !self.order.descending,
            false => matches!(by, LeadSort::CreatedAt | LeadSort::UpdatedAt),
        };
        Self { order: LeadOrder { by, descending }, ..self.anew() }
    }

    /// The same with another number of rows.
    pub(crate) fn sized(&self, size: u32) -> Self {
        Self { size, ..self.anew() }
    }

    /// The same with an exact count.
    pub(crate) fn counted(&self) -> Self {
        Self { is_counted: true, ..self.clone() }
    }

    /// The page after or before this lead. It begins where the lead is now, even if somebody moves or
    /// deletes it meanwhile.
    pub(crate) fn beside(&self, direction: Direction, lead: &Lead) -> Self {
        let at = match self.order.position(lead).values.as_slice() {
            [SortValue::Time(at)] => Some(at.timestamp_micros().to_string()),
            [SortValue::Text(text)] => Some(text.clone()),
            [SortValue::Word(word), SortValue::Time(at)] => {
                Some(format!("{word}.{}", at.timestamp_micros()))
            }
            _ => None,
        };
        let beside = Some((direction, lead.id));
        Self { beside, at, is_counted: self.is_counted, ..self.anew() }
    }

    /// The position that the address names; `None` if it names none, or none of this order.
    pub(crate) fn position(&self) -> Option<ListPosition> {
        let ((_, id), at) = (self.beside?, self.at.as_deref()?);
        let values = match self.order.by {
            LeadSort::CreatedAt | LeadSort::UpdatedAt | LeadSort::NextStepAt => {
                vec![SortValue::Time(time(at)?)]
            }
            LeadSort::FullName | LeadSort::CompanyName => {
                (!at.contains('\0')).then(|| vec![SortValue::Text(at.to_owned())])?
            }
            LeadSort::Status => {
                let (word, at) = at.split_once('.')?;
                let status = LeadStatus::from_word(word)?;
                vec![SortValue::Word(status.as_str()), SortValue::Time(time(at)?)]
            }
        };
        Some(ListPosition { values, id: id.0 })
    }

    /// The order as a word.
    pub(crate) fn order_word(&self) -> String {
        order_word(self.order)
    }

    /// The owner as a word; empty for all.
    pub(crate) fn owner_word(&self) -> String {
        self.owner.map(owner_word).unwrap_or_default()
    }
}

/// A time in microseconds, if databases know it.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::from_timestamp_micros(text.parse().ok()?)?;
    (1..=9999).contains(&time.year()).then_some(time)
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

/// Reads an order such as `-created_at`.
fn order(text: &str) -> Option<LeadOrder> {
    let (descending, word) = match text.strip_prefix('-') {
        Some(word) => (true, word),
        None => (false, text),
    };
    LeadSort::from_word(word).map(|by| LeadOrder { by, descending })
}

fn order_word(order: LeadOrder) -> String {
    let mut word = String::new();
    let sign = if order.descending { "-" } else { "" };
    // Writing to a String cannot fail.
    let _ = write!(word, "{sign}{}", order.by);
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("")]
    #[case("q=ana+horvat&status=new&source=website&category=web_dev&owner=none&due=1")]
    #[case("owner=7&since=2026-01-01&until=2026-02-01&sort=full_name&size=100&after=12")]
    #[case("sort=-next_step_at&before=3&at=1790000000000001&count=exact")]
    fn a_list_is_read_back_from_its_address(#[case] query: &str) {
        assert_eq!(Asked::read(query).query(), query);
    }

    #[rstest]
    #[case("status=unknown&source=&owner=x&since=yesterday&sort=no&size=7&after=x&due=yes")]
    #[case("%ff=%ff&&&=")]
    fn what_is_malformed_does_not_restrict(#[case] query: &str) {
        assert_eq!(Asked::read(query), Asked::default());
    }

    #[test]
    fn a_search_is_cut_off() {
        let asked = Asked::read(&format!("q={}", "a".repeat(500)));
        assert_eq!(asked.search.len(), LONGEST);
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
        let filter = Asked::read("since=2026-01-01&until=2026-01-01").filter(DateTime::UNIX_EPOCH);
        let (after, before) = (filter.created_after.unwrap(), filter.created_before.unwrap());
        assert_eq!((before - after).num_hours(), 24);
    }

    #[test]
    fn order_and_size_are_no_filter() {
        assert!(!Asked::read("sort=full_name&size=25&after=1").is_filtered());
        assert!(Asked::read("q=a").is_filtered() && Asked::read("due=1").is_filtered());
    }
}
