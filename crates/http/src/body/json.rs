//! JSON bodies, read strictly: no duplicate keys at any depth, no nesting
//! deeper than [`MAX_DEPTH`], nothing after the value.

use std::fmt::{self, Write as _};

use exit3_domain::raw::RawValue;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of lists and objects.
pub(super) const MAX_DEPTH: usize = 32;

/// A JSON body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// An object: its fields, in the order in which they were sent.
    Object(Vec<(String, RawValue)>),
    /// `null`.
    Null,
    /// Anything else, by the name that the replaced service gives its type.
    Other(&'static str),
}

/// Reads a whole body.
///
/// # Errors
/// What is wrong with the JSON and where; never a piece of it.
pub(super) fn parse(bytes: &[u8]) -> Result<Document, serde_json::Error> {
    serde_json::from_slice(bytes)
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value { depth: 0 }.deserialize(deserializer)?;
        Ok(match value {
            Node::Object(fields) => Self::Object(
                fields.into_iter().map(|(name, node)| (name, node.into_raw())).collect(),
            ),
            Node::Null => Self::Null,
            Node::List(_) => Self::Other("list"),
            Node::Text(_) => Self::Other("str"),
            Node::Bool(_) => Self::Other("bool"),
            Node::Integer(_) => Self::Other("int"),
            Node::Float(_) => Self::Other("float"),
        })
    }
}

enum Node {
    Null,
    Bool(bool),
    Integer(String),
    Float(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    fn into_raw(self) -> RawValue {
        match self {
            Self::Null => RawValue::Null,
            Self::Bool(value) => RawValue::Bool(value),
            Self::Integer(text) | Self::Float(text) => RawValue::Number(text),
            Self::Text(text) => RawValue::Text(text),
            Self::List(_) | Self::Object(_) => {
                let mut shown = String::new();
                self.show(&mut shown);
                RawValue::Other(shown)
            }
        }
    }

    /// Writes the value as the replaced service quotes it in "... is not a
    /// valid choice.": as Python's `str` does.
    fn show(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("None"),
            Self::Bool(true) => out.push_str("True"),
            Self::Bool(false) => out.push_str("False"),
            Self::Integer(text) | Self::Float(text) => out.push_str(text),
            Self::Text(text) => quote(text, out),
            Self::List(nodes) => {
                out.push('[');
                for (index, node) in nodes.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    node.show(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (name, node)) in fields.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    quote(name, out);
                    out.push_str(": ");
                    node.show(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(mark);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(mark);
}

/// A float as Python writes it: `1.0`, `1e+16`.
fn float(value: f64) -> String {
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            match exponent.strip_prefix('-') {
                Some(exponent) => format!("{digits}e-{exponent:0>2}"),
                None => format!("{digits}e+{exponent:0>2}"),
            }
        }
        None => text,
    }
}

#[derive(Clone, Copy)]
struct Value {
    depth: usize,
}

impl Value {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nesting deeper than {MAX_DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Integer(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let inner = self.deeper()?;
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(inner)? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let inner = self.deeper()?;
        let mut fields: Vec<(String, Node)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("duplicate key"));
            }
            fields.push((name, map.next_value_seed(inner)?));
        }
        Ok(Node::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn field(json: &str) -> RawValue {
        match parse(format!("{{\"x\": {json}}}").as_bytes()).unwrap() {
            Document::Object(mut fields) => fields.remove(0).1,
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case("1", "1")]
    #[case("-7", "-7")]
    #[case("1.0", "1.0")]
    #[case("1.50", "1.5")]
    #[case("1e22", "1e+22")]
    #[case("0.0000001", "1e-07")]
    fn numbers_keep_their_text(#[case] json: &str, #[case] text: &str) {
        assert_eq!(field(json), RawValue::Number(text.into()));
    }

    #[rstest]
    #[case("[]", "[]")]
    #[case(r#"["a", 1, 1.5, null, true, {"b": []}]"#, "['a', 1, 1.5, None, True, {'b': []}]")]
    #[case(r#"["it's", "\n", "\u0001"]"#, r#"["it's", '\n', '\x01']"#)]
    fn lists_and_objects_are_shown_as_the_replaced_service_does(
        #[case] json: &str,
        #[case] shown: &str,
    ) {
        assert_eq!(field(json), RawValue::Other(shown.into()));
    }

    #[rstest]
    #[case(b"{bad")]
    #[case(b"{} x")]
    #[case(b"{\"a\": 1, \"a\": 2}")]
    #[case(b"{\"a\": {\"b\": 1, \"b\": 1}}")]
    #[case(b"{\"a\": \"\\ud800\"}")]
    #[case(b"{\"a\": \"\xff\"}")]
    #[case(b"{\"a\": NaN}")]
    #[case(b" ")]
    fn refuses(#[case] bytes: &[u8]) {
        assert!(parse(bytes).is_err());
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(parse(nested(MAX_DEPTH).as_bytes()).unwrap(), Document::Other("list"));
        assert!(parse(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(parse(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn errors_do_not_quote_the_body() {
        let error = parse(b"{\"ana@acme.hr\": 1, \"ana@acme.hr\": 2}").unwrap_err();
        assert!(!error.to_string().contains("ana"));
    }
}
