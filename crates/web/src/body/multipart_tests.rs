use rstest::rstest;

use super::*;

fn read(body: impl AsRef<[u8]>) -> Result<Fields, FormError> {
    parse(body.as_ref(), &Parameters::of("multipart/form-data; boundary=x"))
}

fn part(name: &str, value: &str) -> String {
    format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn one(headers: &str, content: &str) -> Result<RawValue, FormError> {
    let body = format!("--x\r\n{headers}\r\n\r\n{content}\r\n--x--\r\n");
    read(body).map(|mut fields| fields.pop().unwrap().1)
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), RawValue::text(*value))).collect()
}

#[rstest]
#[case::as_usual(["--x\r\n", "\r\n--x\r\n", "\r\n--x--\r\n"])]
#[case::blanks_behind_the_first(["--x  \t\r\n", "\r\n--x\r\n", "\r\n--x--\r\n"])]
#[case::blanks_behind_the_second(["--x\r\n", "\r\n--x \r\n", "\r\n--x--\r\n"])]
#[case::blanks_behind_the_last(["--x\r\n", "\r\n--x\r\n", "\r\n--x-- \t"])]
#[case::text_before(["hello\r\n\r\n--x\r\n", "\r\n--x\r\n", "\r\n--x--\r\n"])]
#[case::text_behind(["--x\r\n", "\r\n--x\r\n", "\r\n--x--\r\nbye\r\n"])]
#[case::mark_of_byte_order_before(["\u{feff}--x\r\n", "\r\n--x\r\n", "\r\n--x--\r\n"])]
#[case::empty_line_before(["\r\n--x\r\n", "\r\n--x\r\n", "\r\n--x--\r\n"])]
#[case::no_line_end_at_the_end(["--x\r\n", "\r\n--x\r\n", "\r\n--x--"])]
#[case::ends_of_lines_of_unix(["--x\n", "\n--x\n", "\n--x--\n"])]
fn no_field_is_lost(#[case] delimiters: [&str; 3]) {
    let [first, second, last] = delimiters;
    let header = |name| format!("Content-Disposition: form-data; name={name}\r\n\r\n");
    let body = format!("{first}{}one{second}{}two{last}", header("a"), header("b"));
    assert_eq!(read(&body).unwrap(), fields(&[("a", "one"), ("b", "two")]));
}

#[rstest]
#[case::nothing("")]
#[case::rubbish("rubbish")]
#[case::another_boundary("--y\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--y--\r\n")]
#[case::blank_before_the_first(
    " --x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x\r\n\
     Content-Disposition: form-data; name=b\r\n\r\n2\r\n--x--\r\n"
)]
#[case::no_line_end_before_the_second(
    "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1--x\r\n\
     Content-Disposition: form-data; name=b\r\n\r\n2\r\n--x--\r\n"
)]
#[case::not_closed("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n")]
#[case::cut_in_the_delimiter("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x-")]
#[case::cut_behind_the_delimiter("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x")]
#[case::text_behind_the_delimiter(
    "--x y\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"
)]
#[case::a_longer_boundary("--xy\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xy--")]
#[case::text_behind_the_last("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--y")]
#[case::parts_behind_the_last(
    "--x--\r\n--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"
)]
#[case::no_disposition("--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--")]
#[case::no_name("--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--")]
#[case::two_names("--x\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--x--")]
#[case::two_dispositions(
    "--x\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n1\r\n--x--"
)]
#[case::no_header("--x\r\n\r\n1\r\n--x--")]
#[case::no_part("--x\r\n--x--")]
#[case::no_empty_line("--x\r\nContent-Disposition: form-data; name=a\r\n--x--")]
#[case::a_line_that_is_no_header("--x\r\nrubbish\r\n\r\n1\r\n--x--")]
#[case::begins_with_what_goes_on(
    "--x\r\n Content-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"
)]
#[case::parts_in_a_part(
    "--x\r\nContent-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--"
)]
fn refuses(#[case] body: &str) {
    assert!(matches!(read(body), Err(FormError::Multipart)), "{:?}", read(body));
}

#[rstest]
#[case::none("multipart/form-data")]
#[case::empty("multipart/form-data; boundary=")]
#[case::two("multipart/form-data; boundary=x; boundary=y")]
#[case::ends_with_a_blank("multipart/form-data; boundary=\"x \"")]
#[case::not_ascii("multipart/form-data; boundary=\u{161}")]
fn refuses_a_boundary(#[case] content_type: &str) {
    let found = parse(part("a", "1").as_bytes(), &Parameters::of(content_type));
    assert!(matches!(found, Err(FormError::Boundary)), "{found:?}");
}

#[test]
fn an_empty_form_has_no_fields() {
    assert_eq!(read("--x--\r\n").unwrap(), []);
    let empty = read(format!("{}--x--", part("a", ""))).unwrap();
    assert_eq!(empty, [("a".to_owned(), RawValue::Unfilled)]);
}

