//! Reads `.env` as the replaced service does.
//!
//! The usual crate substitutes `$name` inside values and refuses spaces in
//! unquoted ones. A secret of today's `.env` may hold either, and must come out
//! as it went in.

use std::collections::HashMap;

/// The variables of the text of a `.env` file.
///
/// # Errors
/// The number of the first line that is neither blank, a comment nor
/// `NAME=value`. Its content may be a secret and is not told.
pub(crate) fn parse(text: &str) -> Result<HashMap<String, String>, usize> {
    let mut variables = HashMap::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(number + 1)?;
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(number + 1);
        }
        variables.insert(name.to_owned(), value_of(value.trim()));
    }
    Ok(variables)
}

fn value_of(text: &str) -> String {
    for mark in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(mark)
            && let Some(end) = closing(quoted, mark)
        {
            let inner: String = quoted.chars().take(end).collect();
            return if mark == '"' { unescape(&inner) } else { inner };
        }
    }
    // A comment needs a space before it: a `#` may be part of a secret.
    match text.find(" #") {
        Some(comment) => text.get(..comment).unwrap_or(text).trim_end().to_owned(),
        None => text.to_owned(),
    }
}

/// How many characters lie before the closing quote.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (index, c) in text.chars().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' if mark == '"' => escaped = true,
            c if c == mark => return Some(index),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            c => plain.push(c),
        }
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
        assert_eq!(value("export X=1"), "1");
        assert_eq!(value("X="), "");
        assert_eq!(value("X='open"), "'open");
    }

    #[test]
    fn skips_blank_lines_and_comments() {
        assert_eq!(parse("\n# X=1\n  \n").unwrap().len(), 0);
    }

    #[test]
    fn tells_the_line_that_it_does_not_understand() {
        assert_eq!(parse("A=1\nnonsense\n"), Err(2));
        assert_eq!(parse("A B=1"), Err(1));
    }
}
