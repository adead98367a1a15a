//! Search that gives the same answer on every database.
//!
//! Databases disagree about case (and, for PostgreSQL, a database's locale
//! decides), so both the searched text and the words are folded here and the
//! adapters only look for plain substrings.

use unicode_normalization::UnicodeNormalization;

use crate::characters::is_trimmed;
use crate::{email, phone};

/// The most words that one search may have; each costs a look at the index.
pub const MAX_WORDS: usize = 200;

/// Folds case away: `Đ` and `đ`, `ß` and `SS` become the same text.
///
/// Upper-casing first expands what has no single lower-case partner (`ß` is
/// `SS` in upper case); lower-casing character by character leaves a final
/// sigma no different from any other.
pub fn fold(text: &str) -> String {
    text.nfc().collect::<String>().to_uppercase().chars().flat_map(char::to_lowercase).collect()
}

/// The text that a row is searched by: its searchable fields, folded, one a
/// line, so that no word can match across two of them. An address is there in both
/// spellings of its domain, since people search for either.
pub fn document<'a>(fields: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut document = String::new();
    for field in fields.into_iter().flatten().filter(|field| !field.is_empty()) {
        for spelling in std::iter::once(field.to_owned()).chain(other_spelling(field)) {
            if !document.is_empty() {
                document.push('\n');
            }
            document.push_str(&fold(&spelling));
        }
    }
    document
}

/// An address with its domain in the other letters: those that people read, or ASCII.
fn other_spelling(field: &str) -> Option<String> {
    let readable = email::canonical(field);
    let encoded = email::other_spellings(&readable).into_iter().next()?;
    Some(if field.is_ascii() { readable } else { encoded })
}

/// The distinct folded words of a search, each of which must occur in a row's
/// [`document`]. What looks like a phone number is taken apart where it has separators,
/// for numbers are stored without.
///
/// # Errors
/// [`TooManyWords`] above [`MAX_WORDS`].
pub fn words(query: &str) -> Result<Vec<String>, TooManyWords> {
    let mut words: Vec<String> = Vec::new();
    let given = query.split_whitespace().map(|word| word.trim_matches(is_trimmed));
    let given = given.filter(|word| !word.is_empty()).flat_map(phone::parts);
    for word in given.map(|word| fold(&word)) {
        if words.contains(&word) {
            continue;
        }
        if words.len() == MAX_WORDS {
            return Err(TooManyWords);
        }
        words.push(word);
    }
    Ok(words)
}

/// A search has more than [`MAX_WORDS`] words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_WORDS} words in a search")]
pub struct TooManyWords;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Đuro", "đURO")]
    #[case("Straße", "STRASSE")]
    #[case("ΟΔΟΣ", "οδος")]
    #[case("Zoe\u{301}", "ZO\u{c9}")]
    fn folds_to_the_same_text(#[case] one: &str, #[case] other: &str) {
        assert_eq!(fold(one), fold(other));
    }

    #[test]
    fn keeps_what_has_no_case() {
        assert_eq!(fold("100%_'\"🦀"), "100%_'\"🦀");
    }

    #[test]
    fn a_document_has_one_line_a_field_and_none_for_empty_ones() {
        assert_eq!(document([Some("Ana"), None, Some(""), Some("A@B.hr")]), "ana\na@b.hr");
    }

    #[test]
    fn an_address_is_found_in_both_spellings_of_its_domain() {
        let both = "iva@b\u{fc}cher.de\niva@xn--bcher-kva.de";
        assert_eq!(document([Some("Iva@B\u{fc}cher.de")]), both);
        let stored_before = document([Some("iva@xn--bcher-kva.de")]);
        assert_eq!(stored_before, "iva@xn--bcher-kva.de\niva@b\u{fc}cher.de");
        assert_eq!(document([Some("B\u{fc}cher")]), "b\u{fc}cher");
    }

    #[test]
    fn a_phone_number_is_found_however_it_is_written() {
        let words = |query| words(query).unwrap();
        assert_eq!(words("(091) 234-5678"), ["091", "234", "5678"]);
        assert_eq!(words("+385.91.2345678 \u{200b}Ana\u{feff}"), ["+385", "91", "2345678", "ana"]);
        assert_eq!(words("24-7 \u{200b}"), ["24-7"]);
    }

    #[test]
    fn a_word_counts_once_whatever_its_case() {
        assert_eq!(words("Ana  ANA\tb").unwrap(), ["ana", "b"]);
    }

    #[test]
    fn refuses_more_words_than_the_limit() {
        let most: Vec<String> = (0..MAX_WORDS).map(|n| n.to_string()).collect();
        assert!(words(&most.join(" ")).is_ok());
        assert_eq!(words(&format!("{} more", most.join(" "))), Err(TooManyWords));
    }
}
