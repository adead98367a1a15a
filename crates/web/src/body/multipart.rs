//! A strict reader of `multipart/form-data` (RFC 7578, RFC 2046): refuses bodies whose parts cannot
//! be separated reliably, and never drops a part.
//!
//! Written here because libraries that read streams take a delimiter followed by blanks for
//! preamble text, and so lose fields silently. The body is in memory anyway.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use exit3_domain::raw::RawValue;

use super::charset::decode;
use super::form::{Fields, FormError, MAX_FIELDS, input};
use super::parameters::Parameters;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest boundary in bytes, the limit of the replaced service.
const MAX_BOUNDARY: usize = 201;

/// The most bytes in the headers of one part.
pub(super) const MAX_HEADERS: usize = 8 * 1024;

/// Parses a whole body. A part with a file name is a file, which no field of the API accepts; its
/// value is that file name.
///
/// # Errors
/// [`FormError`].
pub(super) fn parse(body: &[u8], content_type: &Parameters) -> Result<Fields, FormError> {
    let delimiter = delimiter(content_type)?;
    let charset = content_type.get("charset").map_err(|_| FormError::Multipart)?;
    let mut fields = Vec::new();
    let mut begun = None;
    let mut closed = false;
    // Some clients start every text with a byte order mark.
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

/// What begins the lines between parts.
pub(super) fn delimiter(content_type: &Parameters) -> Result<Vec<u8>, FormError> {
    let boundary = content_type.get("boundary").ok().flatten().ok_or(FormError::Boundary)?;
    let valid = (1..=MAX_BOUNDARY).contains(&boundary.len())
        && boundary.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !boundary.ends_with(' ');
    if valid { Ok(format!("--{boundary}").into_bytes()) } else { Err(FormError::Boundary) }
}

/// A line between two parts.
struct Delimiter {
    /// Where it begins, including the line end before it.
    start: usize,
    /// Where the content after it begins.
    end: usize,
    /// Whether it is the closing delimiter.
    closes: bool,
}

/// Finds the delimiter lines. Only blanks may follow a delimiter on its line (RFC 2046, 5.1.1). A
/// delimiter at the end of a line that begins with something else is an error, and so is any
/// delimiter in a line before the first one: the part after it would be read as text, and its field
/// lost.
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

/// The text before and after the first occurrence of `delimiter` in `line`.
fn split_at<'a>(line: &'a [u8], delimiter: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = line.windows(delimiter.len()).position(|bytes| bytes == delimiter)?;
    Some((line.get(..at)?, line.get(at + delimiter.len()..)?))
}

fn read_part(part: &[u8], charset: Option<&str>) -> Result<(String, RawValue), FormError> {
    let (headers, content) = headers(part)?;
    let head = Head::of(&headers)?;
    if let Some(file) = head.file {
        return Ok((head.name, RawValue::Other(file)));
    }
    if head.content_type.essence.starts_with("multipart/") {
        return Err(FormError::Multipart);
    }
    let charset = head.content_type.get("charset").map_err(|_| FormError::Multipart)?.or(charset);
    let value = match head.transfer_encoding.as_str() {
        "base64" => decode(&from_base64(content)?, charset)?.into_owned(),
        encoding if is_identity(encoding) => decode(content, charset)?.into_owned(),
        _ => return Err(FormError::TransferEncoding),
    };
    Ok((head.name, input(value)))
}

/// What the headers of a part say.
pub(super) struct Head {
    /// The name of the field.
    pub(super) name: String,
    /// The name of the file, if the part is one.
    pub(super) file: Option<String>,
    content_type: Parameters,
    /// How the content is encoded, in lower case.
    pub(super) transfer_encoding: String,
}

impl Head {
    pub(super) fn of(headers: &Headers) -> Result<Self, FormError> {
        let header = |name: &str| {
            let mut values = headers.iter().filter(|(known, _)| known == name);
            let value = values.next().map(|(_, value)| Parameters::of(value)).unwrap_or_default();
            if values.next().is_some() { Err(FormError::Multipart) } else { Ok(value) }
        };
        let disposition = header("content-disposition")?;
        let name = disposition.get("name").map_err(|_| FormError::Multipart)?;
        let name = name.ok_or(FormError::Multipart)?.trim().to_owned();
        // Clients may send the name twice, once for readers that only know ASCII.
        let file = disposition.all("filename").find(|file| !file.is_empty()).map(str::to_owned);
        let transfer_encoding = header("content-transfer-encoding")?.essence;
        Ok(Self { name, file, content_type: header("content-type")?, transfer_encoding })
    }
}

/// Whether a transfer encoding leaves the content as it is.
pub(super) fn is_identity(transfer_encoding: &str) -> bool {
    matches!(transfer_encoding, "" | "7bit" | "8bit" | "binary")
}

fn from_base64(content: &[u8]) -> Result<Vec<u8>, FormError> {
    let text: Vec<u8> = content.iter().filter(|b| !b.is_ascii_whitespace()).copied().collect();
    BASE64.decode(text).map_err(|_| FormError::TransferEncoding)
}

pub(super) type Headers = Vec<(String, String)>;

/// The headers of a part, with names in lower case, and the content after the empty line.
pub(super) fn headers(part: &[u8]) -> Result<(Headers, &[u8]), FormError> {
    let mut headers: Headers = Vec::new();
    let mut rest = part;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or(FormError::Multipart)?;
        let (line, further) = rest.split_at_checked(end + 1).ok_or(FormError::Multipart)?;
        rest = further;
        if part.len() - rest.len() > MAX_HEADERS {
            return Err(FormError::Multipart);
        }
        // File names come in any encoding; field names are ASCII.
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return Ok((headers, rest));
        }
        if line.starts_with([' ', '\t']) {
            // A folded header continues on the next line.
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
