//! The canonical form of rows: whatever database a row comes from, its bytes are the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exit3_ports::{Kind, Row, Shape, Value};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::error::ArchiveError;
use crate::record::TableSum;

/// Appends the line of a row: an array of JSON without blanks, times in microseconds
/// since 1970, bytes in base64.
///
/// # Errors
/// None in practice: memory takes every line.
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

/// Reads the line of a row.
pub(crate) fn decode(line: &[u8], shape: &Shape) -> Result<Row, ArchiveError> {
    let wrong = || ArchiveError::damaged(format!("a row of {} is not one", shape.table.name));
    let row: Vec<Json> = serde_json::from_slice(line).map_err(|_| wrong())?;
    if row.len() != shape.columns.len() {
        return Err(wrong());
    }
    let values = row.into_iter().zip(&shape.columns);
    values.map(|(value, column)| value_of(value, column.kind).ok_or_else(wrong)).collect()
}

fn value_of(value: Json, kind: Kind) -> Option<Value> {
    Some(match (kind, value) {
        (_, Json::Null) => Value::Null,
        (Kind::Integer, Json::Number(number)) => Value::Integer(number.as_i64()?),
        (Kind::Time, Json::Number(number)) => Value::Time(number.as_i64()?),
        (Kind::Boolean, Json::Bool(truth)) => Value::Boolean(truth),
        (Kind::Text, Json::String(text)) => Value::Text(text),
        (Kind::Bytes, Json::String(text)) => Value::Bytes(STANDARD.decode(text).ok()?),
        _ => return None,
    })
}

/// Sums the rows of a table up.
#[derive(Default)]
pub struct Summing {
    rows: u64,
    hash: Sha256,
}

impl Summing {
    /// Adds the line of a row.
    pub fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.hash.update(line);
    }

    /// The sum, under the name of the table.
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
        fn a_row_is_one_line_and_comes_back_as_it_was((shape, row) in shape_and_row()) {
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
