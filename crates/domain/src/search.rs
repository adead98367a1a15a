//! Text search with the same results on every database.
//!
//! Databases disagree about case folding (in PostgreSQL it depends on the database's locale). So
//! the searched texts and the words are folded here, and the adapters only search for plain
//! substrings.
//!
//! A document contains each text twice: with case folded ([`fold`]), which is all that earlier
//! releases wrote, and with accents folded too ([`plain`]). Search words only have their case
//! folded, so nodes of both releases find rows that either of them wrote.

use unicode_normalization::UnicodeNormalization;

use crate::characters::is_trimmed;
use crate::{email, phone};

/// The maximum number of words in a search, because each one costs an index lookup.
pub const MAX_WORDS: usize = 200;

/// Separates the texts with accents from those without in a [`document`]. Words never contain a
/// form feed, because it is white space.
pub const PAGE_BREAK: char = '\u{c}';

/// Folds case: `Đ` and `đ`, `ß` and `SS` become the same text.
///
/// Texts are first upper-cased, which expands characters without a lower-case equivalent (`ß`
/// becomes `SS`), and then lower-cased character by character, so that a final sigma equals any
/// other.
///
/// Single-character digraphs (`ǆ`) become two letters. Existing documents with a [`PAGE_BREAK`] are
/// not rewritten for that: a row with a digraph that an intermediate build wrote is found again
/// only after its next change.
pub fn fold(text: &str) -> String {
    let folded = text.nfc().collect::<String>().to_uppercase();
    // A capital ẞ is unchanged in upper case; in lower case it is ß, which becomes `ss` here.
    let mut text = String::with_capacity(folded.len());
    for character in folded.chars().flat_map(char::to_lowercase) {
        match character {
            '\u{df}' => text.push_str("ss"),
            '\u{1c6}' => text.push_str("d\u{17e}"),
            '\u{1c9}' => text.push_str("lj"),
            '\u{1cc}' => text.push_str("nj"),
            '\u{1f3}' => text.push_str("dz"),
            other => text.push(other),
        }
    }
    text
}

/// Folds case and accents: `Šarić` becomes `saric`, `Müller` `muller`, `Łódź` `lodz`.
///
/// Accents are dropped, and letters that Unicode does not decompose become the letters that people
/// type instead. Marks that are vowels or sounds of their own (in Indic scripts or Japanese) are
/// kept.
pub fn plain(text: &str) -> String {
    let characters = text.chars().flat_map(parts).flat_map(char::to_uppercase);
    let characters = characters.flat_map(char::to_lowercase).flat_map(parts);
    let mut plain = String::with_capacity(text.len());
    for character in characters {
        match letters(character) {
            "" => plain.push(character),
            letters => plain.push_str(letters),
        }
    }
    plain.nfc().collect()
}

/// Decomposes a character and drops accents. A character that is itself an accent (`´`) yields
/// nothing, although Unicode decomposes it into a blank and an accent.
fn parts(character: char) -> impl Iterator<Item = char> {
    let is_accent = |part: &char| {
        matches!(part, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
    };
    let keeps_blanks = character.is_whitespace();
    std::iter::once(character)
        .nfkd()
        .filter(move |part| !is_accent(part) && (keeps_blanks || !part.is_whitespace()))
}

/// The lower-case letters that people type for a letter that Unicode does not decompose; empty for
/// other characters.
fn letters(character: char) -> &'static str {
    match character {
        // Letters with a stroke. The second is the African letter whose capital looks like Đ.
        'đ' | 'ɖ' | 'ð' => "d",
        'ħ' => "h",
        'ł' => "l",
        'ø' => "o",
        'ŧ' => "t",
        'ƀ' => "b",
        'ǥ' => "g",
        'ɨ' => "i",
        'ƶ' => "z",
        // Ligatures.
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        // Other letters.
        'ı' => "i",
        'ĸ' => "k",
        'ŋ' => "n",
        'ə' => "e",
        // Typed and printed apostrophes.
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => "'",
        '\u{2010}'..='\u{2014}' => "-",
        _ => "",
    }
}

/// The search document of a row: its folded fields, one per line, so that no word matches across
/// two fields. Addresses are included in both spellings of their domain, because people search for
/// either. If the fields are not all ASCII, a [`PAGE_BREAK`] and the fields without accents follow.
pub fn document<'a>(fields: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let (mut document, mut rest) = (String::new(), String::new());
    for field in fields.into_iter().flatten().filter(|field| !field.is_empty()) {
        for spelling in std::iter::once(field.to_owned()).chain(other_spelling(field)) {
            add_line(&mut document, &fold(&spelling));
            if !spelling.is_ascii() {
                add_line(&mut rest, &plain(&spelling));
            }
        }
    }
    if !document.is_ascii() {
        document.push('\n');
        document.push(PAGE_BREAK);
        document.push('\n');
        document.push_str(&rest);
    }
    document
}

fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// The address with its domain in the other spelling, Unicode or ASCII; `None` if there is no
/// other.
fn other_spelling(field: &str) -> Option<String> {
    let readable = email::canonical(field);
    let encoded = email::other_spellings(&readable).into_iter().next()?;
    Some(if field.is_ascii() { readable } else { encoded })
}

