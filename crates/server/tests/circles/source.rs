//! Finds the module paths that a source file names, by its words and punctuation.

use std::collections::BTreeSet;

/// A word or a punctuation mark of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    Mark(char),
}

impl Token {
    fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }

    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Mark(_) => None,
        }
    }
}

/// The words and marks of a source file, without comments and literals.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), source);
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = text(rest) {
            length
        } else if c.is_alphanumeric() || c == '_' {
            let is_end = |c: char| !c.is_alphanumeric() && c != '_';
            let length = rest.find(is_end).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_owned()));
            length
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Mark(c));
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the string or character literal at the start of `source`, if there is one.
fn text(source: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        source.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', '#', '\'']))
    })?;
    let opened = &source[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = opened.len() - opened.trim_start_matches('#').len();
        let inner = opened[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(source.len() - inner.len() + inner.find(&end)? + end.len());
    }
    let mark = opened.chars().next().filter(|mark| ['"', '\''].contains(mark))?;
    let mut characters = opened.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if mark == '\'' && first != '\\' && characters.clone().next()?.1 != '\'' {
        // A lifetime.
        return None;
    }
    let mut escaped = first == '\\';
    if mark == '"' && first == '"' {
        return Some(prefix.len() + 2);
    }
    for (at, c) in characters {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return Some(prefix.len() + at + 1),
            _ => {}
        }
    }
    None
}

/// The position after the block or group that opens at `from`.
fn closed(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token {
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark('}' | ')' | ']') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The paths in a `use` tree, and the position after it: `a::{b, c::d as e}` yields `a::b` and
/// `a::c::d`.
pub(crate) fn paths(tokens: &[Token], mut at: usize) -> (Vec<Vec<String>>, usize) {
    let mut path: Vec<String> = Vec::new();
    loop {
        match tokens.get(at) {
            Some(Token::Word(word)) => path.push(word.clone()),
            Some(Token::Mark('{')) => {
                let (end, mut all) = (closed(tokens, at), Vec::new());
                at += 1;
                while at < end - 1 {
                    let (below, next) = paths(tokens, at);
                    all.extend(below.into_iter().map(|below| [path.clone(), below].concat()));
                    // Skip the comma, or the new name of an `as`.
                    at = next.max(at + 1);
                    while at < end - 1 && !tokens[at - 1].is(',') {
                        at += 1;
                    }
                }
                return (all, end);
            }
            _ => return (vec![path], at),
        }
        at += 1;
        match (tokens.get(at), tokens.get(at + 1)) {
            (Some(Token::Mark(':')), Some(Token::Mark(':'))) => at += 2,
            _ => return (vec![path], at),
        }
    }
}

/// The paths in a source file that start at the crate's top or go up, as paths from the top.
/// `module` is the file's own path. Test modules are skipped; the names of those in separate files
/// are added to `tests`.
pub(crate) fn named(
    tokens: &[Token],
    module: &[String],
    tests: &mut BTreeSet<String>,
) -> Vec<Vec<String>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if is_of_tests(&tokens[at..]) {
            at = closed(tokens, at + 1);
            while tokens.get(at).is_some_and(|token| token.is('#')) {
                at = closed(tokens, at + 1);
            }
            let end = tokens.iter().skip(at).position(|token| token.is(';') || token.is('{'));
            let end = at + end.unwrap_or(tokens.len() - at);
            let head: Vec<&str> = tokens[at..end].iter().filter_map(Token::word).collect();
            if let Some(name) = head.iter().position(|word| *word == "mod")
                && tokens.get(end).is_some_and(|token| token.is(';'))
            {
                tests.insert(head[name + 1].to_owned());
            }
            at = if tokens.get(end).is_some_and(|token| token.is('{')) {
                closed(tokens, end)
            } else {
                end + 1
            };
            continue;
        }
        if tokens[at].word() == Some("mod")
            && let Some(Token::Word(name)) = tokens.get(at + 1)
            && tokens.get(at + 2).is_some_and(|token| token.is('{'))
        {
            let end = closed(tokens, at + 2);
            let inner = [module, std::slice::from_ref(name)].concat();
            found.extend(named(&tokens[at + 3..end - 1], &inner, tests));
            at = end;
            continue;
        }
        let begins = matches!(tokens[at].word(), Some("crate" | "super"))
            && !(at > 1 && tokens[at - 1].is(':') && tokens[at - 2].is(':'));
        if begins {
            let (all, end) = paths(tokens, at);
            for path in all {
                let ups = path.iter().take_while(|word| *word == "super").count();
                let absolute = if ups > 0 {
                    [&module[..module.len().saturating_sub(ups)], &path[ups..]].concat()
                } else {
                    path[1..].to_vec()
                };
                found.push(absolute);
            }
            at = end.max(at + 1);
            continue;
        }
        at += 1;
    }
    found
}

/// Whether the next item is `#[cfg(test)]`, or a condition that contains `test` without negating
/// it.
fn is_of_tests(tokens: &[Token]) -> bool {
    let words = ["cfg", "test"];
    tokens.first().is_some_and(|token| token.is('#'))
        && tokens.get(1).is_some_and(|token| token.is('['))
        && [2, 4].map(|at| tokens.get(at).and_then(Token::word)) == words.map(Some)
        && tokens.get(5).is_some_and(|token| token.is(')'))
}
