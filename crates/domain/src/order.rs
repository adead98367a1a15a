//! The orders of lists, and positions in them.
//!
//! A list describes its orders once, as a [`Sort`]: the sort columns of each order, and how to take
//! their values from a row. The position of a row, the texts of a cursor and the position that
//! these texts stand for all follow from that.

use chrono::{DateTime, Utc};

use crate::choice::Choice;

/// The sort keys of a list, as words of the API.
pub trait Sort: Choice {
    /// A row of the list.
    type Row;

    /// The name of the list. Cursors are bound to it.
    const LIST: &'static str;

    /// The order if the client does not give one: newest first.
    const NEWEST: Order<Self>;

    /// The columns that the list is sorted by. Ties are ordered by id.
    fn columns(self) -> &'static [SortColumn<Self::Row>];

    /// The id of a row.
    fn id(row: &Self::Row) -> i64;
}

/// A column that a list is sorted by: its kind, and how to take its value from a row.
#[derive(Debug)]
pub enum SortColumn<T> {
    /// A time in whole microseconds.
    Time(fn(&T) -> DateTime<Utc>),
    /// A text, compared by code point.
    Text(fn(&T) -> &str),
    /// One of these words, compared as a text.
    Word(&'static [&'static str], fn(&T) -> &'static str),
    /// False before true.
    Boolean(fn(&T) -> bool),
    /// A whole number.
    Number(fn(&T) -> i64),
}

impl<T> SortColumn<T> {
    /// The value of a row.
    fn value(&self, row: &T) -> SortValue {
        match self {
            Self::Time(of) => SortValue::Time(of(row)),
            Self::Text(of) => SortValue::Text(of(row).to_owned()),
            Self::Word(_, of) => SortValue::Word(of(row)),
            Self::Boolean(of) => SortValue::Boolean(of(row)),
            Self::Number(of) => SortValue::Number(of(row)),
        }
    }

    /// The value that a cursor's text stands for; `None` for a text of another kind.
    fn parse(&self, text: &str) -> Option<SortValue> {
        match self {
            Self::Time(_) => {
                DateTime::from_timestamp_micros(text.parse().ok()?).map(SortValue::Time)
            }
            Self::Text(_) => Some(SortValue::Text(text.to_owned())),
            Self::Word(words, _) => {
                words.iter().find(|word| **word == text).map(|word| SortValue::Word(word))
            }
            Self::Boolean(_) => text.parse().ok().map(SortValue::Boolean),
            Self::Number(_) => text.parse().ok().map(SortValue::Number),
        }
    }
}

