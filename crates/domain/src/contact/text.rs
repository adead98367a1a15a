//! Finds addresses and numbers inside texts.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

use super::{Contact, ContactKind};
use crate::characters::{ascii_digit, is_invisible};
use crate::{email, phone};

/// The most digits of a phone number, with a margin for `00` and an extension.
const MOST_DIGITS: usize = 20;

/// Whether `is` returns true for an address or a number anywhere in `text`.
pub(super) fn has(text: &str, is: &dyn Fn(&Contact) -> bool) -> bool {
    let text = plain(text.trim());
    // Times have many digits, and are no numbers.
    if chrono::DateTime::parse_from_rfc3339(&text).is_ok() {
        return false;
    }
    if text.is_ascii() {
        return has_as_written(&text, is);
    }
    // An invisible mark may be between two addresses, or within one.
    let ascii: String = text.chars().map(ascii).collect();
    let visible: String = ascii.chars().filter(|c| !is_invisible(*c)).collect();
    has_as_written(&text, is)
        || ascii != *text && has_as_written(&ascii, is)
        || visible != ascii && has_as_written(&visible, is)
}

fn has_as_written(text: &str, is: &dyn Fn(&Contact) -> bool) -> bool {
    let is_email = |part: &str| is_one(ContactKind::Email, part, is);
    is_email(text) || addresses(text).into_iter().any(is_email) || has_number(text, is)
}

/// The ASCII character that looks the same, for full-width characters, digits of other scripts, and
/// what people type instead of a blank, a dot or a hyphen.
fn ascii(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{2007}' | '\u{3000}' => ' ',
        '\u{3002}' | '\u{ff61}' => '.',
        '\u{2212}' => '-',
        c => ascii_digit(c),
    }
}

/// The same for a value. One that is an address is no other address: `x=ana@acme.hr` is not Ana's.
pub(super) fn has_as_value(text: &str, is: &dyn Fn(&Contact) -> bool) -> bool {
    match email::is_valid(text.trim()) {
        true => is_one(ContactKind::Email, text, is) || has_number(text, is),
        false => has(text, is),
    }
}

fn has_number(text: &str, is: &dyn Fn(&Contact) -> bool) -> bool {
    let is_phone = |part: &str| is_one(ContactKind::Phone, part, is);
    text.chars().all(is_in_number) && is_phone(text)
        || numbers(text).iter().any(|number| is_phone(number))
}

fn is_one(kind: ContactKind, text: &str, is: &dyn Fn(&Contact) -> bool) -> bool {
    Contact::read(kind, text).is_some_and(|contact| is(&contact))
}

/// The text without the escapes that links have for `@` and `+`.
fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let text = text.replace("%40", "@");
    Cow::Owned(text.replace("%2B", "+").replace("%2b", "+"))
}

/// All addresses in a text, each as long as possible: `xana@acme.hr` has no `ana@acme.hr`.
fn addresses(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let (before, after) = text.split_at(at);
        let name = local_part(before);
        let domain = after.strip_prefix('@').unwrap_or_default();
        let end = domain.find(|c| !is_in_domain(c)).unwrap_or(domain.len());
        let domain = domain.split_at(end).0.trim_end_matches(['.', '-']);
        let (from, to) = (at - name.len(), at + 1 + domain.len());
        found.extend(text.get(from..to));
    }
    found
}

/// The local part at the end of a text.
fn local_part(before: &str) -> &str {
    let mut from = before.len();
    for (at, c) in before.char_indices().rev() {
        let is_part = is_word(c) || "!#$%&'*+/=?^_`{|}~-.".contains(c);
        // These separate addresses from what is before them in links and lists.
        if !is_part || "=&?/|".contains(c) {
            break;
        }
        from = at;
    }
    // A quote, a star or a dash before an address is no part of it; within it, it is.
    before
        .split_at(from)
        .1
        .trim_start_matches(['!', '#', '$', '%', '\'', '*', '^', '`', '{', '}', '~', '-', '.'])
}

