//! Responses that a browser stores as a file, and never shows.

use actix_web::HttpResponseBuilder;
use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use exit3_app::contracts::{ContractError, Sending};
use futures_util::{Stream, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// `Content-Security-Policy` of a file: if a browser shows it all the same, nothing in it runs.
const SECURITY: &str = "sandbox; default-src 'none'";

/// The characters of RFC 8187 that are not encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Makes a response a file of this name that no cache keeps.
pub fn attach(response: &mut HttpResponseBuilder, name: &str, media_type: &'static str) {
    response.insert_header((header::CONTENT_TYPE, media_type));
    response.insert_header((header::CONTENT_DISPOSITION, disposition(name)));
    response.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response.insert_header((header::CONTENT_SECURITY_POLICY, SECURITY));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
}

/// The content of a file, read while it is sent.
pub fn file_body(
    sending: Sending,
) -> SizedStream<impl Stream<Item = Result<Bytes, ContractError>>> {
    let size = sending.size;
    let pieces = stream::try_unfold(sending, |mut sending| async move {
        let piece = sending.next().await?;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), sending)))
    });
    SizedStream::new(size, Box::pin(pieces))
}

/// The header `Content-Disposition` (RFC 6266): the name in ASCII, for readers that know no other
/// one, and the whole name.
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%') { c } else { '_' })
        .collect();
    let whole = utf8_percent_encode(name, ENCODED);
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}");
    // It is ASCII without control characters.
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a.pdf", "a.pdf", "a.pdf")]
    #[case("Ugovor čš.pdf", "Ugovor __.pdf", "Ugovor%20%C4%8D%C5%A1.pdf")]
    #[case("a\"; x=\".pdf", "a_; x=_.pdf", "a%22%3B%20x%3D%22.pdf")]
    #[case("a\r\nB: c\0.pdf", "a__B: c_.pdf", "a%0D%0AB%3A%20c%00.pdf")]
    #[case("50%.pdf", "50_.pdf", "50%25.pdf")]
    #[case(r"a\b'*().pdf", "a_b'*().pdf", "a%5Cb%27%2A%28%29.pdf")]
    fn a_name_cannot_end_the_header(#[case] name: &str, #[case] plain: &str, #[case] whole: &str) {
        let expected = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}");
        assert_eq!(disposition(name), expected.as_str());
    }
}
