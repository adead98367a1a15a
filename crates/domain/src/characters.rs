//! Blank characters, invisible marks, and digits of other scripts.

use unicode_normalization::UnicodeNormalization;

/// The zeros of the accepted scripts. The other nine digits follow each zero.
const ZEROS: &[char] = &[
    '0', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
    '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}',
    '\u{ff10}',
];

/// Whether a character is trimmed from both ends of a text: white space, invisible marks, and the
/// separators U+001C to U+001F, which the replaced service trims too.
pub(crate) fn is_trimmed(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c) || is_invisible(c)
}

/// Whether a character is an invisible mark, such as a zero width space, a byte order mark, or the
/// direction marks that phones add when a contact is copied. Joiners (see [`is_joiner`]) and emoji
/// selectors do not count: they change the characters beside them, even at the end of a text.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// The zero width joiner and non-joiner, which names in many scripts need.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a text shows nothing. Joiners and selectors are kept inside of texts, but a text of
/// nothing else is blank.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| is_trimmed(c) || is_ignorable(c))
}

/// The Unicode 17 property `Default_Ignorable_Code_Point`.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Converts a digit of another script to ASCII; returns any other character unchanged.
pub fn ascii_digit(c: char) -> char {
    let digit = ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero))?;
        char::from_digit(value, 10)
    });
    digit.unwrap_or(c)
}

/// Trims, composes (Unicode NFC), and replaces the line ends of HTML forms (CR LF) by LF.
pub(crate) fn normalize(text: &str) -> String {
    let text = text.trim_matches(is_trimmed);
    if text.is_ascii() && !text.contains('\r') {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::zero_width_space("\u{200b}Ana\u{200b}")]
    #[case::byte_order_mark("\u{feff}Ana")]
    #[case::marks_of_direction("\u{202a}\u{200e}Ana\u{200f}\u{202c}")]
    #[case::isolates("\u{2068}Ana\u{2069}")]
    #[case::word_joiner("\u{2060}Ana\u{2064}")]
    #[case::soft_hyphen("Ana\u{ad}")]
    #[case::mongolian_vowel_separator("\u{180e}Ana")]
    #[case::no_break_spaces("\u{a0}\u{202f}\u{2007}Ana\u{3000}")]
    #[case::in_any_order(" \u{200b}\u{a0}\u{feff}\t Ana \u{feff}\r\n\u{200b} ")]
    #[case::separators_of_information("\u{1c}Ana\u{1f}")]
    fn trims(#[case] given: &str) {
        assert_eq!(normalize(given), "Ana");
    }

    #[rstest]
    #[case::inside("A\u{200b}na")]
    #[case::joiner_inside("\u{646}\u{6cc}\u{200c}\u{646}\u{627}")]
    #[case::joiner_at_the_end("\u{647}\u{200d}")]
    #[case::emoji_with_selector("Ana \u{2764}\u{fe0f}")]
    #[case::flag_of_england("\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}")]
    fn keeps(#[case] given: &str) {
        assert_eq!(normalize(given), given);
    }

    #[rstest]
    #[case("")]
    #[case("\u{115f}\u{1160}")]
    #[case("\u{3164} \u{ffa0}")]
    #[case("\u{34f}")]
    #[case("\u{fe0f}\u{200d}\u{fe00}")]
    #[case("\u{200c}\u{200d}")]
    #[case("\u{17b4}\u{180b}\u{180f}")]
    #[case("\u{e0001}\u{e0020}\u{e007f}\u{e01ef}\u{e0fff}")]
    #[case("\u{1bca0}\u{1d173}\u{fff0}")]
    #[case("\u{2800}\n\u{115f}")]
    fn detects_texts_without_visible_characters(#[case] text: &str) {
        assert!(is_blank(text) && is_blank(&normalize(text)));
        assert!(!is_blank(&format!("{text}A{text}")));
    }

    #[test]
    fn composes_and_takes_the_line_ends_of_forms_as_newlines() {
        assert_eq!(normalize("Zoe\u{301}"), "Zo\u{e9}");
        assert_eq!(normalize("one\r\ntwo"), "one\ntwo");
        assert_eq!(normalize("one\rtwo"), "one\rtwo");
        assert_eq!(normalize("\u{200b}"), "");
    }
}
