//! The name of a contract file, as people see it.

use unicode_normalization::UnicodeNormalization;

use super::{ContractKind, ContractRefused};
use crate::characters::{is_blank, is_invisible, is_joiner, is_trimmed};

/// The most bytes of a name: what file systems accept.
const MOST: usize = 255;

/// The name of a file that has none, apart from its ending.
const NAMELESS: &str = "contract";

/// The name under which a contract is sent. It has no directories, no control characters and no
/// marks of direction, and at most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractName(String);

impl ContractName {
    /// The name that a sender gave to a file, without what is dangerous in it.
    ///
    /// # Errors
    /// [`ContractRefused::Kind`] if it does not end like that of a known kind.
    pub fn parse(given: &str) -> Result<Self, ContractRefused> {
        let name = Self::of(given);
        name.kind().map(|_| name).ok_or(ContractRefused::Kind)
    }

    /// The name of the file at a path, which may be of any kind.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let shown: String = name.chars().filter(|c| is_kept(*c)).nfc().collect();
        let is_edge = |c: char| is_trimmed(c) || c == '.';
        let shown = shown.trim_end_matches(is_edge);
        let (stem, extension) = shown.rsplit_once('.').unwrap_or((shown, ""));
        let stem = stem.trim_matches(is_edge);
        if is_blank(stem) {
            return Self(joined(NAMELESS, extension));
        }
        // A name of that length has no ending.
        let is_odd = extension.len() > MOST / 2;
        let (stem, extension) =
            if is_odd { (shown.trim_matches(is_edge), "") } else { (stem, extension) };
        let ending = if extension.is_empty() { 0 } else { extension.len() + 1 };
        let stem = shortened(stem, MOST - ending).trim_end_matches(is_edge);
        Self(joined(stem, extension))
    }

    /// The kind that the ending stands for.
    pub fn kind(&self) -> Option<ContractKind> {
        let (_, extension) = self.0.rsplit_once('.')?;
        ContractKind::of_extension(extension)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character stays. A mark of direction can make `exe.pdf` of `fdp.exe`.
fn is_kept(c: char) -> bool {
    let is_control = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    !is_control && (!is_invisible(c) || is_joiner(c))
}

fn joined(stem: &str, extension: &str) -> String {
    if extension.is_empty() { stem.to_owned() } else { format!("{stem}.{extension}") }
}

/// The beginning of a text, with at most this many bytes.
fn shortened(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("Ugovor čšćžđ.pdf", "Ugovor čšćžđ.pdf")]
    #[case("Ugovor c\u{30c}.PDF", "Ugovor č.PDF")]
    #[case("../../etc/passwd.pdf", "passwd.pdf")]
    #[case(r"C:\Users\Ana\Ugovor.docx", "Ugovor.docx")]
    #[case("a.pdf\0.exe.pdf", "a.pdf.exe.pdf")]
    #[case("a\r\nSet-Cookie: b.pdf", "aSet-Cookie: b.pdf")]
    #[case("ugovor\u{202e}fdp.exe.pdf", "ugovorfdp.exe.pdf")]
    #[case("\u{2066}a\u{2069}.jpeg", "a.jpeg")]
    #[case("\u{feff} a . pdf.odt .", "a . pdf.odt")]
    #[case("a\u{2028}b.png", "ab.png")]
    #[case(".pdf", "contract.pdf")]
    #[case("...pdf", "contract.pdf")]
    #[case("\u{3164}.pdf", "contract.pdf")]
    #[case("می\u{200c}خواهم.pdf", "می\u{200c}خواهم.pdf")]
    fn a_name_loses_what_is_dangerous(#[case] given: &str, #[case] kept: &str) {
        assert_eq!(ContractName::of(given).as_str(), kept);
    }

    #[rstest]
    #[case("a.pdf", Some(ContractKind::Pdf))]
    #[case("a.JPEG", Some(ContractKind::Jpg))]
    #[case("a.jpg", Some(ContractKind::Jpg))]
    #[case("a.docx", Some(ContractKind::Docx))]
    #[case("a.odt", Some(ContractKind::Odt))]
    #[case("a.png", Some(ContractKind::Png))]
    #[case("a.pdf.exe", None)]
    #[case("a.docm", None)]
    #[case("a.svg", None)]
    #[case("pdf", None)]
    #[case("a.pdf/", None)]
    #[case("", None)]
    fn the_ending_decides_the_kind(#[case] given: &str, #[case] kind: Option<ContractKind>) {
        assert_eq!(ContractName::of(given).kind(), kind);
        assert_eq!(ContractName::parse(given).is_ok(), kind.is_some());
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let exact = format!("{}.pdf", "a".repeat(251));
        assert_eq!(ContractName::of(&exact).as_str(), exact);
        let long = ContractName::of(&format!("{}.pdf", "č".repeat(200)));
        assert_eq!(long.as_str().len(), 254);
        assert!(long.as_str().ends_with("č.pdf"));
        let odd = ContractName::of(&format!("a.{}", "b".repeat(300)));
        assert_eq!(odd.as_str().len(), MOST);
    }

    proptest! {
        #[test]
        fn every_name_is_safe(given in "\\PC*|[\\x00-\\x7f]{0,300}|.{0,300}") {
            let name = ContractName::of(&given);
            let text = name.as_str();
            prop_assert!(!text.is_empty() && text.len() <= MOST);
            prop_assert!(!text.contains(['/', '\\', '\0', '\r', '\n']));
            prop_assert!(!text.chars().any(|c| c.is_control() || (is_invisible(c) && !is_joiner(c))));
            prop_assert_eq!(&ContractName::of(text), &name);
        }
    }
}
