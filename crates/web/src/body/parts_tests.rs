use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::{FromRequest, ResponseError, dev};
use futures_util::stream;
use rstest::rstest;

use super::*;
use crate::policy::RoutePolicy;
use crate::route::Served;

const POLICY: RoutePolicy = RoutePolicy {
    body_bytes: 100_000,
    body_time: Duration::from_secs(5),
    content_types: &["multipart/form-data"],
    ..RoutePolicy::DEFAULT
};

/// The parts of a body that arrives in pieces of this size: name, file name and content.
type Read = Vec<(String, Option<String>, Vec<u8>)>;

async fn open(body: &[u8], piece: usize, content_type: &str) -> Result<Parts, ApiError> {
    let request = TestRequest::post().insert_header(("content-type", content_type));
    let request = request.to_http_request();
    request.extensions_mut().insert(Served::new("", "", POLICY));
    let pieces: Vec<_> =
        body.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let stream: dev::Payload = dev::Payload::Stream { payload: Box::pin(stream::iter(pieces)) };
    let mut stream = stream;
    let payload = Payload::from_request(&request, &mut stream).await.unwrap();
    Parts::open(&request, payload)
}

async fn read(body: &[u8], piece: usize) -> Result<Read, ApiError> {
    let mut parts = open(body, piece, "multipart/form-data; boundary=x").await?;
    let mut read = Vec::new();
    while let Some(part) = parts.next().await? {
        let mut content = Vec::new();
        while let Some(piece) = parts.piece().await? {
            assert!(!piece.is_empty());
            content.extend_from_slice(&piece);
        }
        read.push((part.name, part.file, content));
    }
    assert!(parts.next().await.unwrap().is_none());
    Ok(read)
}

fn file(content: &[u8]) -> Vec<u8> {
    let head = "--x\r\nContent-Disposition: form-data; name=\"_version\"\r\n\r\n7\r\n--x\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"Ugovor čšž.pdf\"\r\n\
                Content-Type: application/pdf\r\n\r\n";
    [head.as_bytes(), content, b"\r\n--x--\r\n"].concat()
}

#[tokio::test]
async fn a_file_arrives_whole_in_any_pieces() {
    let contents: [&[u8]; 7] =
        [b"", b"a", b"\r\n", b"\r\n\r\n-", b"--\r\n-", b"a\n\nb", &[b'\r'; 300]];
    for content in contents {
        let body = file(content);
        for piece in (1..40).chain([1000]) {
            let parts = read(&body, piece).await.unwrap();
            let expected = [
                ("_version".to_owned(), None, b"7".to_vec()),
                ("file".to_owned(), Some("Ugovor čšž.pdf".to_owned()), content.to_vec()),
            ];
            assert_eq!(parts, expected, "{content:?} in pieces of {piece}");
        }
    }
}

#[rstest]
#[case::ends_of_lines_of_unix("--x\nContent-Disposition: form-data; name=a\n\n1\n--x--\n")]
#[case::blanks("--x  \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x-- \t")]
#[case::mark("\u{feff}--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--")]
#[case::folded("--x\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--x--\r\n\r\n")]
#[tokio::test]
async fn the_same_part_in_other_words(#[case] body: &str) {
    for piece in 1..20 {
        let parts = read(body.as_bytes(), piece).await.unwrap();
        assert_eq!(parts, [("a".to_owned(), None, b"1".to_vec())]);
    }
}

#[rstest]
#[case::nothing("")]
#[case::rubbish("rubbish")]
#[case::another_boundary("--y\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--y--\r\n")]
#[case::not_closed("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n")]
#[case::cut_in_the_delimiter("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x-")]
#[case::cut_behind_the_delimiter("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x")]
#[case::delimiter_in_a_line("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1--x--\r\n")]
#[case::longer_boundary("--xy\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xy--")]
#[case::text_behind("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--y")]
#[case::part_behind_the_last(
    "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n--x\r\n\
     Content-Disposition: form-data; name=b\r\n\r\n2\r\n--x--\r\n"
)]
#[case::no_name("--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n")]
#[case::no_headers("--x\r\n\r\n1\r\n--x--\r\n")]
#[case::two_names("--x\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--x--\r\n")]
#[case::encoded(
    "--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\
     Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--x--\r\n"
)]
#[tokio::test]
async fn what_cannot_be_separated_reliably_is_refused(#[case] body: &str) {
    for piece in [1, 2, 7, 1000] {
        let error = read(body.as_bytes(), piece).await.unwrap_err();
        assert_eq!(error.status_code(), StatusCode::BAD_REQUEST, "{body} in pieces of {piece}");
    }
}

#[tokio::test]
async fn limits_hold() {
    let error = read(&file(&[b'a'; 100_000]), 4096).await.unwrap_err();
    assert_eq!(error.status_code(), StatusCode::PAYLOAD_TOO_LARGE);
    let long = format!("--x\r\nA: {}\r\n\r\n1\r\n--x--\r\n", "a".repeat(20_000));
    assert_eq!(
        read(long.as_bytes(), 512).await.unwrap_err().status_code(),
        StatusCode::BAD_REQUEST
    );
    let blanks = format!("--x{}\r\n", " ".repeat(20_000));
    let error = read(blanks.as_bytes(), 512).await.unwrap_err();
    assert_eq!(error.status_code(), StatusCode::BAD_REQUEST);
    let mut many = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n".repeat(1001);
    many.push_str("--x--");
    assert_eq!(
        read(many.as_bytes(), 512).await.unwrap_err().status_code(),
        StatusCode::BAD_REQUEST
    );
    for content_type in ["multipart/form-data", "text/plain", "multipart/form-data; boundary="] {
        assert!(open(b"", 1, content_type).await.is_err(), "{content_type}");
    }
}

#[tokio::test]
async fn a_text_is_short_and_in_utf_8() {
    let body = |text: &[u8]| {
        let head = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n";
        [head, text, b"\r\n--x--\r\n"].concat()
    };
    let text = async |given: &[u8]| {
        let mut parts = open(&body(given), 100, "multipart/form-data; boundary=x").await.unwrap();
        parts.next().await.unwrap().unwrap();
        parts.text().await.map_err(|error| error.status_code())
    };
    assert_eq!(text("čš".as_bytes()).await.unwrap(), "čš");
    assert_eq!(text(b"\xff").await.unwrap_err(), StatusCode::BAD_REQUEST);
    assert_eq!(text(&[b'a'; 70_000]).await.unwrap_err(), StatusCode::PAYLOAD_TOO_LARGE);
}
