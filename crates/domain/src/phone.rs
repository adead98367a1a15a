//! Parses phone numbers as people and address books write them.

use crate::characters::{ascii_digit, is_invisible, is_joiner};

/// The number of digits in a phone number.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Parses a phone number into an optional `+` and 7 to 15 digits. Separators are removed: blanks,
/// dashes, dots, slashes, pairs of brackets, invisible marks, and a leading `tel:`.
///
/// `None` if the text is not a number or is ambiguous: two numbers, a fraction, or an extension. A
/// bracketed `(0)` after a country code is removed, except after the codes of countries where the
/// zero is dialled from abroad as well; there the text is ambiguous.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let plain: String =
        text.chars().filter(|c| !is_invisible(*c) && !is_joiner(*c)).map(plain).collect();
    let plain = without_scheme(plain.trim());
    let plain = plain.trim_end_matches([' ', '.', ',']);
    if is_several(plain) {
        return None;
    }
    let mut number = String::new();
    let mut opened = None;
    for c in plain.chars() {
        match c {
            '0'..='9' => number.push(c),
            '+' if number.is_empty() => number.push(c),
            '(' if opened.is_none() => opened = Some(number.len()),
            ')' => leave_out_trunk_zero(&mut number, opened.take()?)?,
            ' ' => {}
            '-' | '.' | '/' if number.ends_with(|c: char| c.is_ascii_digit()) => {}
            _ => return None,
        }
    }
    (opened.is_none() && is_canonical(&number)).then_some(number)
}

/// Whether `text` is a number in stored form.
pub(crate) fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits a search word that looks like part of a phone number at its separators, because numbers
/// are stored without them. Any other word is returned unchanged.
pub(crate) fn parts(word: &str) -> Vec<String> {
    let visible = word.chars().filter(|c| !is_invisible(*c));
    let plain: String = visible.map(plain).collect();
    let bare = without_scheme(&plain).replace("(0)", "");
    let parts: Vec<&str> =
        bare.split(['-', '.', '/', '(', ')', ',']).filter(|part| !part.is_empty()).collect();
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    let is_number = bare.chars().all(|c| c.is_ascii_digit() || "+-./(),".contains(c))
        && (digits >= 5 || (digits > 0 && parts.len() == 1));
    if is_number { parts.into_iter().map(str::to_owned).collect() } else { vec![word.to_owned()] }
}

