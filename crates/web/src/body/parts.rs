//! Reads the parts of `multipart/form-data` one by one while the body arrives, so that a file is
//! never in memory as a whole. It is as strict as [`super::multipart`], and stricter in one respect:
//! the delimiter may not be inside of a line.

use actix_web::HttpRequest;
use actix_web::web::{Bytes, BytesMut, Payload};

use super::form::{FormError, MAX_FIELDS};
use super::multipart::{Head, MAX_HEADERS, delimiter, headers, is_identity};
use super::parameters::Parameters;
use super::{Incoming, content_type};
use crate::error::ApiError;

/// The most bytes of a text.
const MAX_TEXT: usize = 64 * 1024;

/// The longest line of a delimiter: blanks may follow it.
const MAX_LINE: usize = 1024;

/// The parts of a body.
pub struct Parts {
    incoming: Incoming,
    delimiter: Vec<u8>,
    /// What has arrived and was not handed out.
    buffer: BytesMut,
    at: At,
    count: usize,
}

/// Where the beginning of the buffer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first delimiter.
    Begin,
    /// In the content of a part.
    Content,
    /// Behind a delimiter, before the headers of a part.
    Headers,
    /// Behind the closing delimiter.
    End,
}

/// The beginning of a part.
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// The name of the file as it was sent, if the part is one.
    pub file: Option<String>,
}

impl Parts {
    /// Starts to read a body. The route must accept `multipart/form-data` alone.
    ///
    /// # Errors
    /// Those of [`Incoming::open`]; 400 without a boundary.
    pub fn open(request: &HttpRequest, payload: Payload) -> Result<Self, ApiError> {
        let incoming = Incoming::open(request, payload)?;
        let delimiter = delimiter(&Parameters::of(&content_type(request)?)).map_err(refused)?;
        let buffer = BytesMut::new();
        Ok(Self { incoming, delimiter, buffer, at: At::Begin, count: 0 })
    }

    /// The next part; `None` at the end. The rest of the part before it is skipped.
    ///
    /// # Errors
    /// Those of [`Incoming::next`]; 400 if the parts cannot be separated reliably.
    pub async fn next(&mut self) -> Result<Option<Part>, ApiError> {
        while self.piece().await?.is_some() {}
        if self.at == At::Begin {
            // Some clients start every text with a byte order mark.
            let mark = b"\xef\xbb\xbf";
            let length = self.delimiter.len() + mark.len();
            while self.buffer.len() < length && self.arrive().await? {}
            if self.buffer.starts_with(mark) {
                let _ = self.buffer.split_to(mark.len());
            }
            if !self.buffer.starts_with(&self.delimiter) {
                return Err(malformed());
            }
            self.pass_delimiter().await?;
        }
        if self.at == At::End {
            // Nothing may follow but the end of the line.
            while self.arrive().await? {}
            let is_over = self.buffer.iter().all(u8::is_ascii_whitespace);
            return if is_over { Ok(None) } else { Err(malformed()) };
        }
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(refused(FormError::TooManyFields));
        }
        let head = self.headers().await?;
        if !is_identity(&head.transfer_encoding) {
            return Err(refused(FormError::TransferEncoding));
        }
        self.at = At::Content;
        Ok(Some(Part { name: head.name, file: head.file }))
    }

    /// The next piece of the content of the current part; `None` at its end.
    ///
    /// # Errors
    /// Those of [`Self::next`].
    pub async fn piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        // A line end belongs to the delimiter that follows it.
        let reach = self.delimiter.len() + b"\r\n".len();
        while self.at == At::Content {
            if let Some(begin) = find(&self.buffer, &self.delimiter) {
                let content = self.buffer.split_to(begin).freeze();
                self.pass_delimiter().await?;
                let content = match (content.strip_suffix(b"\n"), content.is_empty()) {
                    (Some(line), _) => {
                        let line = line.strip_suffix(b"\r").unwrap_or(line);
                        content.slice(..line.len())
                    }
                    (None, true) => content,
                    (None, false) => return Err(malformed()),
                };
                if !content.is_empty() {
                    return Ok(Some(content));
                }
            } else if self.buffer.len() > reach {
                let ready = self.buffer.len() - reach;
                return Ok(Some(self.buffer.split_to(ready).freeze()));
            } else if !self.arrive().await? {
                return Err(malformed());
            }
        }
        Ok(None)
    }

    /// The whole content of the current part, which must be a short text.
    ///
    /// # Errors
    /// Those of [`Self::next`]; 400 for anything but a text; 413 for a long one.
    pub async fn text(&mut self) -> Result<String, ApiError> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece().await? {
            text.extend_from_slice(&piece);
            if text.len() > MAX_TEXT {
                return Err(ApiError::too_large());
            }
        }
        String::from_utf8(text).map_err(|_| malformed())
    }

    /// Passes the delimiter at the beginning of the buffer, and the rest of its line.
    async fn pass_delimiter(&mut self) -> Result<(), ApiError> {
        let mut length = self.delimiter.len();
        let is_whole = loop {
            match self.buffer.get(length).copied() {
                Some(b'\n') => break true,
                Some(_) if length > MAX_LINE => return Err(malformed()),
                Some(_) => length += 1,
                None => {
                    if !self.arrive().await? {
                        break false;
                    }
                }
            }
        };
        let line = self.buffer.split_to(length + usize::from(is_whole));
        let rest = line.get(self.delimiter.len()..).unwrap_or_default();
        let closing = rest.strip_prefix(b"--");
        let blanks = closing.unwrap_or(rest);
        let is_delimiter = is_whole || closing.is_some();
        if !is_delimiter || !blanks.iter().all(|byte| b" \t\r\n".contains(byte)) {
            return Err(malformed());
        }
        self.at = if closing.is_some() { At::End } else { At::Headers };
        Ok(())
    }

    /// Reads the headers of a part, up to the empty line.
    async fn headers(&mut self) -> Result<Head, ApiError> {
        loop {
            let ends = [b"\n\n".as_slice(), b"\n\r\n"];
            let is_complete = ends.iter().any(|end| find(&self.buffer, end).is_some())
                || self.buffer.starts_with(b"\n")
                || self.buffer.starts_with(b"\r\n");
            if is_complete {
                break;
            }
            if self.buffer.len() > MAX_HEADERS || !self.arrive().await? {
                return Err(malformed());
            }
        }
        let (headers, content) = headers(&self.buffer).map_err(refused)?;
        let length = self.buffer.len() - content.len();
        let head = Head::of(&headers).map_err(refused)?;
        let _ = self.buffer.split_to(length);
        Ok(head)
    }

    /// Waits for more bytes; `false` if there are none.
    async fn arrive(&mut self) -> Result<bool, ApiError> {
        let Some(piece) = self.incoming.next().await? else { return Ok(false) };
        self.buffer.extend_from_slice(&piece);
        Ok(true)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

fn malformed() -> ApiError {
    refused(FormError::Multipart)
}

fn refused(error: FormError) -> ApiError {
    ApiError::bad_request(format!("Multipart form parse error - {error}"))
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
