//! Request bodies: how they are read and refused.

use crate::*;

#[rstest]
#[case::urlencoded(
    "application/x-www-form-urlencoded",
    "full_name=Ana+Horvat&position=CTO&email=ana%40acme.hr&status="
)]
#[case::multipart(
    "multipart/form-data; boundary=x",
    "--x\r\nContent-Disposition: form-data; name=\"full_name\"\r\n\r\nAna Horvat\r\n\
     --x\r\nContent-Disposition: form-data; name=\"position\"\r\n\r\nCTO\r\n\
     --x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nana@acme.hr\r\n--x--\r\n"
)]
#[case::multipart_with_blanks_behind_delimiters(
    "Multipart/Form-Data; charset=\"utf-8\"; boundary=\"x y\"",
    "preamble\r\n--x y \r\nContent-Disposition: form-data; name=full_name\r\n\r\nAna Horvat\r\n\
     --x y\t\r\nContent-Disposition: form-data; name=position\r\n\r\nCTO\r\n\
     --x y\r\nContent-Disposition: form-data; name=email\r\nContent-Transfer-Encoding: base64\r\n\r\n\
     YW5hQGFjbWUuaHI=\r\n--x y-- \r\nepilogue"
)]
#[case::another_charset(
    "application/x-www-form-urlencoded; charset=iso-8859-2",
    "full_name=Ana+Horvat&position=CTO&email=%A0ana%40acme.hr"
)]
#[case::json_in_a_charset_that_nobody_knows(
    "application/json; charset=nonsense",
    "{\"full_name\": \"Ana Horvat\", \"position\": \"CTO\", \"email\": \"\u{feff}ana@acme.hr\"}"
)]
#[actix_web::test]
async fn a_form_is_as_good_as_json(#[case] content_type: &str, #[case] body: &str) {
    let mut service = Service::default();
    service
        .repositories
        .leads
        .expect_create()
        .times(1)
        .withf(|given, act| *given == lead(1).details && act.at == now())
        .returning(|_, _| Ok(lead(1)));
    let answer = service.answer(post(LEADS, content_type, body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
}

const FORM: &str = "full_name=Ana+Horvat&position=CTO&email=ana%40acme.hr";
const JSON: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;
const PARTS: &str = "--x;y\r\ncontent-disposition:FORM-DATA;NAME=full_name\r\n\r\nAna Horvat\r\n\
    --x;y\r\nContent-Disposition: form-data ; name = \"position\"\r\n\r\nCTO\r\n\
    --x;y\r\nContent-Disposition: form-data; name=\"email\";\r\n\r\nana@acme.hr\r\n--x;y--\r\n";

#[rstest]
#[case("APPLICATION/JSON", &[], JSON)]
#[case("application/json ;; charset=utf-8;", &[], JSON)]
#[case("Application/X-WWW-Form-Urlencoded;charset=UTF-8", &[], FORM)]
#[case("Multipart/Form-Data; Boundary=\"x;y\"", &[], PARTS)]
#[case("multipart/form-data;; BOUNDARY=\"x;y\" ; ", &[], PARTS)]
#[case("application/json", &[""], JSON)]
#[case("application/json", &[", ", "", ","], JSON)]
#[actix_web::test]
async fn headers_of_a_body_are_read_without_case_blanks_and_empty_elements(
    #[case] content_type: &str,
    #[case] encodings: &[&str],
    #[case] body: &'static str,
) {
    let mut service = Service::default();
    service
        .repositories
        .leads
        .expect_create()
        .times(1)
        .withf(|given, _| *given == lead(1).details)
        .returning(|_, _| Ok(lead(1)));
    let request = encodings.iter().fold(post(LEADS, content_type, body), |request, encoding| {
        request.append_header(("Content-Encoding", *encoding))
    });
    let answer = service.answer(request).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
}

#[rstest]
#[case::two_types(("Content-Type", "application/x-www-form-urlencoded"), 400)]
#[case::the_same_twice(("Content-Type", "application/json"), 400)]
#[case::gzip(("Content-Encoding", ", gzip"), 415)]
#[case::identity(("Content-Encoding", "identity"), 415)]
#[case::a_charset(("Content-Encoding", "utf-8"), 415)]
#[actix_web::test]
async fn a_body_whose_form_is_uncertain_is_refused(
    #[case] header: (&str, &str),
    #[case] status: u16,
) {
    let request = post(LEADS, "application/json", JSON).append_header(header);
    assert_eq!(Service::default().answer(request).await.status.as_u16(), status);
}

#[actix_web::test]
async fn a_part_with_a_file_name_is_a_file_and_one_with_an_empty_name_is_none() {
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n")
    };
    let body = [
        part("\"full_name\"; filename=\"a.txt\"", "Ana Horvat"),
        part("\"source\"; filename=\"a.txt\"", "website"),
        part("\"position\"; filename=\"\"", "CTO"),
        part("\"email\"", "ana@acme.hr"),
        "--x--\r\n".to_owned(),
    ];
    let request = post(LEADS, "multipart/form-data; boundary=x", body.concat());
    let answer = Service::default().answer(request).await;
    assert_eq!(
        answer.json(),
        json!({
            "full_name": ["Not a valid string."],
            "source": ["\"a.txt\" is not a valid choice."],
        })
    );
}

#[rstest]
#[case("application/json", "{bad", 400)]
#[case("application/json", "{\"full_name\": \"\\ud800\"}", 400)]
#[case("application/json", "{\"a\": 1, \"a\": 2}", 400)]
#[case("text/plain", "x", 415)]
#[case("application/json, text/plain", "{}", 415)]
#[case("", "x", 415)]
#[case("application/json; charset=utf-7", "{}", 415)]
#[case("application/x-www-form-urlencoded; charset=utf-16", "a=b", 415)]
#[case("application/json; charset=utf-8; charset=latin1", "{}", 415)]
#[actix_web::test]
async fn a_body_that_cannot_be_read_is_told_as_such(
    #[case] content_type: &str,
    #[case] body: &str,
    #[case] status: u16,
) {
    let answer = Service::default().answer(post(LEADS, content_type, body)).await;
    assert_eq!(answer.status.as_u16(), status);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    match status {
        415 => {
            assert!(detail.starts_with("Unsupported "), "{detail}");
            assert!(detail.ends_with(&format!("media type \"{content_type}\" in request.")));
        }
        _ => assert!(detail.starts_with("JSON parse error - "), "{detail}"),
    }
}

#[actix_web::test]
async fn a_body_may_have_a_mebibyte_and_no_byte_more() {
    let filled = |length: usize| {
        let start = "{\"x\": \"";
        format!("{start}{}\"}}", "y".repeat(length - start.len() - 2))
    };
    let most = Service::default().answer(post(LEADS, "application/json", filled(1 << 20))).await;
    assert_eq!(most.status, StatusCode::BAD_REQUEST);
    assert_eq!(most.json()["full_name"], json!(["This field is required."]));
    let more =
        Service::default().answer(post(LEADS, "application/json", filled((1 << 20) + 1))).await;
    assert_eq!(more.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[actix_web::test]
async fn a_compressed_body_is_refused() {
    let request = post(LEADS, "application/json", "{}").insert_header(("Content-Encoding", "gzip"));
    let answer = Service::default().answer(request).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
