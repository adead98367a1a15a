//! `application/x-www-form-urlencoded` bodies, and types shared by all forms.

use exit3_domain::raw::RawValue;
use percent_encoding::percent_decode;

use super::charset::{self, NotText};

/// The most fields in a form.
pub(super) const MAX_FIELDS: usize = 1000;

/// What is wrong with a form.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormError {
    /// A name or a value is not valid in its encoding.
    #[error("not {0}")]
    NotIn(&'static str),
    /// The encoding is not supported.
    #[error("unsupported charset")]
    Charset,
    /// A part has a `Content-Transfer-Encoding` other than a readable base64.
    #[error("a content transfer encoding that cannot be read")]
    TransferEncoding,
    /// More than [`MAX_FIELDS`] fields.
    #[error("more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// The content type names no boundary. The message is the replaced service's.
    #[error("Invalid boundary in multipart: None")]
    Boundary,
    /// The parts cannot be separated reliably.
    #[error("malformed multipart body")]
    Multipart,
}

impl From<NotText> for FormError {
    fn from(error: NotText) -> Self {
        match error {
            NotText::Unsupported => Self::Charset,
            NotText::Malformed(encoding) => Self::NotIn(encoding),
        }
    }
}

/// A form's fields, in the order in which they were sent.
pub(super) type Fields = Vec<(String, RawValue)>;

/// Reads `application/x-www-form-urlencoded`.
///
/// # Errors
/// [`FormError`].
pub(super) fn parse_urlencoded(body: &[u8], charset: Option<&str>) -> Result<Fields, FormError> {
    let mut fields = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if fields.len() == MAX_FIELDS {
            return Err(FormError::TooManyFields);
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default(), charset)?;
        let value = decode(halves.next().unwrap_or_default(), charset)?;
        fields.push((name, input(value)));
    }
    Ok(fields)
}

/// The value of a form input.
pub(super) fn input(value: String) -> RawValue {
    if value.is_empty() { RawValue::Unfilled } else { RawValue::Text(value) }
}

fn decode(text: &[u8], charset: Option<&str>) -> Result<String, FormError> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    Ok(charset::decode(&bytes, charset)?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_plus_and_percent() {
        assert_eq!(
            parse_urlencoded(b"full_name=Form+Person&email=f%40example.com&&flag", None).unwrap(),
            [
                ("full_name".to_owned(), RawValue::text("Form Person")),
                ("email".to_owned(), RawValue::text("f@example.com")),
                ("flag".to_owned(), RawValue::Unfilled),
            ]
        );
    }

    #[test]
    fn refuses_invalid_utf_8() {
        assert!(matches!(parse_urlencoded(b"a=%ff", None), Err(FormError::NotIn("UTF-8"))));
    }

    #[test]
    fn a_charset_applies_to_percent_encoded_bytes() {
        for body in [b"a=Caf%E9".as_slice(), b"a=Caf\xe9"] {
            let fields = parse_urlencoded(body, Some("iso-8859-1")).unwrap();
            assert_eq!(fields, [("a".to_owned(), RawValue::text("Caf\u{e9}"))]);
        }
        assert!(matches!(parse_urlencoded(b"a=b", Some("utf-16")), Err(FormError::Charset)));
    }

    #[test]
    fn a_percent_sign_without_digits_is_kept() {
        let fields = parse_urlencoded(b"a=100%+%zz%2", None).unwrap();
        assert_eq!(fields, [("a".to_owned(), RawValue::text("100% %zz%2"))]);
    }

    #[test]
    fn refuses_more_fields_than_the_limit() {
        let most = "a=1&".repeat(MAX_FIELDS);
        assert_eq!(parse_urlencoded(most.as_bytes(), None).unwrap().len(), MAX_FIELDS);
        let more = format!("{most}a=1");
        assert!(matches!(parse_urlencoded(more.as_bytes(), None), Err(FormError::TooManyFields)));
    }
}
