//! Decodes bodies whose `charset` parameter names an encoding other than UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Encodings whose bytes also read as ASCII, but then with another meaning.
const UNREADABLE: &[&str] = &["utf-7", "utf7", "unicode-1-1-utf-7", "hz-gb-2312"];

/// Why bytes could not be read as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotText {
    /// The encoding is not supported.
    Unsupported,
    /// The bytes are not valid in the named encoding.
    Malformed(&'static str),
}

/// The body names two different encodings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous;

/// Returns the one charset that all `names` mean. Clients and proxies sometimes add the charset
/// again, often in another spelling.
///
/// # Errors
/// [`Ambiguous`].
pub(super) fn one_of<'a>(
    mut names: impl Iterator<Item = &'a str>,
) -> Result<Option<&'a str>, Ambiguous> {
    let Some(first) = names.next() else { return Ok(None) };
    let same = |other: &str| {
        first.trim().eq_ignore_ascii_case(other.trim())
            || matches!((known(first), known(other)), (Some(one), Some(other)) if one == other)
    };
    if names.all(same) { Ok(Some(first)) } else { Err(Ambiguous) }
}

/// Decodes `bytes` into text. Without a charset, or with an unknown one, they must be UTF-8: the
/// replaced service did the same, and text in other encodings is rarely valid UTF-8.
///
/// # Errors
/// [`NotText`]; invalid bytes are never replaced.
pub(super) fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, NotText> {
    let encoding = encoding(charset)?;
    if encoding == UTF_8 {
        let text = std::str::from_utf8(bytes).map_err(|_| NotText::Malformed(UTF_8.name()))?;
        return Ok(Cow::Borrowed(text));
    }
    if !encoding.is_ascii_compatible() {
        return Err(NotText::Unsupported);
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.ok_or(NotText::Malformed(encoding.name()))
}

/// Like [`decode`], for JSON, which may also be UTF-16. JSON begins with an ASCII character, so the
/// first bytes show whether a claim of UTF-16 is true, and the byte order.
///
/// # Errors
/// [`NotText`].
pub(super) fn decode_json<'a>(
    bytes: &'a [u8],
    charset: Option<&str>,
) -> Result<Cow<'a, [u8]>, NotText> {
    let encoding = encoding(charset)?;
    let wide = match bytes {
        [0xff, 0xfe, text @ ..] => Some((UTF_16LE, text)),
        [0xfe, 0xff, text @ ..] => Some((UTF_16BE, text)),
        [0, first, ..] if *first != 0 => Some((UTF_16BE, bytes)),
        [first, 0, ..] if *first != 0 => Some((UTF_16LE, bytes)),
        _ => None,
    };
    let says_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    let text = match wide {
        Some((wide, text)) if says_wide => wide
            .decode_without_bom_handling_and_without_replacement(text)
            .ok_or(NotText::Malformed(wide.name()))?,
        // The JSON reader reports invalid UTF-8 itself, because it knows the position.
        _ if says_wide || encoding == UTF_8 => return Ok(Cow::Borrowed(bytes)),
        _ => decode(bytes, charset)?,
    };
    Ok(Cow::Owned(text.into_owned().into_bytes()))
}

fn encoding(charset: Option<&str>) -> Result<&'static Encoding, NotText> {
    let label = charset.unwrap_or_default().trim().to_ascii_lowercase();
    if UNREADABLE.contains(&label.as_str()) {
        return Err(NotText::Unsupported);
    }
    Ok(known(&label).unwrap_or(UTF_8))
}

