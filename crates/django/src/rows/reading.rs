use std::collections::HashMap;

use exit3_domain::clients::Money;
use exit3_domain::email;
use exit3_domain::validation::Invalid;
use exit3_ports::{ForeignRow, ForeignTable, Row, Shape, Value};
use serde_json::{Map, Value as Json};

use super::value::{self, Fit};
use crate::report::{Remark, What};

/// A row of the Django service, converted.
pub(crate) struct Arrival {
    /// The row, in the column order of its shape.
    pub(crate) row: Row,
    /// The original values that could not be kept, as a JSON object; empty if there are none.
    pub(crate) original: String,
    pub(crate) remarks: Vec<Remark>,
}

/// Converts one row, column by column. Columns that are not read become NULL.
pub(crate) struct Reading<'a> {
    table: &'static ForeignTable,
    row: &'a ForeignRow,
    id: i64,
    values: HashMap<&'static str, Value>,
    original: Map<String, Json>,
    remarks: Vec<Remark>,
}

impl<'a> Reading<'a> {
    /// `None` if the row has no id.
    pub(crate) fn of(table: &'static ForeignTable, row: &'a ForeignRow) -> Option<Self> {
        let id = row.first()?.as_deref()?.parse().ok()?;
        let values = HashMap::from([("id", Value::Integer(id))]);
        Some(Self { table, row, id, values, original: Map::new(), remarks: Vec::new() })
    }

    /// Returns the row with the columns of `shape`.
    pub(crate) fn finish(mut self, shape: &Shape) -> Arrival {
        let mut value = |name| self.values.remove(name).unwrap_or(Value::Null);
        let row = shape.columns.iter().map(|column| value(column.name)).collect();
        let original = if self.original.is_empty() {
            String::new()
        } else {
            Json::Object(self.original).to_string()
        };
        Arrival { row, original, remarks: self.remarks }
    }

    /// The source's value of a column.
    pub(crate) fn given(&self, column: &str) -> Option<&'a str> {
        let at = self.table.columns.iter().position(|name| *name == column)?;
        self.row.get(at)?.as_deref()
    }

    /// Whether the source has such a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.table.columns.contains(&column)
    }

    /// Reads a text of at most `most` characters; NULL becomes empty.
    pub(crate) fn text(&mut self, column: &'static str, most: usize) {
        match self.given(column) {
            Some(text) => self.keep(column, column, value::text(text, most)),
            // Not listed: nobody misses a value here.
            None => drop(self.values.insert(column, Value::Text(String::new()))),
        }
    }

    /// Reads a text of at most `most` characters, or NULL.
    pub(crate) fn optional_text(&mut self, column: &'static str, most: usize) {
        if let Some(text) = self.given(column) {
            self.keep(column, column, value::text(text, most));
        }
    }

    /// Reads an e-mail address and stores its canonical form.
    pub(crate) fn address(&mut self, column: &'static str, most: usize) {
        let text = self.given(column).unwrap_or_default();
        let mut fit = value::text(&email::canonical(text), most);
        if matches!(&fit.value, Value::Text(kept) if kept != text) {
            fit.altered = true;
        }
        self.keep(column, column, fit);
    }

    /// Reads one of the known words; an unknown one becomes `otherwise`.
    pub(crate) fn choice<T>(
        &mut self,
        column: &'static str,
        from_word: fn(&str) -> Option<T>,
        otherwise: &str,
    ) {
        let word = self.given(column).filter(|word| from_word(word).is_some());
        let text = Value::Text(word.unwrap_or(otherwise).to_owned());
        self.keep(column, column, Fit { value: text, altered: word.is_none() });
    }

    /// Reads a time.
    pub(crate) fn time(&mut self, column: &'static str) {
        self.keep(column, column, value::time(self.given(column)));
    }

    /// Reads a boolean.
    pub(crate) fn boolean(&mut self, column: &'static str) {
        self.keep(column, column, value::boolean(self.given(column)));
    }

    /// Reads an amount of money, or NULL. Negative amounts are kept and listed.
    pub(crate) fn charge(&mut self, column: &'static str) {
        let Some(text) = self.given(column) else { return };
        let fit = value::money(text);
        if matches!(fit.value, Value::Integer(sum) if sum < 0) {
            self.remark(column, What::Refused("a charge cannot be negative".to_owned()));
        }
        let told = match fit.value {
            Value::Integer(sum) => Money::kept(sum).map(|sum| sum.to_string()),
            _ => None,
        };
        self.keep_told(column, column, fit, told);
    }

    /// Reads a password hash. A hash that is too long never matched a password, and still does not.
    pub(crate) fn password(&mut self, column: &'static str) {
        let hash = self.given(column).unwrap_or_default();
        let fit = value::text(hash, 255);
        if fit.altered || !hash.starts_with("pbkdf2_sha256$") {
            self.remark(column, What::UnusablePassword);
        }
        let none = Value::Text("!".to_owned());
        self.values.insert(column, if fit.altered { none } else { fit.value });
    }

    /// Reads the id of another row, or NULL.
    pub(crate) fn reference(&mut self, column: &'static str, to: &'static str) {
        let Some(text) = self.given(column) else { return };
        let value = text.parse().map_or(Value::Null, Value::Integer);
        let altered = value == Value::Null;
        self.keep(column, to, Fit { value, altered });
    }

    /// Lists the current rules that the row breaks, except for columns that were altered anyway.
    pub(crate) fn refused(&mut self, invalid: Option<Invalid>) {
        let Some(invalid) = invalid else { return };
        for (field, violations) in invalid.fields() {
            // An error that belongs to no column is listed for the whole row.
            let column = self.table.columns.iter().find(|name| **name == field).copied();
            let column = column.unwrap_or_default();
            if self.original.contains_key(column) {
                continue;
            }
            for violation in violations {
                self.remark(column, What::Refused(violation.message.clone().into_owned()));
            }
        }
        for violation in invalid.of_the_whole() {
            self.remark("", What::Refused(violation.message.clone().into_owned()));
        }
    }

    pub(crate) fn remark(&mut self, column: &'static str, what: What) {
        self.remarks.push(Remark { table: self.table.name, id: self.id, column, what });
    }

    fn keep(&mut self, column: &'static str, to: &'static str, fit: Fit) {
        let told = value::told(&fit.value);
        self.keep_told(column, to, fit, told);
    }

    fn keep_told(
        &mut self,
        column: &'static str,
        to: &'static str,
        fit: Fit,
        told: Option<String>,
    ) {
        if fit.altered {
            let from = self.given(column).map(str::to_owned);
            self.original.insert(column.to_owned(), Json::from(from.clone()));
            self.remark(column, What::Altered { from, to: told });
        }
        self.values.insert(to, fit.value);
    }
}