/// Maps digits of other scripts, dashes and blanks of any width to ASCII.
fn plain(c: char) -> char {
    match ascii_digit(c) {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{30fb}' | '\u{ff0e}' => '.',
        '\u{2044}' | '\u{2215}' | '\u{ff0f}' => '/',
        '\u{ff0b}' => '+',
        '\u{ff08}' => '(',
        '\u{ff09}' => ')',
        '\u{ff0c}' => ',',
        // A phone number never spans lines.
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Removes the `tel:` of links.
fn without_scheme(text: &str) -> &str {
    let Some((scheme, number)) = text.split_once(':') else {
        return text;
    };
    if scheme.eq_ignore_ascii_case("tel") {
        let number = number.trim_start();
        number.strip_prefix("//").unwrap_or(number).trim_start()
    } else {
        text
    }
}

/// Whether `text` contains more than one number (`234 5678 / 345 6789`), alternative last digits
/// (`234 5678/9`), or a fraction made by a spreadsheet (`2345678.0`).
fn is_several(text: &str) -> bool {
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).count();
    let is_whole = |part: &&str| DIGITS.contains(&digits(part));
    let by = |mark: &'static str| text.split(mark).map(digits).collect::<Vec<_>>();
    let has_more = |counts: &[usize]| {
        matches!(counts, [number, rest] if DIGITS.contains(number)
            && (*rest < 3 || (*number >= 10 && *rest < 5)))
    };
    let ends_in_a_fraction =
        matches!(by(".").as_slice(), [number, rest] if DIGITS.contains(number) && *rest < 3);
    let groups = text.split(|c: char| !c.is_ascii_digit());
    // A dash between blanks separates two things.
    ends_in_a_fraction
        || ["/", " - "]
            .into_iter()
            .any(|mark| has_more(&by(mark)) || text.split(mark).filter(is_whole).count() > 1)
        || groups.filter(is_whole).count() > 1
}

/// The codes of countries where the leading zero is dialled from abroad as well: Italy, San Marino,
/// Ivory Coast, Gabon, Congo.
const KEEP_ZERO: &[&str] = &["39", "378", "225", "241", "242"];

/// Called at the end of a bracket that began at `start`. Removes a bracketed `0` after a country
/// code, because it is dialled only within that country. `None` if the country always dials it, if
/// no country code precedes it, or if the bracket follows a whole number.
fn leave_out_trunk_zero(number: &mut String, start: usize) -> Option<()> {
    let before = number.get(..start)?;
    let code = before.strip_prefix('+').or_else(|| before.strip_prefix("00"));
    if before.len() > *DIGITS.start() {
        return None;
    }
    if number.get(start..) == Some("0") && !before.is_empty() {
        let code = code.filter(|code| !code.is_empty())?;
        if KEEP_ZERO.contains(&code) {
            return None;
        }
        number.truncate(start);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::blanks("+385 91 234 5678", "+385912345678")]
    #[case::brackets("(091) 234-5678", "0912345678")]
    #[case::slash("091/234-5678", "0912345678")]
    #[case::dots("+385.91.2345678", "+385912345678")]
    #[case::as_it_is("+385912345678", "+385912345678")]
    #[case::link("tel:+385-91-234-5678", "+385912345678")]
    #[case::link_in_capitals("TEL: +385 91 2345678", "+385912345678")]
    #[case::link_with_slashes("tel://0912345678", "0912345678")]
    #[case::no_break_spaces("+385\u{a0}91\u{202f}234\u{2009}5678", "+385912345678")]
    #[case::tabs("091\t234\t5678", "0912345678")]
    #[case::zero_width("\u{feff}091\u{200b}234\u{2060}5678", "0912345678")]
    #[case::copied_from_a_phone("\u{202a}+385 91 234 5678\u{202c}", "+385912345678")]
    #[case::isolated("\u{2068}091 2345678\u{2069}", "0912345678")]
    #[case::hyphens("091\u{2010}234\u{2011}56\u{2012}78", "0912345678")]
    #[case::dashes("091\u{2013}234\u{2014}56\u{2015}78", "0912345678")]
    #[case::minus("091\u{2212}2345678", "0912345678")]
    #[case::soft_hyphen("091\u{ad}2345678", "0912345678")]
    #[case::middle_dots("091\u{b7}234\u{2022}5678", "0912345678")]
    #[case::full_width(
        "\u{ff0b}\u{ff13}\u{ff18}\u{ff15}\u{3000}\u{ff08}\u{ff19}\u{ff11}\u{ff09}\u{ff0d}2345678",
        "+385912345678"
    )]
    #[case::arabic(
        "+\u{663}\u{668}\u{665}\u{669}\u{661}\u{661}\u{662}\u{663}\u{664}\u{665}",
        "+3859112345"
    )]
    #[case::persian("\u{6f0}\u{6f9}\u{6f1}2345678", "0912345678")]
    #[case::devanagari(
        "\u{96f}\u{96e}\u{96d}\u{96c}\u{96b}\u{96a}\u{969}\u{968}\u{967}\u{966}",
        "9876543210"
    )]
    #[case::plus_apart("+ 385 91 2345678", "+385912345678")]
    #[case::plus_in_brackets("(+385) 91 2345678", "+385912345678")]
    #[case::plus_before_brackets("+(385) 91 2345678", "+385912345678")]
    #[case::international_prefix("00385 91 2345678", "00385912345678")]
    #[case::trunk_zero("+385 (0)91 2345678", "+385912345678")]
    #[case::trunk_zero_apart("+44(0) 20 7946 0958", "+442079460958")]
    #[case::trunk_zero_in_blanks("+49 ( 0 ) 30 1234567", "+49301234567")]
    #[case::trunk_zero_behind_two_zeros("0049 (0)30 1234567", "0049301234567")]
    #[case::zero_that_begins("(0)91 2345678", "0912345678")]
    #[case::zero_among_others("+385 (01) 2345678", "+385012345678")]
    #[case::trailing_dot("091 2345678.", "0912345678")]
    #[case::trailing_comma("091 2345678, ", "0912345678")]
    #[case::long_area_code("+49 38293/12345", "+493829312345")]
    #[case::groups("01/23/45/67/89", "0123456789")]
    #[case::groups_by_dots("01.23.45.67.89", "0123456789")]
    #[case::dash_in_blanks("091 - 234 - 5678", "0912345678")]
    #[case::central("+49 30 1234567-0", "+493012345670")]
    #[case::fewest("1234567", "1234567")]
    #[case::most("+123456789012345", "+123456789012345")]
    fn takes(#[case] given: &str, #[case] stored: &str) {
        assert_eq!(canonical(given).as_deref(), Some(stored));
        assert!(is_canonical(stored));
        assert_eq!(canonical(stored).as_deref(), Some(stored), "stored again");
    }

    #[rstest]
    #[case::nothing("")]
    #[case::no_digit("+")]
    #[case::letters("091 ABC 5678")]
    #[case::too_few("091-123")]
    #[case::too_few_with_plus("+385-9-1")]
    #[case::too_many("1234567890123456")]
    #[case::too_many_with_separators("+385 91 234 5678 1234")]
    #[case::extension("091 2345678 ext. 5")]
    #[case::short_extension("091 2345678 x5")]
    #[case::extension_by_number_sign("091 2345678#5")]
    #[case::extension_of_a_link("tel:+385-91-2345678;ext=5")]
    #[case::context_of_a_link("tel:2345678;phone-context=+385")]
    #[case::scheme_of_another("sms:+385912345678")]
    #[case::scheme_twice("tel:tel:+385912345678")]
    #[case::pause("091 2345678,5")]
    #[case::two_numbers("091 2345678 / 098 7654321")]
    #[case::two_short_numbers("123 4567 / 765 4321")]
    #[case::last_digit_of_another("01 2345678/9")]
    #[case::a_fraction("385911234567.0")]
    #[case::a_fraction_of_cents("385911234567.00")]
    #[case::two_numbers_by_comma("2345678, 3456789")]
    #[case::two_numbers_by_plus("+3859123 +3859124")]
    #[case::two_lines("091 234\n5678")]
    #[case::two_pluses("++385912345678")]
    #[case::plus_inside("00+385912345678")]
    #[case::plus_behind("385912345678+")]
    #[case::sign("-0912345678")]
    #[case::dash_behind_plus("+-385912345678")]
    #[case::item_of_a_list("1) 0912345678")]
    #[case::open_bracket("(091 2345678")]
    #[case::nested_brackets("((091)) 2345678")]
    #[case::italy("+39 (0)6 12345678")]
    #[case::italy_by_two_zeros("0039 (0)6 12345678")]
    #[case::where_the_zero_is_dialled("+378 (0)549 882345")]
    #[case::zero_behind_no_code("44 (0)20 7946 0958")]
    #[case::bracket_behind_a_number("091 2345678 (2)")]
    #[case::zero_behind_a_number("+385 91 234 5678 (0)")]
    #[case::end_of_another("+385 1 2345-678/679")]
    #[case::two_numbers_by_blank("2345678 3456789")]
    #[case::two_numbers_by_dash("234 5678 - 345 6789")]
    #[case::two_numbers_in_brackets("2345678 (3456789)")]
    #[case::end_of_another_by_dash("091 234 5678 \u{2013} 9")]
    #[case::percent("tel:+385%20912345678")]
    #[case::superscript("09123456\u{b2}")]
    #[case::fraction("0912345\u{bd}")]
    #[case::roman("0912345\u{2167}")]
    #[case::null("0912345678\0")]
    fn refuses(#[case] given: &str) {
        assert_eq!(canonical(given), None);
    }

    #[rstest]
    #[case("091", &["091"])]
    #[case("(091)", &["091"])]
    #[case("234-5678", &["234", "5678"])]
    #[case("091/234-5678", &["091", "234", "5678"])]
    #[case("+385.91.2345678", &["+385", "91", "2345678"])]
    #[case("tel:+385912345678", &["+385912345678"])]
    #[case("\u{661}\u{662}\u{663}\u{2013}\u{664}\u{665}", &["123", "45"])]
    #[case("+44(0)20", &["+4420"])]
    #[case("(0)20", &["20"])]
    #[case("+44\u{200b}20", &["+4420"])]
    #[case::another("24-7", &["24-7"])]
    #[case::a_company("3.com", &["3.com"])]
    #[case::an_address("ana-1.2@acme.hr", &["ana-1.2@acme.hr"])]
    #[case::no_digit("-", &["-"])]
    fn a_search_word_that_looks_like_a_number_is_split(
        #[case] word: &str,
        #[case] expected: &[&str],
    ) {
        assert_eq!(parts(word), expected);
    }

    proptest::proptest! {
        #[test]
        fn separators_change_no_digit(
            digits in "[1-9][0-9]{6,14}",
            separators in proptest::collection::vec("[ \u{a0}\u{2011}\u{200b}-]{0,2}", 15),
        ) {
            let written: String =
                digits.chars().zip(separators).flat_map(|(d, s)| [d.to_string(), s]).collect();
            proptest::prop_assert_eq!(canonical(&format!("x{written}")), None);
            proptest::prop_assert_eq!(canonical(&written), Some(digits));
        }
    }
}
