//! Parses `.env` files as the replaced service does.
//!
//! The usual crate substitutes `$name` inside of values and refuses spaces in unquoted ones.
//! Secrets in existing `.env` files may contain both, and must be read unchanged.

use std::collections::HashMap;

/// The contents of a `.env` file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dotenv {
    /// The variables. If a name is repeated, the last value counts.
    pub(crate) variables: HashMap<String, String>,
    /// The lines that are malformed.
    pub(crate) oddities: Vec<Oddity>,
}

/// A malformed line. The message omits its value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {problem}")]
pub(crate) struct Oddity {
    /// The line number, starting at 1.
    pub(crate) line: usize,
    /// The variable's name, if there is one.
    pub(crate) name: Option<String>,
    pub(crate) problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("is not NAME=value")]
    NoVariable,
    #[error("goes on after the closing quote")]
    AfterQuote,
    #[error("has an opening quote that no line closes")]
    OpenQuote,
}

/// Parses the text of a `.env` file. A quoted value may span several lines.
pub(crate) fn parse(text: &str) -> Dotenv {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let mut rest = text.as_str();
    let mut number = 0;
    let mut found = Dotenv::default();
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        number += 1;
        let at = number;
        let mut odd = |name: Option<&str>, problem| {
            found.oddities.push(Oddity { line: at, name: name.map(str::to_owned), problem });
        };
        let from = rest;
        rest = after;
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let Some((name, start)) = name_of(from, line) else {
            odd(None, Problem::NoVariable);
            continue;
        };
        match value_of(start) {
            Value::Whole { value, rest: after } => {
                let lines = start.len().saturating_sub(after.len());
                number += start.get(..lines).unwrap_or_default().matches('\n').count();
                // The last line of the value ends at the next line break.
                rest = after.split_once('\n').map_or("", |(_, after)| after);
                found.variables.insert(name.to_owned(), value);
            }
            Value::Open(value) => {
                odd(Some(name), Problem::OpenQuote);
                found.variables.insert(name.to_owned(), value);
            }
            Value::Broken => odd(Some(name), Problem::AfterQuote),
        }
    }
    found
}

/// The name at the start of `line`, and the rest of `text` from the value on.
fn name_of<'a>(text: &'a str, line: &'a str) -> Option<(&'a str, &'a str)> {
    let (before, _) = line.split_once('=')?;
    let start = text.get(before.len() + 1..)?;
    let before = before.trim();
    let exported = before.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let name = exported.unwrap_or(before).trim();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((name, start))
}

enum Value<'a> {
    /// The value is complete; `rest` is the text after it.
    Whole { value: String, rest: &'a str },
    /// The quote is not closed, so it is part of the value.
    Open(String),
    /// Text other than a comment follows the closing quote.
    Broken,
}

/// Parses the value at the start of `text`.
fn value_of(text: &str) -> Value<'_> {
    let line = text.split('\n').next().unwrap_or_default();
    let blanks = line.len() - line.trim_start().len();
    let (line, text) = (line.trim(), text.get(blanks..).unwrap_or_default());
    let Some(mark) = line.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        return Value::Whole { value: unquoted(line).to_owned(), rest: text };
    };
    let quoted = text.get(1..).unwrap_or_default();
    let plain = |inner: &str| if mark == '"' { unescape(inner) } else { inner.to_owned() };
    let end = closing(quoted, mark).and_then(|at| quoted.split_at_checked(at));
    if let Some((inner, after)) = end {
        let after = after.get(1..).unwrap_or_default();
        let behind = after.split('\n').next().unwrap_or_default().trim();
        if behind.is_empty() || behind.starts_with('#') {
            return Value::Whole { value: plain(inner), rest: after };
        }
        let within_line = !inner.contains('\n');
        // Python's readers take the last quote of a line for the closing one.
        let last = line.get(1..).and_then(|line| line.strip_suffix(mark));
        if let Some(inner) = last.filter(|_| within_line) {
            return Value::Whole { value: plain(inner), rest: text };
        }
        if within_line {
            return Value::Broken;
        }
    }
    Value::Open(unquoted(line).to_owned())
}

/// Cuts a comment off. It needs white space before it, because `#` may be part of a secret.
fn unquoted(line: &str) -> &str {
    let comment = line.match_indices('#').map(|(at, _)| line.get(..at).unwrap_or_default());
    let mut before = comment.filter(|before| before.ends_with(char::is_whitespace));
    before.next().unwrap_or(line).trim_end()
}

/// The position of the closing quote.
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

