//! A strict JSON reader: refuses duplicate keys at any depth, nesting deeper than [`MAX_DEPTH`],
//! and anything after the value.

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use exit3_domain::raw::RawValue as Raw;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The deepest nesting of arrays and objects.
pub(super) const MAX_DEPTH: usize = 32;

/// The most digits of an integer, the limit of the replaced service.
const MAX_DIGITS: usize = 4300;

/// A JSON body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// An object's fields, in the order in which they were sent.
    Object(Vec<(String, Raw)>),
    /// `null`.
    Null,
    /// Any other value, by the replaced service's name for its type.
    Other(&'static str),
}

/// Parses a whole body.
///
/// # Errors
/// What is wrong with the JSON and where; never quotes the body.
pub(super) fn parse(bytes: &[u8]) -> Result<Document, serde_json::Error> {
    let whole: &RawValue = serde_json::from_slice(bytes)?;
    Ok(match read(whole.get(), 0)? {
        Node::Object(fields) => Document::Object(
            fields.into_iter().map(|(name, node)| (name, node.into_raw())).collect(),
        ),
        Node::Null => Document::Null,
        Node::List(_) => Document::Other("list"),
        Node::Text(_) => Document::Other("str"),
        Node::Bool(_) => Document::Other("bool"),
        Node::Integer(_) => Document::Other("int"),
        Node::Float(_) => Document::Other("float"),
    })
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
    fn into_raw(self) -> Raw {
        match self {
            Self::Null => Raw::Null,
            Self::Bool(value) => Raw::Bool(value),
            Self::Integer(text) | Self::Float(text) => Raw::Number(text),
            Self::Text(text) => Raw::Text(text),
            Self::List(_) | Self::Object(_) => {
                let mut shown = String::new();
                self.show(&mut shown);
                Raw::Other(shown)
            }
        }
    }

    /// Writes the value as the replaced service quotes it in "... is not a valid choice.", which is
    /// what Python's `str` returns.
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

/// Formats a float as Python does: `1.0`, `1e+16`.
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

/// Reads one value; `depth` is the depth of the value that contains it.
fn read(json: &str, depth: usize) -> Result<Node, serde_json::Error> {
    let json = json.trim_start();
    let inner = || match depth {
        MAX_DEPTH => {
            Err(serde_json::Error::custom(format_args!("nesting deeper than {MAX_DEPTH}")))
        }
        _ => Ok(depth + 1),
    };
    match json.bytes().next() {
        Some(b'{') => {
            let depth = inner()?;
            let Fields(fields) = serde_json::from_str(json)?;
            let nodes = fields.into_iter().map(|(name, raw)| Ok((name, read(raw.get(), depth)?)));
            Ok(Node::Object(nodes.collect::<Result<_, _>>()?))
        }
        Some(b'[') => {
            let depth = inner()?;
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            let nodes = items.into_iter().map(|raw| read(raw.get(), depth));
            Ok(Node::List(nodes.collect::<Result<_, _>>()?))
        }
        Some(b'"') => Ok(Node::Text(serde_json::from_str(json)?)),
        Some(b'-' | b'0'..=b'9') => number(json),
        _ => Ok(match serde_json::from_str::<Option<bool>>(json)? {
            Some(value) => Node::Bool(value),
            None => Node::Null,
        }),
    }
}

/// Keeps the digits of an integer; formats a fraction as Python does.
fn number(json: &str) -> Result<Node, serde_json::Error> {
    let text: &RawValue = serde_json::from_str(json)?;
    Ok(match text.get() {
        "-0" => Node::Integer("0".to_owned()),
        text if text.contains(['.', 'e', 'E']) => Node::Float(float(serde_json::from_str(text)?)),
        text if text.trim_start_matches('-').len() > MAX_DIGITS => {
            return Err(serde_json::Error::custom("number out of range"));
        }
        text => Node::Integer(text.to_owned()),
    })
}

/// An object's fields; their values are not parsed yet.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;

        impl<'de> Visitor<'de> for Unique {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                let mut names = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom("duplicate key"));
                    }
                    fields.push((name, map.next_value()?));
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Unique).map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn field(json: &str) -> Raw {
        match parse(format!("{{\"x\": {json}}}").as_bytes()).unwrap() {
            Document::Object(mut fields) => fields.remove(0).1,
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case("1", "1")]
    #[case("-7", "-7")]
    #[case("12345678901234567890123", "12345678901234567890123")]
    #[case(" 100 ", "100")]
    #[case("-0", "0")]
    #[case("1.0", "1.0")]
    #[case("1.50", "1.5")]
    #[case("1e22", "1e+22")]
    #[case("0.0000001", "1e-07")]
    fn numbers_keep_their_text(#[case] json: &str, #[case] text: &str) {
        assert_eq!(field(json), Raw::Number(text.into()));
    }

    #[rstest]
    #[case("[]", "[]")]
    #[case(r#"["a", 1, 1.5, null, true, {"b": []}]"#, "['a', 1, 1.5, None, True, {'b': []}]")]
    #[case(r#"["it's", "\n", "\u0001"]"#, r#"["it's", '\n', '\x01']"#)]
    fn lists_and_objects_are_shown_as_the_replaced_service_does(
        #[case] json: &str,
        #[case] shown: &str,
    ) {
        assert_eq!(field(json), Raw::Other(shown.into()));
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
    #[case(b"")]
    #[case(b"{\"a\": 1e999}")]
    #[case(b"{\"a\": 01}")]
    #[case(b"{\"a\": nul}")]
    #[case(b"{\"a\": [1,]}")]
    #[case(b"\xef\xbb\xbf{}")]
    fn refuses(#[case] bytes: &[u8]) {
        assert!(parse(bytes).is_err());
    }

    #[test]
    fn digits_of_an_integer_are_limited() {
        for sign in ["", "-"] {
            let digits = |count: usize| format!("{sign}{}", "9".repeat(count));
            assert_eq!(field(&digits(MAX_DIGITS)), Raw::Number(digits(MAX_DIGITS)));
            assert!(parse(format!("[{}]", digits(MAX_DIGITS + 1)).as_bytes()).is_err());
        }
    }

    #[test]
    fn nesting_is_limited() {
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
