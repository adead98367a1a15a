//! `multipart/form-data` bodies (RFC 7578, RFC 2046), read strictly: what cannot be told
//! apart for certain is refused, and no part is left out.
//!
//! A reader of our own, because the body is in memory and must be read whole: readers of
//! streams take a delimiter with blanks behind it for text before the first part, which
//! loses fields without a word.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use exit3_domain::raw::RawValue;

use super::charset::decode;
use super::form::{Fields, FormError, MAX_FIELDS, input};
use super::parameters::Parameters;

/// With or without padding at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest boundary, as the replaced service has it.
const MAX_BOUNDARY: usize = 201;

/// The most bytes of a part's headers.
const MAX_HEADERS: usize = 8 * 1024;

/// Reads a whole body. A part with a file name is a file, which no field of the API
/// takes; it is called by that name.
///
/// # Errors
/// [`FormError`].
pub(super) fn parse(body: &[u8], content_type: &Parameters) -> Result<Fields, FormError> {
    let boundary = content_type.get("boundary").ok().flatten().ok_or(FormError::Boundary)?;
    let valid = (1..=MAX_BOUNDARY).contains(&boundary.len())
        && boundary.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !boundary.ends_with(' ');
    if !valid {
        return Err(FormError::Boundary);
    }
    let charset = content_type.get("charset").map_err(|_| FormError::Multipart)?;
    let delimiter = format!("--{boundary}").into_bytes();
    let mut fields = Vec::new();
    let mut begun = None;
    let mut closed = false;
    // Some clients begin every text with a mark of its byte order.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    for found in delimiters(body, &delimiter) {
        let found = found?;
        if closed {
            return Err(FormError::Multipart);
        }
        if let Some(begin) = begun {
            if fields.len() == MAX_FIELDS {
                return Err(FormError::TooManyFields);
            }
            let part = body.get(begin..found.start).ok_or(FormError::Multipart)?;
            fields.push(read_part(part, charset)?);
        }
        begun = Some(found.end);
        closed = found.closes;
    }
    if closed { Ok(fields) } else { Err(FormError::Multipart) }
}

/// A line that stands between parts.
struct Delimiter {
    /// Where it begins, with the end of the line before it.
    start: usize,
    /// Where what follows it begins.
    end: usize,
    /// Whether it is the last one.
    closes: bool,
}

/// The lines that begin as delimiters do. Blanks may follow (RFC 2046, 5.1.1), and nothing
/// else. A delimiter that ends a line with something before it is an error, and so is any
/// in a line before the first: the part behind it would become text, and its field be lost.
fn delimiters<'a>(
    body: &'a [u8],
    delimiter: &'a [u8],
) -> impl Iterator<Item = Result<Delimiter, FormError>> + 'a {
    let (mut end, mut is_first) = (0, true);
    body.split_inclusive(|byte| *byte == b'\n').filter_map(move |line| {
        let begin = end;
        end += line.len();
        let (other, rest) = split_at(line, delimiter)?;
        let closing = rest.strip_prefix(b"--");
        let blanks = closing.unwrap_or(rest);
        let is_whole = closing.is_some() || blanks.ends_with(b"\n");
        let is_delimiter = is_whole && blanks.iter().all(|byte| b" \t\r\n".contains(byte));
        if !other.is_empty() {
            return (is_first || is_delimiter).then_some(Err(FormError::Multipart));
        }
        is_first = false;
        let before = body.get(..begin).unwrap_or_default();
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        let start = before.strip_suffix(b"\r").unwrap_or(before).len();
        let found = Delimiter { start, end, closes: closing.is_some() };
        Some(is_delimiter.then_some(found).ok_or(FormError::Multipart))
    })
}

/// What stands before and behind the first place where `line` has `delimiter`.
fn split_at<'a>(line: &'a [u8], delimiter: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = line.windows(delimiter.len()).position(|bytes| bytes == delimiter)?;
    Some((line.get(..at)?, line.get(at + delimiter.len()..)?))
}

fn read_part(part: &[u8], charset: Option<&str>) -> Result<(String, RawValue), FormError> {
    let (headers, content) = headers(part)?;
    let header = |name: &str| {
        let mut values = headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| Parameters::of(value)).unwrap_or_default();
        if values.next().is_some() { Err(FormError::Multipart) } else { Ok(value) }
    };
    let ambiguous = |_| FormError::Multipart;
    let disposition = header("content-disposition")?;
    let name = disposition.get("name").map_err(ambiguous)?.ok_or(FormError::Multipart)?;
    let name = name.trim().to_owned();
    // Clients give a name in two spellings, one for readers that know ASCII alone.
    if let Some(file) = disposition.all("filename").find(|file| !file.is_empty()) {
        return Ok((name, RawValue::Other(file.to_owned())));
    }
    let content_type = header("content-type")?;
    if content_type.essence.starts_with("multipart/") {
        return Err(FormError::Multipart);
    }
    let charset = content_type.get("charset").map_err(ambiguous)?.or(charset);
    let value = match header("content-transfer-encoding")?.essence.as_str() {
        "" | "7bit" | "8bit" | "binary" => decode(content, charset)?.into_owned(),
        "base64" => decode(&from_base64(content)?, charset)?.into_owned(),
        _ => return Err(FormError::TransferEncoding),
    };
    Ok((name, input(value)))
}

fn from_base64(content: &[u8]) -> Result<Vec<u8>, FormError> {
    let text: Vec<u8> = content.iter().filter(|b| !b.is_ascii_whitespace()).copied().collect();
    BASE64.decode(text).map_err(|_| FormError::TransferEncoding)
}

type Headers = Vec<(String, String)>;

/// The headers of a part, by their names in lower case, and what follows the empty line.
fn headers(part: &[u8]) -> Result<(Headers, &[u8]), FormError> {
    let mut headers: Headers = Vec::new();
    let mut rest = part;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or(FormError::Multipart)?;
        let (line, further) = rest.split_at_checked(end + 1).ok_or(FormError::Multipart)?;
        rest = further;
        if part.len() - rest.len() > MAX_HEADERS {
            return Err(FormError::Multipart);
        }
        // Names of files come in any encoding. Those of fields are ASCII.
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return Ok((headers, rest));
        }
        if line.starts_with([' ', '\t']) {
            // A long header goes on in the next line.
            headers.last_mut().ok_or(FormError::Multipart)?.1.push_str(line);
        } else {
            let (name, value) = line.split_once(':').ok_or(FormError::Multipart)?;
            headers.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        }
    }
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
