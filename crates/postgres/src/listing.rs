//! Lists of any table: numbered pages with an exact count, and walks.

mod ahead;
mod key;
mod merge;
mod statements;

use exit3_domain::order::{ListPosition, Order};
use exit3_domain::paging::{Direction, Page, PageNumber, PageRequest, Step, last_page};

pub(crate) use self::ahead::{Ahead, Beside, share};
pub use self::key::Key;
pub(crate) use self::merge::{Arm, Begin, Choice};
use crate::sql::{Conditions, Value, is_indexed};

/// Describes a list. [`Listing::all`] and [`Listing::matching`] suffice for a table of a few
/// thousand rows; for larger ones, each order and filter needs an index and a `Way` to use it, which
/// only this crate has.
pub struct Listing {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static str,
    /// The table of stored counts, if it can count these conditions.
    pub(crate) counts: Option<&'static str>,
    /// All conditions on a row.
    pub(crate) conditions: Conditions,
    /// Rows that fulfil the conditions, but are not in the list. They must be few, and are read
    /// only if the list is not [`Way::Gathered`] or [`Way::Few`].
    pub(crate) except: Option<Except>,
    pub(crate) key: Key,
    pub(crate) descending: bool,
    /// The key's values to start beyond.
    pub(crate) from: Option<Vec<Value>>,
    pub(crate) way: Way,
    /// Whether one plan serves the conditions for all values.
    pub(crate) plannable: bool,
    /// How to look at the next rows, if the list is also read in bounded time.
    pub(crate) ahead: Option<Ahead>,
}

/// Some rows that are not in a list.
pub(crate) struct Except {
    /// The condition that other rows fulfil.
    pub(crate) others: &'static str,
    /// The conditions that select these rows, to subtract their number.
    pub(crate) rows: Conditions,
}

/// How to reach the rows of a list.
pub(crate) enum Way {
    /// Along the index of the order. The conditions can only be bounds of that index.
    InOrder,
    /// From the parts of an index that has them in order, one part for each combination of values.
    /// There is at least one arm.
    Merged(Vec<Arm>),
    /// All matching rows first, which are then sorted: the rows of the arm, if there is one, that
    /// fulfil these conditions.
    Gathered(Option<Arm>, Conditions),
    /// The same for rows that an index of few rows has, so that a walk gathers them at once, or reads them
    /// in order if this is the key of that index. A key of several columns begins with one that has a
    /// single value.
    Few(Conditions, Option<Key>),
}

/// Where a step of a walk starts: the rows beyond this position, in one direction.
#[derive(Debug, Clone, Copy)]
pub struct Beyond<'a> {
    pub(crate) position: &'a ListPosition,
    /// Whether to read the rows with smaller keys instead of those with larger ones.
    pub(crate) below: bool,
}

impl<'a> Beyond<'a> {
    /// The start of `step`; `None` if it starts at the beginning.
    pub fn of<S>(order: Order<S>, step: &'a Step) -> Option<Self> {
        let forward = step.direction == Direction::Forward;
        let below = order.descending == forward;
        step.from.as_ref().map(|position| Self { position, below })
    }
}

impl Way {
    /// All matching rows, found by the trigram index if it can find one of `words`, by `arm`, or by
    /// any index that serves the conditions `seen`.
    pub(crate) fn gathered(
        words: &[String],
        arm: Option<Arm>,
        mut seen: Conditions,
        unseen: &Conditions,
    ) -> Self {
        let mut hidden = Conditions::default();
        for word in words {
            if is_indexed(word) { seen.add_word(word) } else { hidden.add_word(word) }
        }
        hidden.add_all(unseen);
        seen.add_hidden(&hidden);
        Self::Gathered(arm, seen)
    }

    /// What selects all matching rows, if they are gathered first.
    fn gathers(&self) -> Option<(Option<&Arm>, &Conditions)> {
        match self {
            Self::InOrder | Self::Merged(_) => None,
            Self::Gathered(arm, conditions) => Some((arm.as_ref(), conditions)),
            Self::Few(conditions, _) => Some((None, conditions)),
        }
    }
}

impl Listing {
    /// All rows of a table, read along the index of the order. `columns` are those of a row,
    /// separated by commas.
    pub fn all(
        table: &'static str,
        columns: &'static str,
        key: Key,
        descending: bool,
        from: Option<Beyond<'_>>,
    ) -> Self {
        Self {
            table,
            columns,
            counts: None,
            conditions: Conditions::default(),
            except: None,
            key,
            descending,
            from: from.map(|from| Value::of_position(from.position)),
            way: Way::InOrder,
            plannable: true,
            ahead: None,
        }
    }

    /// The rows that fulfil all conditions and whose column `search_document` contains all words.
    /// Finds every one of them before it sorts them.
    #[must_use]
    pub fn matching(self, mut conditions: Conditions, words: &[String]) -> Self {
        if conditions.is_empty() && words.is_empty() {
            return self;
        }
        let none = Conditions::default();
        let way = match words {
            [] => Way::gathered(words, None, conditions.clone(), &none),
            _ => Way::gathered(words, None, none, &conditions),
        };
        words.iter().for_each(|word| conditions.add_word(word));
        Self { conditions, way, plannable: false, ..self }
    }
}

/// Assembles the page from the rows of [`Listing::page`]; `None` beyond the end.
pub(crate) fn page_of<R, T: From<R>>(
    request: PageRequest,
    mut rows: Vec<(i64, R)>,
) -> Option<Page<T>> {
    let count = rows.first().map_or(0, |(count, _)| u64::try_from(*count).unwrap_or_default());
    let number = match request.number {
        PageNumber::Number(number) if rows.is_empty() && number != 1 => return None,
        PageNumber::Number(number) => number,
        PageNumber::Last => {
            rows.reverse();
            last_page(count, request.size)
        }
    };
    let rows = rows.into_iter().map(|(_, row)| T::from(row)).collect();
    Some(Page { count, number, rows })
}