#[rstest]
#[case::lines("one\r\n\r\ntwo\r\n")]
#[case::dashes("--\r\n-- x\r\n--y")]
#[case::delimiter_inside_a_line("see --x there\r\n a--x--y")]
fn a_value_is_kept_unchanged(#[case] value: &str) {
    let body = format!("{}{}--x--\r\n", part("a", value), part("b", "2"));
    assert_eq!(read(body).unwrap(), fields(&[("a", value), ("b", "2")]));
}

#[rstest]
#[case("Content-Disposition: form-data; name=\"a\"")]
#[case("content-disposition:form-data;name=a")]
#[case("CONTENT-DISPOSITION: FORM-DATA; NAME=a")]
#[case("Content-Disposition: form-data;\r\n name=\"a\"")]
#[case("Content-Type: text/plain\r\nContent-Disposition: form-data; name*=UTF-8''a; filename=\"\"")]
#[case("Content-Length: 1\r\nContent-Disposition: form-data; name=\" a \"")]
fn reads_header_spellings_of_other_senders(#[case] headers: &str) {
    let body = format!("--x\r\n{headers}\r\n\r\n1\r\n--x--");
    assert_eq!(read(body).unwrap(), fields(&[("a", "1")]));
}

#[rstest]
#[case("filename=a.txt")]
#[case("filename=\"a.txt\"")]
#[case("filename*=UTF-8''a.txt")]
#[case("filename=\"a.txt\"; filename*=UTF-8''a.txt")]
fn a_part_with_a_file_name_is_a_file(#[case] parameter: &str) {
    let headers = format!("Content-Disposition: form-data; name=a; {parameter}");
    assert_eq!(one(&headers, "\u{0}").unwrap(), RawValue::Other("a.txt".to_owned()));
}

#[rstest]
#[case("base64", "QW5hIEhvcnZhdA==", "Ana Horvat")]
#[case("Base64", "QW5hIEhv\r\ncnZhdA", "Ana Horvat")]
#[case("base64", "xaA=", "\u{160}")]
#[case("8bit", "\u{160}", "\u{160}")]
#[case("7BIT", "QW5h", "QW5h")]
#[case("binary", "Ana", "Ana")]
fn decodes_a_transfer_encoding(#[case] name: &str, #[case] given: &str, #[case] text: &str) {
    let headers =
        format!("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: {name}");
    assert_eq!(one(&headers, given).unwrap(), RawValue::text(text));
}

#[rstest]
#[case("base64", "no base64!")]
#[case("quoted-printable", "=C5=A0")]
#[case("x-other", "Ana")]
fn refuses_a_transfer_encoding(#[case] name: &str, #[case] given: &str) {
    let headers =
        format!("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: {name}");
    assert!(matches!(one(&headers, given), Err(FormError::TransferEncoding)));
}

#[test]
fn a_charset_applies_to_the_form_or_to_one_part() {
    let form = |charset: &str| Parameters::of(&format!("multipart/form-data; boundary=x{charset}"));
    let plain = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nCaf\xe9\r\n--x--";
    let cafe = fields(&[("a", "Caf\u{e9}")]);
    assert_eq!(parse(plain, &form("; charset=iso-8859-1")).unwrap(), cafe);
    assert!(matches!(parse(plain, &form("")), Err(FormError::NotIn("UTF-8"))));
    let own = b"--x\r\nContent-Disposition: form-data; name=a\r\n\
        Content-Type: text/plain; charset=iso-8859-1\r\n\r\nCaf\xe9\r\n--x--";
    assert_eq!(parse(own, &form("")).unwrap(), cafe);
    assert!(matches!(parse(plain, &form("; charset=utf-16")), Err(FormError::Charset)));
}

#[test]
fn headers_of_a_part_are_limited() {
    let padded = |length: usize| {
        let start = "Content-Disposition: form-data; name=a; x=";
        // Two line ends: the header's and the empty line's.
        format!("{start}{}", "y".repeat(length - start.len() - 4))
    };
    assert_eq!(one(&padded(MAX_HEADERS), "1").unwrap(), RawValue::text("1"));
    assert!(matches!(one(&padded(MAX_HEADERS + 1), "1"), Err(FormError::Multipart)));
}

#[test]
fn refuses_more_fields_than_the_limit() {
    let most = part("a", "1").repeat(MAX_FIELDS);
    assert_eq!(read(format!("{most}--x--")).unwrap().len(), MAX_FIELDS);
    let more = read(format!("{most}{}--x--", part("a", "1")));
    assert!(matches!(more, Err(FormError::TooManyFields)));
}

#[rstest]
#[case::two_spellings(b"filename=\"=?utf-8?B?xI0ucGRm?=\"; filename*=utf-8''%C4%8D.pdf")]
#[case::of_another_encoding(b"filename=\"\xe8.pdf\"")]
fn a_file_is_not_a_field_under_any_name(#[case] name: &[u8]) {
    let begin = b"--x\r\nContent-Disposition: form-data; name=cv; ".as_slice();
    let body = [begin, name, b"\r\n\r\n%PDF\r\n--x--\r\n"].concat();
    let fields = read(body).unwrap();
    assert!(matches!(fields.as_slice(), [(name, RawValue::Other(_))] if name == "cv"));
}
