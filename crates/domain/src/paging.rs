//! Two ways through a list: numbered pages with an exact count, and a walk by
//! keyset that neither skips nor repeats a row while others are written.

/// Rows on a page when the client does not say.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// The most rows on a page; a larger wish is clamped.
pub const MAX_PAGE_SIZE: u32 = 200;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageNumber {
    /// Counted from 1.
    Number(u64),
    /// The last one, whatever its number.
    Last,
}

/// A page and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Which page.
    pub number: PageNumber,
    /// Rows on a page, 1 to [`MAX_PAGE_SIZE`].
    pub size: u32,
}

impl PageRequest {
    /// The first page of the default size.
    pub fn first() -> Self {
        Self { number: PageNumber::Number(1), size: DEFAULT_PAGE_SIZE }
    }

    /// How many rows lie before this page; `None` for the last page, which
    /// only a count can place, and for one beyond any database's reach.
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
    /// How many rows the whole list has.
    pub count: u64,
    /// The page's number, counted from 1.
    pub number: u64,
    /// Its rows.
    pub rows: Vec<T>,
}

/// The number of the last page of a list of `count` rows; an empty list has one
/// (empty) page.
pub fn last_page(count: u64, size: u32) -> u64 {
    count.div_ceil(u64::from(size.max(1))).max(1)
}

/// Which way a walk goes from its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Along the order.
    Forward,
    /// Against it; the rows still come back in the order.
    Backward,
}

/// One step of a walk by keyset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<P> {
    /// The row to start beside, which is not returned itself; `None` to begin.
    pub from: Option<P>,
    /// Which way to go.
    pub direction: Direction,
    /// The most rows to return, 1 to [`MAX_PAGE_SIZE`].
    pub size: u32,
}

/// What a step of a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Whether the list goes on after them.
    pub has_next: bool,
    /// Whether there is something before them.
    pub has_previous: bool,
}

impl<T> Slice<T> {
    /// Makes a slice of the rows that a step fetched. An adapter asks for one
    /// row more than `step.size`, in the direction of the step; that row says
    /// whether the list goes on and is dropped.
    pub fn of<P>(step: &Step<P>, mut fetched: Vec<T>) -> Self {
        let size = step.size as usize;
        let more = fetched.len() > size;
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_extra_row_says_that_the_list_goes_on() {
        let step = Step { from: Some(9), direction: Direction::Forward, size: 2 };
        let slice = Slice::of(&step, vec![8, 7, 6]);
        assert_eq!(slice, Slice { rows: vec![8, 7], has_next: true, has_previous: true });
    }

    #[test]
    fn a_step_back_returns_rows_in_the_order_of_the_list() {
        let step = Step { from: Some(5), direction: Direction::Backward, size: 2 };
        let slice = Slice::of(&step, vec![6, 7]);
        assert_eq!(slice, Slice { rows: vec![7, 6], has_next: true, has_previous: false });
    }
}
