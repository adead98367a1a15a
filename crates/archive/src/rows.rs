//! The canonical form of rows: the same bytes for the same row, from any database.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exit3_ports::{Column, Kind, Row, Shape, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use sha2::{Digest, Sha256};

use crate::error::ArchiveError;
use crate::record::TableSum;

/// Appends a row's line: a JSON array without blanks, with times as microseconds since 1970 and
/// bytes in base64.
///
/// # Errors
/// None in practice, because a `Vec` accepts every line.
pub fn encode(row: &[Value], out: &mut Vec<u8>) -> Result<(), ArchiveError> {
    for (at, value) in row.iter().enumerate() {
        out.push(if at == 0 { b'[' } else { b',' });
        match value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Integer(number) | Value::Time(number) => {
                out.extend_from_slice(number.to_string().as_bytes());
            }
            Value::Boolean(truth) => out.extend_from_slice(truth.to_string().as_bytes()),
            Value::Text(text) => {
                serde_json::to_writer(&mut *out, text).map_err(std::io::Error::from)?;
            }
            Value::Bytes(bytes) => {
                out.push(b'"');
                out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
                out.push(b'"');
            }
        }
    }
    out.extend_from_slice(b"]\n");
    Ok(())
}

/// Parses a row's line. It reads one value for each column and stops there, because a line of
/// millions of values would take fifty times its length in memory.
pub(crate) fn decode(line: &[u8], shape: &Shape) -> Result<Row, ArchiveError> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let row = json.deserialize_seq(Cells(&shape.columns));
    // serde_json's message may quote the row.
    row.and_then(|row| json.end().map(|()| row)).map_err(|error| {
        let (name, at) = (shape.table.name, error.column());
        ArchiveError::damaged(format!("a row of {name} is malformed at its byte {at}"))
    })
}

/// Reads the values of these columns.
struct Cells<'a>(&'a [&'static Column]);

impl<'de> Visitor<'de> for Cells<'_> {
    type Value = Row;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} values", self.0.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Row, A::Error> {
        let mut row = Vec::with_capacity(self.0.len());
        for column in self.0 {
            let value = values.next_element_seed(Cell(column.kind))?;
            row.push(value.ok_or_else(|| Error::invalid_length(row.len(), &self))?);
        }
        // The caller reports a surplus value.
        Ok(row)
    }
}

/// Reads a value of this kind.
struct Cell(Kind);

impl<'de> DeserializeSeed<'de> for Cell {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} or null", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        match self.0 {
            Kind::Boolean => Ok(Value::Boolean(truth)),
            _ => Err(E::invalid_type(Unexpected::Bool(truth), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        match self.0 {
            Kind::Integer => Ok(Value::Integer(number)),
            Kind::Time => Ok(Value::Time(number)),
            _ => Err(E::invalid_type(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        self.visit_i64(number.try_into().map_err(E::custom)?)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        match self.0 {
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Bytes => STANDARD.decode(text).map(Value::Bytes).map_err(E::custom),
            _ => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }
}

/// Counts and hashes the rows of a table.
#[derive(Default)]
pub struct Summing {
    rows: u64,
    hash: Sha256,
}

impl Summing {
    /// Adds a row's line.
    pub fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.hash.update(line);
    }

    /// The sum for the table `name`.
    pub fn sum(self, name: &str) -> TableSum {
        let sha256 = hex::encode(self.hash.finalize());
        TableSum { name: name.to_owned(), rows: self.rows, sha256 }
    }
}

#[cfg(test)]
mod tests {
    use exit3_ports::TABLES;
    use proptest::prelude::*;

    use super::*;

    fn value(kind: Kind) -> BoxedStrategy<Value> {
        let some = match kind {
            Kind::Integer => any::<i64>().prop_map(Value::Integer).boxed(),
            Kind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
            Kind::Text => any::<String>().prop_map(Value::Text).boxed(),
            Kind::Time => any::<i64>().prop_map(Value::Time).boxed(),
            Kind::Bytes => any::<Vec<u8>>().prop_map(Value::Bytes).boxed(),
        };
        prop_oneof![1 => Just(Value::Null), 4 => some].boxed()
    }

    fn shape_and_row() -> impl Strategy<Value = (Shape, Row)> {
        (0..TABLES.len()).prop_flat_map(|at| {
            let shape = Shape::of(&TABLES[at], |_| true).unwrap();
            let values: Vec<_> = shape.columns.iter().map(|column| value(column.kind)).collect();
            (Just(shape), values)
        })
    }

    proptest! {
        #[test]
        fn a_row_survives_encoding_as_one_line((shape, row) in shape_and_row()) {
            let mut line = Vec::new();
            encode(&row, &mut line).unwrap();
            prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
            prop_assert_eq!(decode(&line, &shape).unwrap(), row);
        }
    }

    #[test]
    fn the_form_is_fixed() {
        let row = [
            Value::Integer(-1),
            Value::Null,
            Value::Text("č\n\"".to_owned()),
            Value::Boolean(true),
            Value::Time(1),
            Value::Bytes(vec![0, 255]),
        ];
        let mut line = Vec::new();
        encode(&row, &mut line).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), "[-1,null,\"č\\n\\\"\",true,1,\"AP8=\"]\n");
    }
}