/// The value of a [`SortColumn`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants are those of `SortColumn`")]
pub enum SortValue {
    Time(DateTime<Utc>),
    Text(String),
    Word(&'static str),
    Boolean(bool),
    Number(i64),
}

impl SortValue {
    /// The value as a text of a cursor.
    fn to_text(&self) -> String {
        match self {
            Self::Time(time) => time.timestamp_micros().to_string(),
            Self::Text(text) => text.clone(),
            Self::Word(word) => (*word).to_owned(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The order of a list. It is total: ties are ordered by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order<S> {
    /// The sort key.
    pub by: S,
    /// Largest first.
    pub descending: bool,
}

impl<S: Sort> Order<S> {
    /// Newest first.
    pub const NEWEST: Self = S::NEWEST;

    /// The position of `row` in this order.
    pub fn position(&self, row: &S::Row) -> ListPosition {
        let values = self.by.columns().iter().map(|column| column.value(row)).collect();
        ListPosition { values, id: S::id(row) }
    }

    /// The position that the texts of a cursor stand for; `None` for texts of another order.
    pub fn parse(&self, texts: &[String], id: i64) -> Option<ListPosition> {
        let columns = self.by.columns();
        let values = columns.iter().zip(texts).map(|(column, text)| column.parse(text));
        let values = values.collect::<Option<_>>().filter(|_| columns.len() == texts.len())?;
        Some(ListPosition { values, id })
    }
}

impl<S: Sort> Default for Order<S> {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl<S: Sort> std::fmt::Display for Order<S> {
    /// The word of the API, after a `-` if the order is descending.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}{}", if self.descending { "-" } else { "" }, self.by.as_str())
    }
}

/// A row's position in an order. Positions of one order compare like their rows do when ascending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListPosition {
    /// The value of each sort column.
    pub values: Vec<SortValue>,
    /// The id of the row.
    pub id: i64,
}

impl ListPosition {
    /// The values as texts of a cursor.
    pub fn texts(&self) -> Vec<String> {
        self.values.iter().map(SortValue::to_text).collect()
    }
}

#[cfg(test)]
#[allow(unreachable_pub, reason = "`choice!` declares public types")]
mod tests {
    use super::*;
    use crate::choice::choice;
    use rstest::rstest;

    choice! {
        /// The words of a row.
        Size { Small = "small", Large = "large" }
    }

    choice! {
        /// Every kind of sort column.
        RowSort { Id = "id", Name = "name", Size = "size", Done = "done", Price = "price" }
    }

    /// A row.
    #[derive(Debug)]
    pub struct Row {
        id: i64,
        name: &'static str,
        size: Size,
        done: bool,
        price: i64,
        at: DateTime<Utc>,
    }

    impl Sort for RowSort {
        type Row = Row;

        const LIST: &'static str = "rows";
        const NEWEST: Order<Self> = Order { by: Self::Id, descending: true };

        fn columns(self) -> &'static [SortColumn<Row>] {
            match self {
                Self::Id => &[],
                Self::Name => &[SortColumn::Text(|row| row.name)],
                Self::Size => &[
                    SortColumn::Word(Size::WORDS, |row| row.size.as_str()),
                    SortColumn::Time(|row| row.at),
                ],
                Self::Done => &[SortColumn::Boolean(|row| row.done)],
                Self::Price => &[SortColumn::Number(|row| row.price)],
            }
        }

        fn id(row: &Row) -> i64 {
            row.id
        }
    }

    fn row(id: i64) -> Row {
        let at = DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap();
        Row { id, name: "Đ \"1\"", size: Size::Large, done: true, price: -5, at }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    /// Cursors that were given out contain these texts.
    #[rstest]
    #[case(RowSort::Id, &[])]
    #[case(RowSort::Name, &["Đ \"1\""])]
    #[case(RowSort::Size, &["large", "1790000000000001"])]
    #[case(RowSort::Done, &["true"])]
    #[case(RowSort::Price, &["-5"])]
    fn a_position_survives_its_cursor(#[case] by: RowSort, #[case] written: &[&str]) {
        let order = Order { by, descending: false };
        let position = order.position(&row(7));
        assert_eq!((position.texts(), position.id), (texts(written), 7));
        assert_eq!(order.parse(&position.texts(), 7), Some(position));
    }

    #[rstest]
    #[case(RowSort::Id, &["7"])]
    #[case(RowSort::Name, &[])]
    #[case(RowSort::Name, &["a", "b"])]
    #[case(RowSort::Size, &["large"])]
    #[case(RowSort::Size, &["huge", "1790000000000001"])]
    #[case(RowSort::Size, &["large", "today"])]
    #[case(RowSort::Size, &["large", "9223372036854775807"])]
    #[case(RowSort::Size, &["large", "1790000000000001", "x"])]
    #[case(RowSort::Done, &["yes"])]
    #[case(RowSort::Price, &["5.0"])]
    fn texts_of_another_order_are_no_position(#[case] by: RowSort, #[case] given: &[&str]) {
        assert_eq!(Order { by, descending: true }.parse(&texts(given), 7), None);
    }

    #[test]
    fn an_order_is_written_as_in_a_query() {
        assert_eq!(Order { by: RowSort::Name, descending: false }.to_string(), "name");
        assert_eq!(Order::<RowSort>::default().to_string(), "-id");
    }

    #[test]
    fn positions_compare_by_value_and_then_by_id() {
        let position = |by: RowSort, row: &Row| Order { by, descending: false }.position(row);
        let small = Row { size: Size::Small, ..row(1) };
        // By word: "large" comes before "small".
        assert!(position(RowSort::Size, &row(7)) < position(RowSort::Size, &small));
        assert!(position(RowSort::Id, &small) < position(RowSort::Id, &row(7)));
        let dear = Row { price: 50, ..row(1) };
        assert!(position(RowSort::Price, &row(7)) < position(RowSort::Price, &dear));
        let open = Row { done: false, ..row(9) };
        assert!(position(RowSort::Done, &open) < position(RowSort::Done, &row(7)));
    }
}