fn known(charset: &str) -> Option<&'static Encoding> {
    let label = charset.trim().to_ascii_lowercase();
    // Browsers read ASCII as windows-1252, but non-ASCII bytes are more likely UTF-8.
    if matches!(label.as_str(), "ascii" | "us-ascii" | "ansi_x3.4-1968") {
        return Some(UTF_8);
    }
    let as_python_spells_it = label.replace("latin-", "latin").replace('_', "-");
    Encoding::for_label(label.as_bytes())
        .or_else(|| Encoding::for_label(as_python_spells_it.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None, "\u{160}".as_bytes(), "\u{160}")]
    #[case(Some("UTF-8"), "\u{160}".as_bytes(), "\u{160}")]
    #[case(Some("utf8"), "\u{160}".as_bytes(), "\u{160}")]
    #[case(Some("nonsense"), "\u{160}".as_bytes(), "\u{160}")]
    #[case(Some("us-ascii"), "\u{160}".as_bytes(), "\u{160}")]
    #[case(Some("ISO-8859-1"), b"Caf\xe9", "Caf\u{e9}")]
    #[case(Some("latin-1"), b"Caf\xe9", "Caf\u{e9}")]
    #[case(Some("latin1"), b"\xc3\xa9", "\u{c3}\u{a9}")]
    #[case(Some("iso-8859-2"), b"\xa9ari\xe6", "\u{160}ari\u{107}")]
    #[case(Some("windows-1250"), b"\x8aari\xe6", "\u{160}ari\u{107}")]
    #[case(Some("cp1252"), b"\x80", "\u{20ac}")]
    #[case(Some("shift_jis"), b"\x83\x65", "\u{30c6}")]
    fn decodes(#[case] charset: Option<&str>, #[case] bytes: &[u8], #[case] text: &str) {
        assert_eq!(decode(bytes, charset).as_deref(), Ok(text));
    }

    #[rstest]
    #[case(None, b"\xff", NotText::Malformed("UTF-8"))]
    #[case(Some("nonsense"), b"\xe9", NotText::Malformed("UTF-8"))]
    #[case(Some("ascii"), b"\xe9", NotText::Malformed("UTF-8"))]
    #[case(Some("shift_jis"), b"\xff", NotText::Malformed("Shift_JIS"))]
    #[case(Some("UTF-7"), b"+AWA-", NotText::Unsupported)]
    #[case(Some("utf-16"), b"a\0", NotText::Unsupported)]
    fn refuses(#[case] charset: Option<&str>, #[case] bytes: &[u8], #[case] error: NotText) {
        assert_eq!(decode(bytes, charset), Err(error));
    }

    #[rstest]
    #[case("utf-16", b"\xff\xfe{\0}\0")]
    #[case("utf-16", b"\xfe\xff\0{\0}")]
    #[case("utf-16le", b"{\0}\0")]
    #[case("UTF-16BE", b"\0{\0}")]
    #[case("utf-16", b"{}")]
    #[case("iso-8859-1", b"{}")]
    fn decodes_json(#[case] charset: &str, #[case] bytes: &[u8]) {
        assert_eq!(decode_json(bytes, Some(charset)).as_deref(), Ok(b"{}".as_slice()));
    }

    #[rstest]
    #[case(&[], Ok(None))]
    #[case(&["utf-8", "UTF-8"], Ok(Some("utf-8")))]
    #[case(&["utf-8", "utf8", " Utf-8"], Ok(Some("utf-8")))]
    #[case(&["latin-1", "iso-8859-1"], Ok(Some("latin-1")))]
    #[case(&["nonsense", "Nonsense"], Ok(Some("nonsense")))]
    #[case(&["utf-8", "iso-8859-1"], Err(Ambiguous))]
    #[case(&["utf-8", "utf-8", "utf-16"], Err(Ambiguous))]
    #[case(&["utf-8", "nonsense"], Err(Ambiguous))]
    #[case(&["utf-8", ""], Err(Ambiguous))]
    fn two_charsets_must_name_the_same_encoding(
        #[case] names: &[&str],
        #[case] one: Result<Option<&str>, Ambiguous>,
    ) {
        assert_eq!(one_of(names.iter().copied()), one);
    }

    #[test]
    fn half_a_character_of_utf_16_is_refused() {
        let error = decode_json(b"{\0}", Some("utf-16"));
        assert_eq!(error, Err(NotText::Malformed("UTF-16LE")));
    }
}
