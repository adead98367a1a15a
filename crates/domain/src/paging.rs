//! Two ways to read a list: numbered pages with an exact count, and keyset walks, which neither
//! skip nor repeat a row while others are written.

use crate::order::ListPosition;

/// The page size if the client does not give one.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// The maximum page size; larger requests are clamped.
pub const MAX_PAGE_SIZE: u32 = 200;

/// Selects a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageNumber {
    /// A number, counted from 1.
    Number(u64),
    /// The last page.
    Last,
}

/// A requested page and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The page.
    pub number: PageNumber,
    /// Rows per page, 1 to [`MAX_PAGE_SIZE`].
    pub size: u32,
}

impl PageRequest {
    /// The first page, of the default size.
    pub fn first() -> Self {
        Self { number: PageNumber::Number(1), size: DEFAULT_PAGE_SIZE }
    }

    /// The number of rows before this page. `None` for the last page, whose offset depends on the
    /// count, and for pages that exceed the databases' integers.
    pub fn offset(&self) -> Option<i64> {
        match self.number {
            PageNumber::Number(number) => {
                let before = number.checked_sub(1)?.checked_mul(u64::from(self.size))?;
                i64::try_from(before).ok()
            }
            PageNumber::Last => None,
        }
    }
}

/// One numbered page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The number of rows in the whole list.
    pub count: u64,
    /// The page number, counted from 1.
    pub number: u64,
    /// The rows of the page.
    pub rows: Vec<T>,
}

/// The number of the last page of a list of `count` rows; an empty list has one (empty) page.
pub fn last_page(count: u64, size: u32) -> u64 {
    count.div_ceil(u64::from(size.max(1))).max(1)
}

/// The direction of a walk from its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// In list order.
    Forward,
    /// Against list order; the rows are still returned in list order.
    Backward,
}

/// One step of a keyset walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The position next to which the step starts, itself excluded; `None` starts at the beginning.
    pub from: Option<ListPosition>,
    /// The direction.
    pub direction: Direction,
    /// The maximum number of rows, 1 to [`MAX_PAGE_SIZE`].
    pub size: u32,
}

/// The result of one step of a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows, in list order.
    pub rows: Vec<T>,
    /// Whether more rows follow.
    pub has_next: bool,
    /// Whether rows precede.
    pub has_previous: bool,
}

impl<T> Slice<T> {
    /// Makes a slice of fetched rows. Adapters fetch `step.size` + 1 rows in the direction of the
    /// step; the extra row shows that the list continues, and is dropped.
    pub fn of(step: &Step, fetched: Vec<T>) -> Self {
        Self::of_found(step, fetched.len(), fetched)
    }

    /// Makes a slice of rows that were found before they were fetched. The list goes on if more than
    /// `step.size` were found, even if some of them were deleted meanwhile.
    pub fn of_found(step: &Step, found: usize, mut fetched: Vec<T>) -> Self {
        let size = step.size as usize;
        let more = found > size;
        fetched.truncate(size);
        match step.direction {
            Direction::Forward => {
                Self { rows: fetched, has_next: more, has_previous: step.from.is_some() }
            }
            Direction::Backward => {
                fetched.reverse();
                Self { rows: fetched, has_next: step.from.is_some(), has_previous: more }
            }
        }
    }
}

/// The highest number that a [`Count`] is counted to, if the database has to look at rows for it.
pub const COUNTED_TO: u64 = 1000;

/// How many rows a list has, as far as the database can tell in a few milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// This many.
    Exact(u64),
    /// This many or more.
    AtLeast(u64),
}

impl Count {
    /// The count of a list in which the database has counted `found` rows. It stops one row after
    /// [`COUNTED_TO`], or earlier if it has looked at too many rows (`is_complete` is then false).
    pub fn of(found: u64, is_complete: bool) -> Self {
        match found {
            0..=COUNTED_TO if is_complete => Self::Exact(found),
            _ => Self::AtLeast(found.min(COUNTED_TO)),
        }
    }
}

impl Count {
    /// The count of two lists together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(one), Self::Exact(two)) => Self::Exact(one.saturating_add(two)),
            (Self::Exact(one) | Self::AtLeast(one), Self::Exact(two) | Self::AtLeast(two)) => {
                Self::AtLeast(one.saturating_add(two).min(COUNTED_TO))
            }
        }
    }
}

/// One step of a walk that looks at a limited number of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance<T> {
    /// The rows that were found.
    pub slice: Slice<T>,
    /// Whether the database has stopped looking before it had found enough. More rows may match.
    pub is_cut_short: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_exact_up_to_its_limit() {
        assert_eq!(Count::of(0, true), Count::Exact(0));
        assert_eq!(Count::of(COUNTED_TO, true), Count::Exact(COUNTED_TO));
        assert_eq!(Count::of(COUNTED_TO + 1, true), Count::AtLeast(COUNTED_TO));
        assert_eq!(Count::of(7, false), Count::AtLeast(7));
    }

    #[test]
    fn an_empty_list_has_one_page() {
        assert_eq!(last_page(0, 50), 1);
        assert_eq!(last_page(50, 50), 1);
        assert_eq!(last_page(51, 50), 2);
        assert_eq!(last_page(3, 0), 3);
        let first = PageRequest { number: PageNumber::Number(1), size: DEFAULT_PAGE_SIZE };
        assert_eq!(PageRequest::first(), first);
    }

    #[test]
    fn a_page_beyond_reach_has_no_offset() {
        let page = |number| PageRequest { number: PageNumber::Number(number), size: 50 };
        assert_eq!(page(1).offset(), Some(0));
        assert_eq!(page(3).offset(), Some(100));
        assert_eq!(page(u64::MAX).offset(), None);
        assert_eq!(page(0).offset(), None);
    }

    fn at(id: i64) -> Option<ListPosition> {
        Some(ListPosition { values: Vec::new(), id })
    }

    #[test]
    fn the_extra_row_says_that_the_list_goes_on() {
        let step = Step { from: at(9), direction: Direction::Forward, size: 2 };
        let slice = Slice::of(&step, vec![8, 7, 6]);
        assert_eq!(slice, Slice { rows: vec![8, 7], has_next: true, has_previous: true });
    }

    #[test]
    fn a_list_goes_on_although_found_rows_are_gone() {
        let step = |direction| Step { from: None, direction, size: 2 };
        let slice = Slice::of_found(&step(Direction::Forward), 3, vec![8]);
        assert_eq!(slice, Slice { rows: vec![8], has_next: true, has_previous: false });
        let slice = Slice::of_found(&step(Direction::Backward), 3, vec![6, 7]);
        assert_eq!(slice, Slice { rows: vec![7, 6], has_next: false, has_previous: true });
        let slice = Slice::of_found(&step(Direction::Forward), 2, vec![8]);
        assert_eq!(slice, Slice { rows: vec![8], has_next: false, has_previous: false });
    }

    #[test]
    fn a_step_back_returns_rows_in_the_order_of_the_list() {
        let step = Step { from: at(5), direction: Direction::Backward, size: 2 };
        let slice = Slice::of(&step, vec![6, 7]);
        assert_eq!(slice, Slice { rows: vec![7, 6], has_next: true, has_previous: false });
    }
}
