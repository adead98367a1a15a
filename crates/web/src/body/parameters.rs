//! Header values with parameters, for example `form-data; name="full_name"`.

use percent_encoding::percent_decode_str;

/// A parsed header value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    /// The word before the parameters, in lower case.
    pub(super) essence: String,
    named: Vec<(String, String)>,
}

/// A parameter is given twice, with different values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous;

impl Parameters {
    /// Parses a header value. Pieces that are not parameters are skipped.
    pub(super) fn of(header: &str) -> Self {
        let mut pieces = split(header).into_iter();
        let essence = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
        let named = pieces.filter_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match name.strip_suffix('*') {
                Some(name) => Some((name.to_owned(), extended(value)?)),
                None => Some((name, unquoted(value))),
            }
        });
        Self { essence, named: named.collect() }
    }

    /// The value of a parameter. `name` is in lower case.
    ///
    /// # Errors
    /// [`Ambiguous`].
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, Ambiguous> {
        let mut values = self.all(name);
        let first = values.next();
        if values.any(|other| Some(other) != first) {
            return Err(Ambiguous);
        }
        Ok(first)
    }

    /// All values of a parameter. `name` is in lower case.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.named.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// Splits at semicolons outside of quotes.
fn split(header: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    header
        .split(|c| {
            let ends = c == ';' && !quoted;
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && quoted && !escaped;
            ends
        })
        .collect()
}

/// Removes quotes and escapes. A backslash before anything but a quote or a backslash is kept,
/// because file names contain them.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(c) = characters.next() {
        let escaped = characters.next_if(|next| c == '\\' && matches!(next, '\\' | '"'));
        text.push(escaped.unwrap_or(c));
    }
    text
}

/// Decodes an RFC 5987 value such as `UTF-8''na%C3%AFve`; `None` if it is malformed.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, text) = rest.split_once('\'')?;
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    let text = super::charset::decode(&bytes, Some(charset)).ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("form-data; name=full_name", Some("full_name"))]
    #[case("Form-Data ;NAME = \"full_name\" ; x", Some("full_name"))]
    #[case("form-data; name=\"a;b\"", Some("a;b"))]
    #[case("form-data; name=\"a\\\"b;\\\\c\"", Some("a\"b;\\c"))]
    #[case("form-data; name=\"C:\\temp\"", Some("C:\\temp"))]
    #[case("form-data; name*=UTF-8''%C5%A0ari%C4%87", Some("\u{160}ari\u{107}"))]
    #[case("form-data; name*=iso-8859-1'de'M%FCller", Some("M\u{fc}ller"))]
    #[case("form-data; name*=UTF-8''%ff", None)]
    #[case("form-data; name=a; name=a", Some("a"))]
    #[case("form-data; name=a; name*=UTF-8''a", Some("a"))]
    #[case("form-data; filename=x", None)]
    #[case("form-data", None)]
    #[case("", None)]
    fn reads_a_parameter(#[case] header: &str, #[case] name: Option<&str>) {
        assert_eq!(Parameters::of(header).get("name"), Ok(name));
    }

    #[rstest]
    #[case("form-data; name=a; name=b")]
    #[case("form-data; name=a; NAME*=UTF-8''b")]
    fn two_values_are_ambiguous(#[case] header: &str) {
        assert_eq!(Parameters::of(header).get("name"), Err(Ambiguous));
    }
}