/// The numbers in a text, in every way in which its groups of digits may be meant: each begins where
/// a number can begin, and ends where a group ends.
fn numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut glued = false;
    for piece in text.split_inclusive(|c| !is_in_number(c)) {
        let run = piece.trim_end_matches(|c| !is_in_number(c));
        for (at, part) in run.split('+').enumerate() {
            let groups = groups(part);
            let is_glued = at == 0 && glued && part.starts_with(|c: char| c.is_ascii_digit());
            let first = if is_glued { 1 } else { 0 };
            // Without a zero in brackets, which is not dialled from abroad.
            if part.contains("(0)") && !is_glued {
                found
                    .extend(phone::canonical(&format!("{}{part}", if at == 0 { "" } else { "+" })));
            }
            for (start, (gap, digits)) in groups.iter().enumerate().skip(first) {
                let begins = start == first || gap.starts_with('.') && gap.contains(' ');
                if begins && (at == 0 || start == 0) {
                    let rest = groups.iter().skip(start).map(|(_, digits)| *digits);
                    found.extend(longer_and_longer(rest));
                } else if at == 0 && is_long_enough(digits) {
                    // A number without spaces stands for itself.
                    found.push((*digits).to_owned());
                }
            }
        }
        glued = piece.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    }
    found
}

fn is_long_enough(digits: &str) -> bool {
    (super::FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len())
}

/// The first group of digits, the first two together, and so on.
fn longer_and_longer<'a>(groups: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all = String::new();
    let mut found = Vec::new();
    for digits in groups {
        all.push_str(digits);
        if all.len() > MOST_DIGITS {
            break;
        }
        if is_long_enough(&all) {
            found.push(all.clone());
        }
    }
    found
}

/// The groups of digits in a text, each with what is between it and the one before.
fn groups(text: &str) -> Vec<(&str, &str)> {
    let mut groups = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (gap, tail) = rest.split_at(at);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (digits, after) = tail.split_at(end);
        groups.push((gap, digits));
        rest = after;
    }
    groups
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

fn is_in_domain(c: char) -> bool {
    is_word(c) || c == '-' || c == '.'
}

