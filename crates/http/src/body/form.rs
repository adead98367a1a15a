//! `application/x-www-form-urlencoded` and `multipart/form-data` bodies.

use actix_multipart::{Multipart, MultipartError};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use exit3_domain::raw::RawValue;
use futures_util::StreamExt;
use percent_encoding::percent_decode;

/// The most fields of a form.
pub(super) const MAX_FIELDS: usize = 1000;

/// What is wrong with a form.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormError {
    /// A name or a value is not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// More than [`MAX_FIELDS`] fields.
    #[error("more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// The content type does not say what stands between the parts. In the
    /// words of the replaced service.
    #[error("Invalid boundary in multipart: None")]
    Boundary,
    /// The parts cannot be told apart.
    #[error("malformed multipart body")]
    Multipart,
}

/// A form's fields, in the order in which they were sent.
pub(super) type Fields = Vec<(String, RawValue)>;

/// Reads `application/x-www-form-urlencoded`.
///
/// # Errors
/// [`FormError`].
pub(super) fn parse_urlencoded(body: &[u8]) -> Result<Fields, FormError> {
    let mut fields = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if fields.len() == MAX_FIELDS {
            return Err(FormError::TooManyFields);
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        fields.push((name, input(value)));
    }
    Ok(fields)
}

/// What an input of a form holds.
fn input(value: String) -> RawValue {
    if value.is_empty() { RawValue::Unfilled } else { RawValue::Text(value) }
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| FormError::Encoding)
}

/// Reads `multipart/form-data` that has already arrived in full. A part with a
/// file name is a file, which no field of the API takes; it is called by that name.
///
/// # Errors
/// [`FormError`].
pub(super) async fn parse_multipart(content_type: &str, body: Bytes) -> Result<Fields, FormError> {
    let content_type = without_empty_parameters(content_type);
    let content_type = HeaderValue::try_from(content_type).map_err(|_| FormError::Boundary)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, content_type);
    let arrived = futures_util::stream::iter([Ok::<_, actix_web::error::PayloadError>(body)]);
    let mut parts = Multipart::new(&headers, arrived);
    let mut fields = Vec::new();
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|error| match error {
            MultipartError::BoundaryMissing => FormError::Boundary,
            _ => FormError::Multipart,
        })?;
        if fields.len() == MAX_FIELDS {
            return Err(FormError::TooManyFields);
        }
        let mut value = Vec::new();
        while let Some(chunk) = part.next().await {
            value.extend_from_slice(&chunk.map_err(|_| FormError::Multipart)?);
        }
        let disposition = part.content_disposition().ok_or(FormError::Multipart)?;
        let name = disposition.get_name().ok_or(FormError::Multipart)?.to_owned();
        let value = match disposition.get_filename() {
            Some(file) if !file.is_empty() => RawValue::Other(file.to_owned()),
            _ => input(String::from_utf8(value).map_err(|_| FormError::Encoding)?),
        };
        fields.push((name, value));
    }
    Ok(fields)
}

/// A media type may have parameters that are empty (RFC 9110, 5.6.6), which the parser of
/// multipart bodies does not expect.
fn without_empty_parameters(content_type: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let parts = content_type.split(|character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' => return !quoted,
            _ => {}
        }
        false
    });
    let parts: Vec<&str> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parameters_mean_nothing() {
        for (given, tidy) in [
            ("multipart/form-data; boundary=x", "multipart/form-data; boundary=x"),
            ("multipart/form-data ;; boundary=x ; ", "multipart/form-data; boundary=x"),
            ("a/b;c=\";\\\";;\";;d=e", "a/b; c=\";\\\";;\"; d=e"),
            ("", ""),
        ] {
            assert_eq!(without_empty_parameters(given), tidy);
        }
    }

    #[test]
    fn decodes_plus_and_percent() {
        assert_eq!(
            parse_urlencoded(b"full_name=Form+Person&email=f%40example.com&&flag").unwrap(),
            [
                ("full_name".to_owned(), RawValue::text("Form Person")),
                ("email".to_owned(), RawValue::text("f@example.com")),
                ("flag".to_owned(), RawValue::Unfilled),
            ]
        );
    }

    #[test]
    fn refuses_what_is_not_utf_8() {
        assert!(matches!(parse_urlencoded(b"a=%ff"), Err(FormError::Encoding)));
    }

    #[test]
    fn refuses_more_fields_than_the_limit() {
        let most = "a=1&".repeat(MAX_FIELDS);
        assert_eq!(parse_urlencoded(most.as_bytes()).unwrap().len(), MAX_FIELDS);
        let more = format!("{most}a=1");
        assert!(matches!(parse_urlencoded(more.as_bytes()), Err(FormError::TooManyFields)));
    }
}
