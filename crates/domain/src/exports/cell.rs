//! Cells of CSV files that spreadsheets do not run.
//!
//! A spreadsheet takes a cell that begins with certain characters for a formula, and a formula can
//! send other cells to a stranger. So a tab is put in front of these characters, as OWASP
//! recommends. A reader takes that tab away.

use std::borrow::Cow;

/// Whether a spreadsheet may take a text that begins with this character for a formula. Some drop
/// blanks in front of one, and some read full-width signs as plain ones.
fn begins_formula(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
}

/// The cell for a text. The file must have it between quotes, or the tab may get lost.
pub fn write(text: &str) -> Cow<'_, str> {
    match text.starts_with(begins_formula) {
        true => format!("\t{text}").into(),
        false => text.into(),
    }
}

/// The text of a cell that [`write`] made.
pub fn read(cell: &str) -> &str {
    cell.strip_prefix('\t').unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("+385911234567", "\t+385911234567")]
    #[case("=HYPERLINK(\"https://evil.hr\")", "\t=HYPERLINK(\"https://evil.hr\")")]
    #[case("-1", "\t-1")]
    #[case("@SUM(1)", "\t@SUM(1)")]
    #[case("\t=1", "\t\t=1")]
    #[case("\r\n=1", "\t\r\n=1")]
    #[case("＝1", "\t＝1")]
    #[case("a=1", "a=1")]
    #[case("'=1", "'=1")]
    #[case("", "")]
    #[case("\0", "\0")]
    fn a_formula_gets_a_tab_in_front(#[case] text: &str, #[case] cell: &str) {
        assert_eq!(write(text), cell);
        assert_eq!(read(cell), text);
    }

    proptest! {
        #[test]
        fn every_text_is_read_back(text in "[=+\\-@\t\r\n＝]{0,3}\\PC{0,5}|(?s:.{0,8})") {
            let cell = write(&text);
            prop_assert_eq!(read(&cell), &text);
            let is_run = cell.starts_with(|first| first != '\t' && begins_formula(first));
            prop_assert!(!is_run, "{:?}", cell);
        }
    }
}
