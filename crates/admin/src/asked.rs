//! What the address of a list asks for. Everything that a person chooses is in the address, so a
//! list can be sent to somebody else, and Back works.

use chrono::Datelike;
use exit3_app::FindError;
use exit3_domain::order::{ListPosition, Order, Sort, SortValue};
use exit3_domain::paging::{Direction, Step};
use exit3_domain::search;

use crate::errors::PageError;

/// The numbers of rows that a page can have.
pub(crate) const SIZES: [u32; 3] = [25, 50, 100];
/// The number of rows if the address asks for none, or for another one.
const SIZE: u32 = 50;
/// The longest text that is searched for, in characters.
const LONGEST: usize = 200;

/// The filters of one list.
pub(crate) trait Filters: Clone + Default + PartialEq {
    /// The orders of the list.
    type Sort: Sort;

    /// The address of the list.
    const PATH: &'static str;

    /// Takes the value that an address gives to one of its fields. What is unknown or malformed does
    /// not restrict the list.
    fn read(&mut self, name: &str, value: &str);

    /// The names and values of what is chosen, as in an address.
    fn fields(&self) -> Vec<(&'static str, Option<String>)>;

    /// Whether the first click on the head of a column sorts the largest values to the top.
    fn is_largest_first(by: Self::Sort) -> bool;
}

/// What the address of a list asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked<F: Filters> {
    pub(crate) search: String,
    pub(crate) filters: F,
    pub(crate) order: Order<F::Sort>,
    pub(crate) size: u32,
    /// The row next to which the page begins or ends.
    pub(crate) beside: Option<(Direction, i64)>,
    /// Where that row was, in the order of the list: see [`Self::position`].
    pub(crate) at: Option<String>,
    /// Whether the rows are counted exactly, which may take longer than the page.
    pub(crate) is_counted: bool,
}

impl<F: Filters> Default for Asked<F> {
    fn default() -> Self {
        Self {
            search: String::new(),
            filters: F::default(),
            order: Order::NEWEST,
            size: SIZE,
            beside: None,
            at: None,
            is_counted: false,
        }
    }
}

impl<F: Filters> Asked<F> {
    /// Reads a query. What is unknown or malformed does not restrict the list.
    pub(crate) fn read(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let whole = value;
            let value = whole.trim();
            let row = |direction| Some((direction, value.parse().ok()?));
            match &*name {
                "q" => asked.search = value.chars().take(LONGEST).collect(),
                "sort" => asked.order = order(value).unwrap_or(Order::NEWEST),
                "size" => {
                    let size = value.parse().ok().filter(|size| SIZES.contains(size));
                    asked.size = size.unwrap_or(SIZE);
                }
                "after" => asked.beside = row(Direction::Forward),
                "before" => asked.beside = row(Direction::Backward),
                // A stored name may begin with a blank.
                "at" => asked.at = Some(whole.into_owned()),
                "count" => asked.is_counted = value == "exact",
                name => asked.filters.read(name, value),
            }
        }
        asked
    }

    /// The query that asks for the same; empty for the plain list.
    pub(crate) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        };
        add("q", Some(self.search.clone()).filter(|text| !text.is_empty()));
        for (name, value) in self.filters.fields() {
            add(name, value);
        }
        add("sort", (self.order != Order::NEWEST).then(|| self.order.to_string()));
        add("size", (self.size != SIZE).then(|| self.size.to_string()));
        if let Some((direction, row)) = self.beside {
            let name = match direction {
                Direction::Forward => "after",
                Direction::Backward => "before",
            };
            add(name, Some(row.to_string()));
            add("at", self.at.clone());
        }
        add("count", self.is_counted.then(|| "exact".to_owned()));
        query.finish()
    }

    /// The address of the same list.
    pub(crate) fn link(&self) -> String {
        self.link_from(F::PATH)
    }

    /// The address of a page that belongs to the list, with the same query.
    pub(crate) fn link_from(&self, path: &str) -> String {
        match self.query() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The folded words of the search.
    pub(crate) fn words(&self) -> Vec<String> {
        // A text of this length cannot have too many words.
        search::words(&self.search).unwrap_or_default()
    }

    /// Whether anything but order and size is chosen.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.search.is_empty() || self.filters != F::default()
    }

    /// The same from the first page on.
    pub(crate) fn anew(&self) -> Self {
        Self { beside: None, at: None, is_counted: false, ..self.clone() }
    }

    /// The same with other filters.
    pub(crate) fn filtered(&self, filters: F) -> Self {
        Self { filters, ..self.anew() }
    }

    /// The same without a search.
    pub(crate) fn without_search(&self) -> Self {
        Self { search: String::new(), ..self.anew() }
    }

    /// The same in another order; in the opposite direction if it has that order already.
    pub(crate) fn sorted(&self, by: F::Sort) -> Self {
        let descending = match self.order.by == by {
            true => !self.order.descending,
            false => F::is_largest_first(by),
        };
        Self { order: Order { by, descending }, ..self.anew() }
    }

    /// The same with another number of rows.
    pub(crate) fn sized(&self, size: u32) -> Self {
        Self { size, ..self.anew() }
    }

    /// The same with an exact count.
    pub(crate) fn counted(&self) -> Self {
        Self { is_counted: true, ..self.clone() }
    }

    /// The page after or before this row. It begins where the row is now, even if somebody moves or
    /// deletes it meanwhile.
    pub(crate) fn beside(&self, direction: Direction, row: &<F::Sort as Sort>::Row) -> Self {
        let position = self.order.position(row);
        let at = Some(position.texts().join(".")).filter(|_| !position.values.is_empty());
        let beside = Some((direction, position.id));
        Self { beside, at, is_counted: self.is_counted, ..self.anew() }
    }

    /// The position that the address names; `None` if it names none, or none of this order.
    pub(crate) fn position(&self) -> Option<ListPosition> {
        let (_, id) = self.beside?;
        let texts: Vec<String> = match self.order.by.columns().len() {
            0 => Vec::new(),
            // No order has a text before another column, so a dot in a text does not matter.
            columns => self.at.as_deref()?.splitn(columns, '.').map(str::to_owned).collect(),
        };
        self.order.parse(&texts, id).filter(|position| position.values.iter().all(is_stored))
    }

    /// The step to the page that the address asks for. If the address does not say where its row was,
    /// `find` finds the row; without one, the first page is shown.
    pub(crate) async fn step(
        &self,
        find: impl AsyncFnOnce(i64) -> Result<<F::Sort as Sort>::Row, FindError>,
    ) -> Result<Step, PageError> {
        let first = Step { from: None, direction: Direction::Forward, size: self.size };
        let Some((direction, id)) = self.beside else { return Ok(first) };
        if let Some(position) = self.position() {
            return Ok(Step { from: Some(position), direction, ..first });
        }
        match find(id).await {
            Ok(row) => Ok(Step { from: Some(self.order.position(&row)), direction, ..first }),
            Err(FindError::NotFound) => Ok(first),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether databases can store a value.
fn is_stored(value: &SortValue) -> bool {
    match value {
        SortValue::Time(time) => (1..=9999).contains(&time.year()),
        SortValue::Text(text) => !text.contains('\0'),
        SortValue::Word(_) | SortValue::Boolean(_) | SortValue::Number(_) => true,
    }
}

/// Reads an order such as `-created_at`.
fn order<S: Sort>(text: &str) -> Option<Order<S>> {
    let (descending, word) = match text.strip_prefix('-') {
        Some(word) => (true, word),
        None => (false, text),
    };
    S::from_word(word).map(|by| Order { by, descending })
}
