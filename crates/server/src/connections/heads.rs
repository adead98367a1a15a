//! Request heads: where they end, and which body follows.
//!
//! actix parses every head as well, and refuses invalid HTTP. This module is stricter where two
//! parsers could disagree about the end of a request, and removes headers that would change it.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::bodies::Body;

/// The longest head in bytes, which is also actix's limit.
pub(super) const LONGEST: usize = 128 * 1024;

/// A head that must be refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a head says about the rest of the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The body that follows.
    pub(super) body: Body,
    /// Whether the connection ends with the response.
    pub(super) last: bool,
    /// The position of the query, if it contains characters that actix refuses.
    pub(super) unencoded: Option<Range<usize>>,
}

/// Finds the end of the head at the start of `bytes`. The first `seen` bytes have been searched
/// before.
///
/// # Errors
/// A line ends with a bare LF, which a proxy in front of the service may or may not take for a line
/// end.
pub(super) fn end(bytes: &[u8], seen: usize) -> Result<Option<usize>, Malformed> {
    // Empty lines may precede a head.
    let empty = bytes.chunks(2).take_while(|line| *line == b"\r\n").count() * 2;
    let from = seen.max(empty);
    for feed in memchr_iter(b'\n', bytes.get(from..).unwrap_or_default()) {
        let (lines, _) = bytes.split_at_checked(from + feed + 1).unwrap_or((bytes, &[]));
        if !lines.ends_with(b"\r\n") {
            return Err(Malformed);
        }
        if lines.ends_with(b"\n\r\n") {
            return Ok(Some(lines.len()));
        }
    }
    Ok(None)
}

/// Whether the bytes so far can be the start of a head.
pub(super) fn may_become_one(bytes: &[u8]) -> bool {
    let mut method = bytes.trim_ascii_start().split(|byte| *byte == b' ');
    let method = method.next().unwrap_or_default();
    method.iter().all(|byte| byte.is_ascii_graphic())
}

/// Parses a whole head, including the empty line at its end.
///
/// # Errors
/// [`Malformed`] if the end of the request is ambiguous.
pub(super) fn read(head: &mut [u8]) -> Result<Head, Malformed> {
    let empty = head.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    let (_, rest) = head.split_at_mut_checked(empty).ok_or(Malformed)?;
    let (line, mut rest) = next_line(rest).ok_or(Malformed)?;
    let line = Line::read(line)?;
    let mut fields = Fields::default();
    while let Some((field, after)) = next_line(std::mem::take(&mut rest)) {
        rest = after;
        fields.read(field)?;
    }
    Ok(Head {
        body: fields.body(&line)?,
        last: fields.close || line.connects || (line.is_old && !fields.keep_alive),
        unencoded: line.unencoded.map(|query| query.start + empty..query.end + empty),
    })
}

/// The next line without its end, or `None` at the empty line.
fn next_line(bytes: &mut [u8]) -> Option<(&mut [u8], &mut [u8])> {
    let feed = memchr(b'\n', bytes)?;
    let (line, rest) = bytes.split_at_mut_checked(feed + 1)?;
    let (line, end) = line.split_at_mut_checked(feed.checked_sub(1)?)?;
    (end == b"\r\n" && !line.is_empty()).then_some((line, rest))
}

/// The contents of the request line.
struct Line {
    /// Whether the version is HTTP/1.0.
    is_old: bool,
    /// Whether the method is CONNECT: what follows is then not a request.
    connects: bool,
    unencoded: Option<Range<usize>>,
}

impl Line {
    fn read(line: &[u8]) -> Result<Self, Malformed> {
        let method = memchr(b' ', line).ok_or(Malformed)?;
        let (method, rest) = line.split_at_checked(method).ok_or(Malformed)?;
        let rest = rest.get(1..).ok_or(Malformed)?;
        let (target, version) =
            rest.split_at_checked(memchr(b' ', rest).ok_or(Malformed)?).ok_or(Malformed)?;
        let is_old = match version {
            b" HTTP/1.1" => false,
            b" HTTP/1.0" => true,
            _ => return Err(Malformed),
        };
        let query = memchr(b'?', target).map_or(target.len(), |mark| mark + 1);
        let must_be_encoded = |byte: &u8| must_be_encoded(*byte);
        let unencoded = target.get(query..).is_some_and(|query| query.iter().any(must_be_encoded));
        let start = method.len() + 1;
        let unencoded = unencoded.then(|| start + query..start + target.len());
        Ok(Self { is_old, connects: method == b"CONNECT", unencoded })
    }
}

/// Whether a character has no meaning in a query, and clients send it unencoded, but actix refuses
/// it.
pub(super) fn must_be_encoded(byte: u8) -> bool {
    !byte.is_ascii() || b"\"<>".contains(&byte)
}

