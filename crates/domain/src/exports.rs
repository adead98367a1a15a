//! Exports: what a CSV file of a list contains, and how it is written.

pub mod cell;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;

use csv::{QuoteStyle, Terminator, WriterBuilder};

use crate::choice::choice;
use crate::staff::StaffId;

/// The names of accounts, for columns that tell who owns something.
pub type Usernames = HashMap<StaffId, String>;

/// A column of a file.
#[derive(Debug)]
pub struct Column<R> {
    /// The name, as in the API.
    pub name: &'static str,
    text: for<'a> fn(&'a R, &'a Usernames) -> Cow<'a, str>,
}

impl<R> Column<R> {
    /// A column with this name and this text of each row.
    pub const fn new(
        name: &'static str,
        text: for<'a> fn(&'a R, &'a Usernames) -> Cow<'a, str>,
    ) -> Self {
        Self { name, text }
    }
}

choice! {
    /// What separates the cells of a row.
    Separator {
        Comma = "comma",
        /// What spreadsheets expect in countries where numbers have a decimal comma.
        Semicolon = "semicolon",
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// What separates the cells of a row.
    pub separator: Separator,
    /// Whether the file begins with a byte order mark, by which Excel recognises UTF-8.
    pub has_mark: bool,
}

const MARK: &[u8] = "\u{feff}".as_bytes();

/// A CSV file that is written piece by piece: RFC 4180, in UTF-8, with every cell between quotes.
#[derive(Debug)]
pub struct Sheet<R: 'static> {
    columns: Vec<&'static Column<R>>,
    format: Format,
}

impl<R> Sheet<R> {
    /// A file with those of the columns `all` that are wanted; `None` if none is.
    pub fn of(
        all: &'static [Column<R>],
        is_wanted: impl Fn(&str) -> bool,
        format: Format,
    ) -> Option<Self> {
        let columns: Vec<_> = all.iter().filter(|column| is_wanted(column.name)).collect();
        (!columns.is_empty()).then_some(Self { columns, format })
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.name)
    }

    /// The beginning of the file: the names of the columns.
    ///
    /// # Errors
    /// None, as long as memory suffices.
    pub fn head(&self) -> io::Result<Vec<u8>> {
        let mut bytes = if self.format.has_mark { MARK.to_vec() } else { Vec::new() };
        let names: Vec<_> = self.columns().map(Cow::Borrowed).collect();
        self.write(&mut bytes, [names])?;
        Ok(bytes)
    }

    /// Adds rows to a piece of the file.
    ///
    /// # Errors
    /// None, as long as memory suffices.
    pub fn add(&self, piece: &mut Vec<u8>, rows: &[R], usernames: &Usernames) -> io::Result<()> {
        let cells = |row| self.columns.iter().map(|column| (column.text)(row, usernames)).collect();
        self.write(piece, rows.iter().map(cells))
    }

    fn write<'a>(
        &self,
        piece: &mut Vec<u8>,
        rows: impl IntoIterator<Item = Vec<Cow<'a, str>>>,
    ) -> io::Result<()> {
        let delimiter = match self.format.separator {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
        };
        let mut writer = WriterBuilder::new()
            .delimiter(delimiter)
            .quote_style(QuoteStyle::Always)
            .terminator(Terminator::CRLF)
            .from_writer(piece);
        for row in rows {
            for text in row {
                writer.write_field(cell::write(&text).as_bytes())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Pair = (String, String);

    const COLUMNS: &[Column<Pair>] = &[
        Column::new("first", |(first, _), _| first.into()),
        Column::new("second", |(_, second), _| second.into()),
    ];

    fn file(rows: &[Pair], only: &str, separator: Separator, has_mark: bool) -> Vec<u8> {
        let format = Format { separator, has_mark };
        let sheet = Sheet::of(COLUMNS, |name| name.contains(only), format).unwrap();
        let mut file = sheet.head().unwrap();
        // Row by row, as an export writes page by page.
        for row in rows {
            sheet.add(&mut file, std::slice::from_ref(row), &Usernames::new()).unwrap();
        }
        file
    }

    fn pair(first: &str, second: &str) -> Pair {
        (first.to_owned(), second.to_owned())
    }

    #[test]
    fn every_cell_is_between_quotes() {
        let rows = [pair("Ana \"A\" Horvat", "+385 91"), pair("a;b\r\nc", "")];
        let text = String::from_utf8(file(&rows, "", Separator::Semicolon, true)).unwrap();
        let expected = "\u{feff}\"first\";\"second\"\r\n\"Ana \"\"A\"\" Horvat\";\"\t+385 91\"\r\n\
                        \"a;b\r\nc\";\"\"\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_file_has_the_wanted_columns() {
        let text = String::from_utf8(file(&[pair("a", "b")], "second", Separator::Comma, false));
        assert_eq!(text.unwrap(), "\"second\"\r\n\"b\"\r\n");
        let format = Format { separator: Separator::Comma, has_mark: false };
        assert!(Sheet::of(COLUMNS, |name| name == "third", format).is_none());
    }

    fn texts() -> impl Strategy<Value = Vec<Pair>> {
        let text = "[=+\\-@\t\r\n\",;]{0,4}|(?s:.{0,8})|\u{1f600}?\0?";
        vec((text, text), 0..4)
    }

    proptest! {
        #[test]
        fn every_file_is_read_back(
            rows in texts(),
            is_comma: bool,
            has_mark: bool,
        ) {
            let separator = if is_comma { Separator::Comma } else { Separator::Semicolon };
            let file = file(&rows, "", separator, has_mark);
            let mut reader = csv::ReaderBuilder::new();
            let reader = reader.delimiter(if is_comma { b',' } else { b';' });
            let file = file.strip_prefix(MARK).unwrap_or(&file);
            let mut reader = reader.from_reader(file);
            let found: Vec<Pair> = reader
                .records()
                .map(|record| record.unwrap())
                .map(|record| pair(cell::read(&record[0]), cell::read(&record[1])))
                .collect();
            prop_assert_eq!(found, rows);
            prop_assert_eq!(reader.headers().unwrap(), &vec!["first", "second"]);
        }
    }
}