/// The distinct folded words of a search. A row matches if its [`document`] contains every word.
/// Accents are kept: a word with accents only finds texts with them, a word without finds both. Words that
/// look like phone numbers are split at separators, because numbers are stored without them.
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
    #[case("Weiß", "WEI\u{1e9e}")]
    #[case("ΟΔΟΣ", "οδος")]
    #[case("\u{1c4}emal", "d\u{17e}emal")]
    #[case("\u{1c5}emal", "D\u{17d}emal")]
    #[case("\u{1c6}emal", "Dz\u{30c}EMAL")]
    #[case("\u{1c7}\u{1c8}\u{1c9}", "LJLjlj")]
    #[case("\u{1ca}\u{1cb}\u{1cc}", "NJNjnj")]
    #[case("\u{1f1}\u{1f2}\u{1f3}", "DZDzdz")]
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
        let spellings = ["iva@b\u{fc}cher.de", "iva@xn--bcher-kva.de", "iva@bucher.de"];
        for address in ["Iva@B\u{fc}cher.de", "iva@xn--bcher-kva.de"] {
            let document = document([Some(address)]);
            assert!(spellings.iter().all(|spelling| document.contains(spelling)), "{document}");
        }
        let name = document([Some("B\u{fc}cher")]);
        assert_eq!(name, format!("b\u{fc}cher\n{PAGE_BREAK}\nbucher"));
    }

    #[test]
    fn a_phone_number_is_found_however_it_is_written() {
        let words = |query| words(query).unwrap();
        assert_eq!(words("(091) 234-5678"), ["091", "234", "5678"]);
        assert_eq!(words("+385.91.2345678 \u{200b}Ana\u{feff}"), ["+385", "91", "2345678", "ana"]);
        assert_eq!(words("24-7 \u{200b}"), ["24-7"]);
    }

    #[test]
    fn a_word_counts_once_regardless_of_case() {
        assert_eq!(words("Ana  ANA\tb").unwrap(), ["ana", "b"]);
    }

    #[test]
    fn refuses_more_words_than_the_limit() {
        let most: Vec<String> = (0..MAX_WORDS).map(|n| n.to_string()).collect();
        assert!(words(&most.join(" ")).is_ok());
        assert_eq!(words(&format!("{} more", most.join(" "))), Err(TooManyWords));
    }

    #[rstest]
    #[case("Šarić", "saric")]
    #[case("S\u{30c}aric\u{301}", "saric")]
    #[case("ŠARIĆ ČAĆIĆ ŽUPAN", "saric cacic zupan")]
    #[case("Đuro \u{189}uro d\u{335}uro", "duro duro duro")]
    #[case("Müller, Weiß, WEIẞ", "muller, weiss, weiss")]
    #[case("Łukasz Gąsiorowski", "lukasz gasiorowski")]
    #[case("Søren Ærø Åse Œuvre", "soren aero ase oeuvre")]
    #[case("İstanbul ırmak Çağlar Şen Ștefan", "istanbul irmak caglar sen stefan")]
    #[case("Þór Ðóra Ħal", "thor dora hal")]
    #[case("Nguyễn Niño Ångström", "nguyen nino angstrom")]
    #[case("Άννα Ёлка", "αννα елка")]
    #[case("ﬁne ①２ ǆ", "fine 12 dz")]
    #[case("O’Neill Anne‑Marie", "o'neill anne-marie")]
    #[case("O´Neill", "oneill")]
    #[case("が한글हि", "が한글हि")]
    #[case("a@b.hr +385", "a@b.hr +385")]
    fn folds_accents_away(#[case] text: &str, #[case] folded: &str) {
        assert_eq!(plain(text), folded);
        assert_eq!(plain(folded), folded);
    }

    #[rstest]
    #[case("Šarić", &["Šarić", "šarić", "ŠARIĆ", "s\u{30c}ari", "ARIĆ", "Saric", "SAR"])]
    #[case("S\u{30c}aric\u{301}", &["Šarić", "s\u{30c}ari", "saric"])]
    #[case("Weiß", &["weiss", "WEISS", "weiß"])]
    #[case("WEIẞ", &["weiss", "WEIẞ"])]
    #[case("\u{1c4}emal", &["d\u{17e}emal", "D\u{17d}", "\u{1c5}", "\u{1c6}e", "dzemal"])]
    #[case("D\u{17e}emal", &["\u{1c4}", "\u{1c5}", "\u{1c6}", "DZ"])]
    #[case("\u{1c8}ubo \u{1cb}e\u{1cc}", &["ljubo", "\u{1c7}", "njenj"])]
    #[case("O´Neill", &["o´neill", "oneill", "´"])]
    #[case("日本語", &["日本", "語"])]
    fn finds_a_text_with_and_without_its_accents(#[case] text: &str, #[case] queries: &[&str]) {
        for query in queries {
            let words = words(query).unwrap();
            assert!(document([Some(text)]).contains(&words[0]), "{query} in {text}");
        }
    }

    #[test]
    fn a_word_with_accents_asks_for_them() {
        for query in ["Šarić", "saríc", "d\u{30c}", "\u{301}", "´"] {
            let words = words(query).unwrap();
            assert!(!document([Some("Duro Saric")]).contains(&words[0]), "{query}");
        }
    }

    #[test]
    fn an_earlier_release_finds_what_is_written_now() {
        let now = document([Some("Šarić"), Some("ana@acme.hr")]);
        assert_eq!(now, "šarić\nana@acme.hr\n\u{c}\nsaric");
        assert_eq!(document([Some("Ana"), Some("ana@acme.hr")]), "ana\nana@acme.hr");
    }
}
