//! Reads `.env` as the replaced service does.
//!
//! The usual crate substitutes `$name` inside values and refuses spaces in
//! unquoted ones. A secret of today's `.env` may hold either, and must come out
//! as it went in.

use std::collections::HashMap;

/// The number of a line that cannot be read, and why. Its content may be a secret and is
/// not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DotenvError {
    #[error("line {0} is not NAME=value")]
    NoVariable(usize),
    #[error("line {0} goes on after the closing quote")]
    AfterQuote(usize),
}

/// The variables of the text of a `.env` file.
///
/// # Errors
/// [`DotenvError`] of the first line that is neither blank, a comment nor `NAME=value`.
pub(crate) fn parse(text: &str) -> Result<HashMap<String, String>, DotenvError> {
    let mut variables = HashMap::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = number + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let exported = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let line = exported.unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(DotenvError::NoVariable(number))?;
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(DotenvError::NoVariable(number));
        }
        let value = value_of(value.trim()).ok_or(DotenvError::AfterQuote(number))?;
        variables.insert(name.to_owned(), value);
    }
    Ok(variables)
}

/// None where something but a comment follows a closing quote.
fn value_of(text: &str) -> Option<String> {
    for mark in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(mark)
            && let Some((inner, rest)) =
                closing(quoted, mark).and_then(|at| quoted.split_at_checked(at))
        {
            let rest = rest.strip_prefix(mark)?.trim_start();
            let is_whole = rest.is_empty() || rest.starts_with('#');
            let value = if mark == '"' { unescape(inner) } else { inner.to_owned() };
            return is_whole.then_some(value);
        }
    }
    // A comment needs white space before it: a `#` may be part of a secret.
    let comment = text.match_indices('#').map(|(at, _)| text.get(..at).unwrap_or_default());
    let mut before = comment.filter(|before| before.ends_with(char::is_whitespace));
    Some(before.next().unwrap_or(text).trim_end().to_owned())
}

/// Where the closing quote is.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if mark == '"' => escaped = true,
            c if c == mark => return Some(at),
            _ => {}
        }
    }
    None
}

/// A backslash stands for itself, but before a quote or another one. Python's readers do
/// not agree about letters after it.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = chars.next_if(|next| c == '\\' && matches!(next, '"' | '\\'));
        plain.push(escaped.unwrap_or(c));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> String {
        parse(line).unwrap().remove("X").unwrap()
    }

    #[test]
    fn values_come_out_as_they_went_in() {
        assert_eq!(value("X=a$b#c(d)&e!f"), "a$b#c(d)&e!f");
        assert_eq!(value("X=two words"), "two words");
        assert_eq!(value("X = spaced # a comment"), "spaced");
        assert_eq!(value("X='single $a #b'"), "single $a #b");
        assert_eq!(value("X=\"double \\\"quoted\\\"\" # a comment"), "double \"quoted\"");
        assert_eq!(value(r#"X="pa\ss\\word\n""#), r"pa\ss\word\n");
        assert_eq!(value("X='one'# a comment"), "one");
        assert_eq!(value("X=8000\t# a comment # of two"), "8000");
        assert_eq!(value("export X=1"), "1");
        assert_eq!(value("export\tX=1"), "1");
        assert_eq!(parse("exported=1").unwrap()["exported"], "1");
        assert_eq!(value("X="), "");
        assert_eq!(value("X='open"), "'open");
    }

    #[test]
    fn skips_blank_lines_and_comments() {
        assert_eq!(parse("\n# X=1\n  \n").unwrap().len(), 0);
    }

    #[test]
    fn tells_the_line_that_it_does_not_understand() {
        assert_eq!(parse("A=1\nnonsense\n"), Err(DotenvError::NoVariable(2)));
        assert_eq!(parse("A B=1"), Err(DotenvError::NoVariable(1)));
        for line in ["X=\"8000\"x", "X='a'b'", "X=\"a\" b # c"] {
            assert_eq!(parse(line), Err(DotenvError::AfterQuote(1)), "{line}");
        }
    }
}
