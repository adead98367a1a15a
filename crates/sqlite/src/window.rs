//! The position of a page in a list, and the cheapest way to reach its rows.

use exit3_domain::paging::{PageNumber, PageRequest, last_page};

/// The rows of a page, counted from the nearer end of the list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The page number.
    pub(crate) number: u64,
    /// Rows to skip.
    pub(crate) offset: i64,
    /// Rows to read.
    pub(crate) limit: i64,
    /// Whether to read from the end of the list, in reverse order.
    pub(crate) backward: bool,
}

impl Window {
    /// `None` for a page beyond a list of `count` rows.
    pub(crate) fn of(count: u64, request: PageRequest) -> Option<Self> {
        let last = last_page(count, request.size);
        let number = match request.number {
            PageNumber::Number(number) => number,
            PageNumber::Last => last,
        };
        if number == 0 || number > last {
            return None;
        }
        let size = u64::from(request.size);
        let before = (number - 1).checked_mul(size)?;
        let rows = count.saturating_sub(before).min(size);
        let after = count.saturating_sub(before).saturating_sub(rows);
        let backward = after < before;
        let offset = if backward { after } else { before };
        let (offset, limit) = (i64::try_from(offset).ok()?, i64::try_from(rows).ok()?);
        Some(Self { number, offset, limit, backward })
    }

    /// The number of rows to walk over.
    pub(crate) fn reach(&self) -> u64 {
        self.offset.saturating_add(self.limit).unsigned_abs()
    }
}

/// How to read a few rows of a sorted and filtered list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Walk along the index of the order, and skip rows that do not match.
    InOrder,
    /// Read all matching rows and sort them.
    Sorted,
}

impl Access {
    /// Chooses the way that looks at fewer rows. Assumes that `matching` of `total` rows match,
    /// spread evenly, and that `reach` of them are wanted.
    pub(crate) fn choose(matching: u64, total: u64, reach: u64) -> Self {
        let sorted = u128::from(matching) * u128::from(matching);
        let in_order = u128::from(reach) * u128::from(total);
        if sorted < in_order { Self::Sorted } else { Self::InOrder }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(count: u64, number: PageNumber, size: u32) -> Option<(u64, i64, i64, bool)> {
        let window = Window::of(count, PageRequest { number, size })?;
        Some((window.number, window.offset, window.limit, window.backward))
    }

    #[test]
    fn a_page_is_reached_from_the_nearer_end() {
        assert_eq!(window(101, PageNumber::Number(1), 50), Some((1, 0, 50, false)));
        assert_eq!(window(101, PageNumber::Number(2), 50), Some((2, 1, 50, true)));
        assert_eq!(window(101, PageNumber::Number(3), 50), Some((3, 0, 1, true)));
        assert_eq!(window(101, PageNumber::Last, 50), Some((3, 0, 1, true)));
    }

    #[test]
    fn an_empty_list_has_one_page() {
        assert_eq!(window(0, PageNumber::Number(1), 50), Some((1, 0, 0, false)));
        assert_eq!(window(0, PageNumber::Last, 50), Some((1, 0, 0, false)));
        assert_eq!(window(0, PageNumber::Number(2), 50), None);
    }

    #[test]
    fn pages_beyond_the_end_and_page_zero_do_not_exist() {
        assert_eq!(window(100, PageNumber::Number(3), 50), None);
        assert_eq!(window(100, PageNumber::Number(0), 50), None);
        assert_eq!(window(100, PageNumber::Number(u64::MAX), 200), None);
    }

    #[test]
    fn few_matches_are_sorted_and_many_are_read_in_order() {
        assert_eq!(Access::choose(100, 1_000_000, 50), Access::Sorted);
        assert_eq!(Access::choose(300_000, 1_000_000, 50), Access::InOrder);
        assert_eq!(Access::choose(300_000, 1_000_000, 150_000), Access::Sorted);
    }
}