/// The header fields about the connection and the body.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    fn read(&mut self, field: &mut [u8]) -> Result<(), Malformed> {
        let colon = memchr(b':', field).ok_or(Malformed)?;
        let (name, value) = field.split_at_mut_checked(colon).ok_or(Malformed)?;
        // A folded line, or a name followed by a blank, which another parser may accept.
        if name.is_empty() || name.iter().any(|byte| b" \t".contains(byte)) {
            return Err(Malformed);
        }
        let value = value.get_mut(1..).ok_or(Malformed)?;
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        match name.len() {
            7 if is(b"upgrade") => value.fill(b' '),
            10 if is(b"connection") => self.read_connection(value)?,
            14 if is(b"content-length") => {
                let length = digits(trim(value)).ok_or(Malformed)?;
                if self.length.replace(length).is_some() {
                    return Err(Malformed);
                }
            }
            17 if is(b"transfer-encoding") => {
                if self.chunked || !trim(value).eq_ignore_ascii_case(b"chunked") {
                    return Err(Malformed);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// Upgrades are not offered, so they are removed: actix would take everything that follows for
    /// the body.
    fn read_connection(&mut self, options: &mut [u8]) -> Result<(), Malformed> {
        for option in options.split_mut(|byte| *byte == b',') {
            let text = trim(option);
            if text.iter().any(|byte| !byte.is_ascii_graphic() && !b" \t".contains(byte)) {
                return Err(Malformed);
            }
            let is = |other: &[u8]| text.eq_ignore_ascii_case(other);
            match text.len() {
                5 if is(b"close") => self.close = true,
                10 if is(b"keep-alive") => self.keep_alive = true,
                7 if is(b"upgrade") => option.fill(b' '),
                _ => {}
            }
        }
        Ok(())
    }

    fn body(&self, line: &Line) -> Result<Body, Malformed> {
        match (self.chunked, self.length) {
            (false, None | Some(0)) => Ok(Body::Over),
            (false, Some(length)) => Ok(Body::Sized(length)),
            (true, None) if !line.is_old => Ok(Body::chunked()),
            (true, _) => Err(Malformed),
        }
    }
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn digits(text: &[u8]) -> Option<u64> {
    let all = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| all)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(line: &str, fields: &str) -> Result<Head, Malformed> {
        read(format!("{line}\r\nHost: x\r\n{fields}\r\n").as_bytes().to_vec().as_mut_slice())
    }

    const POST: &str = "POST / HTTP/1.1";

    #[test]
    fn a_head_determines_the_body() {
        for (fields, body) in [
            ("", Body::Over),
            ("Content-Length: 0\r\n", Body::Over),
            ("content-length:\t 12 \r\n", Body::Sized(12)),
            ("CONTENT-LENGTH: 0012\r\n", Body::Sized(12)),
            ("Transfer-Encoding: Chunked\r\n", Body::chunked()),
            ("TE: trailers\r\nTrailer: Content-Length\r\n", Body::Over),
            ("X-Content-Length: 5\r\n", Body::Over),
            ("Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 3\r\n", Body::Sized(3)),
        ] {
            let head = Head { body, last: false, unencoded: None };
            assert_eq!(read_with(POST, fields), Ok(head), "{fields}");
        }
    }

    #[test]
    fn an_ambiguous_head_is_refused() {
        for fields in [
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 0\r\nContent-Length: 0\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length:\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length: 5 5\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length : 5\r\n",
            "Content-Length\t: 5\r\n",
            "A: b\r\n Content-Length: 5\r\n",
            ": 5\r\n",
            "Content-Length\r\n",
            "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding:\r\n",
            "Connection: close\x7f\r\n",
        ] {
            assert_eq!(read_with(POST, fields), Err(Malformed), "{fields}");
        }
        let chunked = "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(read_with("POST / HTTP/1.0", chunked), Err(Malformed));
        for line in
            ["GET /", "GET  / HTTP/1.1", "GET / HTTP/2.0", "GET /a b HTTP/1.1", "GET / http/1.1"]
        {
            assert_eq!(read_with(line, ""), Err(Malformed), "{line}");
        }
    }

    #[test]
    fn upgrades_are_removed() {
        let mut head = b"GET / HTTP/1.1\r\nUpgrade: h2c, websocket\r\n\
            Connection: Upgrade, HTTP2-Settings, keep-alive\r\n\r\n"
            .to_vec();
        assert_eq!(read(&mut head), Ok(Head { body: Body::Over, last: false, unencoded: None }));
        let text = String::from_utf8(head).unwrap();
        let values: Vec<&str> =
            text.lines().filter_map(|line| Some(line.split_once(':')?.1.trim())).collect();
        assert_eq!(values, ["", ", HTTP2-Settings, keep-alive"]);
    }
}
