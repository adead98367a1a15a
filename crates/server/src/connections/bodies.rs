//! Request bodies: where they end.

/// The most bytes of chunk extensions and trailers in one body. Nothing uses them.
const MOST_BESIDE: usize = 16 * 1024;

/// The rest of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// The body has ended, or there is none.
    Over,
    /// This many bytes are missing.
    Sized(u64),
    /// The body is chunked.
    Chunked(Chunks),
    /// The body is malformed, so its end is unknown.
    Broken,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    at: At,
    /// Bytes missing from the current chunk.
    left: u64,
    /// Bytes of extensions and trailers so far.
    beside: usize,
}

/// What comes next in a chunked body (RFC 9112, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    FirstDigit,
    Size,
    Blank,
    Extension,
    SizeFeed,
    Data,
    DataReturn,
    DataFeed,
    /// The start of a line after the last chunk.
    Trailers,
    Trailer,
    TrailerFeed,
    LastFeed,
    End,
}

impl Body {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunks { at: At::FirstDigit, left: 0, beside: 0 })
    }

    /// Returns how many of the next `bytes` belong to the body. A malformed body becomes `Broken`.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Over | Self::Broken => 0,
            Self::Sized(left) => {
                let taken = fit(*left, bytes);
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::Over;
                }
                taken
            }
            Self::Chunked(chunks) => {
                let (taken, goes_on) = chunks.follow(bytes);
                if !goes_on {
                    *self = Self::Broken;
                } else if chunks.at == At::End {
                    *self = Self::Over;
                }
                taken
            }
        }
    }
}

impl Chunks {
    /// Returns how many bytes belong to the chunks, and whether they are well-formed.
    fn follow(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut rest = bytes;
        while let [byte, after @ ..] = rest
            && self.at != At::End
        {
            if self.at == At::Data {
                let taken = fit(self.left, rest);
                self.left -= taken as u64;
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
                rest = rest.get(taken..).unwrap_or_default();
                continue;
            }
            let Some(next) = self.step(*byte) else {
                return (bytes.len() - rest.len(), false);
            };
            self.at = next;
            rest = after;
        }
        (bytes.len() - rest.len(), true)
    }

    /// The state after `byte`, or `None` if it is not allowed here.
    fn step(&mut self, byte: u8) -> Option<At> {
        let next = match (self.at, byte) {
            (At::FirstDigit | At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16)?;
                self.left = self.left.checked_mul(16)? + u64::from(digit);
                At::Size
            }
            (At::Size | At::Blank | At::Extension, b'\r') => At::SizeFeed,
            (At::Size | At::Blank, b' ' | b'\t') => At::Blank,
            (At::Size | At::Blank, b';') => At::Extension,
            (At::Extension, b'\t' | b' '..=b'~' | 0x80..) => At::Extension,
            (At::SizeFeed, b'\n') if self.left == 0 => At::Trailers,
            (At::SizeFeed, b'\n') => At::Data,
            (At::DataReturn, b'\r') => At::DataFeed,
            (At::DataFeed, b'\n') => At::FirstDigit,
            (At::Trailers, b'\r') => At::LastFeed,
            (At::Trailers, b'!'..=b'~') => At::Trailer,
            (At::Trailer, b'\r') => At::TrailerFeed,
            (At::Trailer, b'\t' | b' '..=b'~' | 0x80..) => At::Trailer,
            (At::TrailerFeed, b'\n') => At::Trailers,
            (At::LastFeed, b'\n') => At::End,
            _ => return None,
        };
        if matches!(next, At::Blank | At::Extension | At::Trailer) {
            self.beside += 1;
        }
        (self.beside <= MOST_BESIDE).then_some(next)
    }
}

/// The smaller of `left` and the number of bytes.
fn fit(left: u64, bytes: &[u8]) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len())
}
