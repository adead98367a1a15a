//! Regular expressions (of ECMA-262, as JSON Schema has them) for what texts may
//! look like before they are trimmed.

/// Inside of a class: what is trimmed.
const SPACE: &str =
    r"\t\n\x0b\x0c\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// Inside of a class: what no text may hold, but where it is trimmed.
const CONTROL: &str = r"\x00-\x08\x0b-\x1f\x7f-\x9f";

/// Inside of a class: digits, superscripts among them. Those of other scripts are
/// digits to the domain too, but too many to name.
const DIGIT: &str = r"0-9\xb2\xb3\xb9\u2070\u2074-\u2079\u2080-\u2089";

/// Two characters or more without angle brackets, not only digits.
pub(super) fn person_name() -> String {
    let outer = format!("[^{SPACE}{CONTROL}<>]");
    let inner = format!("[^{CONTROL}<>]");
    let outer_letter = format!("[^{SPACE}{CONTROL}<>{DIGIT}]");
    let inner_letter = format!("[^{CONTROL}<>{DIGIT}]");
    trimmed(&format!(
        "(?:{outer_letter}{inner}*{outer}|{outer}{inner}*{outer_letter}\
         |{outer}{inner}*{inner_letter}{inner}*{outer})"
    ))
}

/// Two characters or more without angle brackets.
pub(super) fn label() -> String {
    trimmed(&format!("[^{SPACE}{CONTROL}<>][^{CONTROL}<>]*[^{SPACE}{CONTROL}<>]"))
}

/// As [`label`], or blank.
pub(super) fn optional_label() -> String {
    trimmed(&format!("(?:[^{SPACE}{CONTROL}<>][^{CONTROL}<>]*[^{SPACE}{CONTROL}<>])?"))
}

/// A phone number.
pub(super) fn phone() -> String {
    trimmed(r"\+?[0-9]{7,15}")
}

/// Any text.
pub(super) fn text() -> String {
    trimmed(&format!("[^{CONTROL}]*"))
}

/// Nothing, or what is trimmed to nothing.
pub(super) fn blank() -> String {
    trimmed("")
}

/// The words for a boolean, in any case.
pub(super) fn boolean() -> String {
    let words = ["true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0"];
    let in_any_case = words.map(|word| {
        let letters = word.chars().map(|c| match c.to_ascii_uppercase() {
            upper if upper == c => c.to_string(),
            upper => format!("[{upper}{c}]"),
        });
        letters.collect::<String>()
    });
    format!("^(?:{})$", in_any_case.join("|"))
}

fn trimmed(pattern: &str) -> String {
    format!("^[{SPACE}]*{pattern}[{SPACE}]*$")
}