/// Whether a phone number may contain the character, as people write it.
fn is_in_number(c: char) -> bool {
    c.is_ascii_digit()
        || "+-/(). ".contains(c)
        // Spaces and hyphens that do not end a line.
        || matches!(c, '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{2010}'..='\u{2013}')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn is_ana(contact: &Contact) -> bool {
        let ana = ["email:a@b.hr", "phone:385911234567", "phone:0911234567", "email:a@bücher.de"];
        ana.contains(&contact.to_string().as_str())
    }

    #[rstest]
    #[case("a@b.hr")]
    #[case("Ana <A@B.hr>")]
    #[case("Ana Horvat <a@b.hr>, Eva <eva@b.hr>")]
    #[case("eva@b.hr;a@b.hr")]
    #[case("write to a@b.hr.")]
    #[case("write to a@b.hr, please")]
    #[case("(a@b.hr)")]
    #[case("'a@b.hr' is refused")]
    #[case("\"a@b.hr\"")]
    #[case("*a@b.hr*, _by mail_")]
    #[case("-a@b.hr\n-eva@b.hr")]
    #[case("mailto:a@b.hr?subject=x")]
    #[case("https://x.hr/?to=a%40b.hr&by=x")]
    #[case("https://x.hr/unsubscribe/a@b.hr/now")]
    #[case("mail:a@b.hr:welcome")]
    #[case("mail=a@b.hr")]
    #[case("550 5.1.1 <a@b.hr>: refused")]
    #[case("&lt;a@b.hr&gt;")]
    #[case("{\\\"to\\\": \\\"a@b.hr\\\"}")]
    #[case("a@xn--bcher-kva.de is gone")]
    #[case("a@BU\u{308}CHER.de is gone")]
    #[case("\u{200b}a@b.hr")]
    #[case("call 385911234567")]
    #[case("Tel. +385 91 123-4567.")]
    #[case("tel:+385911234567")]
    #[case("phone=%2B385911234567")]
    #[case("+385 91 123 4567 or +386 40 111 222")]
    #[case("+386 40 111 222/+385 91 123 4567")]
    #[case("at 10:05 385911234567 was busy")]
    #[case("room 12, 00385 (91) 123 4567")]
    #[case("7. 091 123 4567")]
    #[case("091/123\u{a0}4567 at noon")]
    #[case("091 123 4567\n091 765 4321")]
    #[case("385911234567@s.whatsapp.net")]
    #[case("\u{ff21}\u{ff20}\u{ff42}\u{ff0e}\u{ff48}\u{ff52} is gone")]
    #[case("a@b\u{3002}hr")]
    #[case("write to a\u{200b}@\u{2060}b\u{ad}.hr")]
    #[case("eva@b.hr\u{200b}a@b.hr")]
    #[case(
        "call \u{ff10}\u{ff19}\u{ff11}\u{3000}\u{ff11}\u{ff12}\u{ff13}\u{3000}\u{ff14}\u{ff15}\u{ff16}\u{ff17}"
    )]
    #[case("\u{ff0b}385\u{2007}91\u{2007}1234567")]
    #[case("\u{660}\u{669}\u{661}\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}")]
    #[case("091\u{ad}123\u{200b}4567")]
    #[case("091\u{2212}123\u{2212}4567")]
    #[case("call +385 (0)91 123 4567, please")]
    fn a_contact_is_found_within_a_text(#[case] text: &str) {
        assert!(has(text, &is_ana), "{text}");
    }

    #[rstest]
    #[case("xa@b.hr")]
    #[case("to xa@b.hr")]
    #[case("x.a@b.hr, x-a@b.hr, x_a@b.hr, x+a@b.hr, _a@b.hr")]
    #[case("to o'a@b.hr")]
    #[case("a@b.hr.example")]
    #[case("to a@b.hr.example.")]
    #[case("a@b.hrx and a@b.hr-x.de and a@xb.hr and a@x.b.hr")]
    #[case("\u{111}a@b.hr")]
    #[case("a@bu\u{308}cher.de.example")]
    #[case("a @b.hr")]
    #[case("b.hr@a")]
    #[case("3859112345678")]
    #[case("call 3859112345678 or 1385911234567")]
    #[case("+386 91 123 4567")]
    #[case("+386 0911234567")]
    #[case("1 385 91 123 4567")]
    #[case("key x385911234567 and job_0911234567")]
    #[case("3859112,34567")]
    #[case("38591\n1234567")]
    #[case("1938-09-11T23:45:07.385911Z")]
    #[case("\u{ff58}\u{ff41}@b.hr")]
    #[case("key x+385 (0)911 234 5678")]
    #[case("")]
    fn nobody_else_is_taken_for_the_person(#[case] text: &str) {
        assert!(!has(text, &is_ana), "{text}");
        assert!(!has_as_value(text, &is_ana), "{text}");
    }

    #[rstest]
    #[case("a@b.hr", true)]
    #[case(" A@B.hr ", true)]
    #[case("x=a@b.hr", false)]
    #[case("x/a@b.hr", false)]
    #[case("x/a@b.hr, x", true)]
    #[case("385911234567@s.whatsapp.net", true)]
    fn a_value_that_is_an_address_is_no_other_one(#[case] text: &str, #[case] found: bool) {
        assert_eq!(has_as_value(text, &is_ana), found, "{text}");
    }

    #[test]
    fn long_texts_of_digits_and_signs_take_no_long_time() {
        let digits = "1 ".repeat(50_000) + &"@".repeat(50_000) + &"a'".repeat(20_000);
        assert!(!has(&digits, &is_ana));
    }
}