/// Removes the backslash before a quote or another backslash, and nowhere else. Python's readers do
/// not agree about letters after a backslash.
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
        let mut found = parse(line);
        assert_eq!(found.oddities, [], "{line}");
        found.variables.remove("X").unwrap()
    }

    /// The malformed lines of a text, and how many variables it still has.
    fn odd(text: &str) -> (Vec<String>, usize) {
        let found = parse(text);
        (found.oddities.iter().map(ToString::to_string).collect(), found.variables.len())
    }

    #[test]
    fn values_are_read_unchanged() {
        assert_eq!(value("X=a$b#c(d)&e!f"), "a$b#c(d)&e!f");
        assert_eq!(value("X=two words"), "two words");
        assert_eq!(value("X = spaced # a comment"), "spaced");
        assert_eq!(value("X='single $a #b'"), "single $a #b");
        assert_eq!(value("X=\"double \\\"quoted\\\"\" # a comment"), "double \"quoted\"");
        assert_eq!(value(r#"X="pa\ss\\word\n""#), r"pa\ss\word\n");
        assert_eq!(value(r"X=pa\ss"), r"pa\ss");
        assert_eq!(value("X='one'# a comment"), "one");
        assert_eq!(value("X='one' # it's another"), "one");
        assert_eq!(value("X=8000\t# a comment # of two"), "8000");
        assert_eq!(value("export X=1"), "1");
        assert_eq!(value("export\tX=1"), "1");
        assert_eq!(parse("exported=1").variables["exported"], "1");
        assert_eq!(value("X="), "");
        assert_eq!(value("X=\n"), "");
        assert_eq!(value("X=''"), "");
        assert_eq!(value("X=1\nX=2"), "2");
        assert_eq!(value("\u{feff}X=1\r\nY=2\r\n"), "1");
        assert_eq!(value("Y=1\rX=2"), "2");
    }

    #[test]
    fn a_quote_within_a_quoted_value_is_part_of_it() {
        assert_eq!(value("X='it's'"), "it's");
        assert_eq!(value("X='a'b'"), "a'b");
        assert_eq!(value(r#"X="a"b""#), "a\"b");
        assert_eq!(value("X=it's"), "it's");
    }

    #[test]
    fn a_quoted_value_may_have_several_lines() {
        let pem = "-----BEGIN KEY-----\nabc=\n# no comment\n\n-----END KEY-----";
        for mark in ['\'', '"'] {
            for text in [
                format!("A=1\nX={mark}{pem}{mark}\nB=2"),
                format!("A=1\r\nX={mark}{}{mark} # a comment\r\nB=2", pem.replace('\n', "\r\n")),
            ] {
                let found = parse(&text);
                assert_eq!(found.oddities, [], "{text}");
                assert_eq!(found.variables["X"], pem, "{text}");
                assert_eq!((&*found.variables["A"], &*found.variables["B"]), ("1", "2"));
                assert_eq!(found.variables.len(), 3);
            }
        }
        assert_eq!(value("X=\"a \\\"\nb\\\\\""), "a \"\nb\\");
        assert_eq!(odd("X='a\nb'\nnonsense").0, ["line 3 is not NAME=value"]);
    }

    #[test]
    fn an_unclosed_quote_does_not_swallow_other_lines() {
        let found = parse("A='open\nB=2\nC=it's 3\n");
        assert_eq!(found.variables["A"], "'open");
        assert_eq!((&*found.variables["B"], &*found.variables["C"]), ("2", "it's 3"));
        assert_eq!(
            found.oddities[0].to_string(),
            "line 1 has an opening quote that no line closes"
        );
        assert_eq!(found.oddities[0].name.as_deref(), Some("A"));
        let found = parse("A=\"5 inch\nB=2\nC=\"x\"\n");
        assert_eq!((&*found.variables["A"], &*found.variables["B"]), ("\"5 inch", "2"));
        assert_eq!(found.variables["C"], "x");
    }

    #[test]
    fn skips_blank_lines_and_comments() {
        assert_eq!(odd("\n# X=1\n  \n \t # 'a\n"), (vec![], 0));
    }

    #[test]
    fn skips_and_reports_malformed_lines() {
        for line in ["nonsense", "[section]", "MY-VAR=1", "A B=1", "=1", "A: 1", "export", "é=1"] {
            let text = format!("A=1\n{line}\nB=2");
            assert_eq!(odd(&text), (vec!["line 2 is not NAME=value".to_owned()], 2), "{line}");
        }
        for line in ["X=\"8000\"x", "X='a'b", "X=\"a\" b # c"] {
            let text = format!("A=1\n{line}\nB=2");
            let found = parse(&text);
            assert_eq!(found.oddities[0].problem, Problem::AfterQuote, "{line}");
            assert_eq!((found.oddities.len(), found.oddities[0].line), (1, 2));
            assert_eq!(found.variables.len(), 2, "{line}");
        }
    }
}
