//! Bodies of requests: where they end.

/// The most bytes of chunk extensions and trailers of one body. Nothing reads them.
const MOST_BESIDE: usize = 16 * 1024;

/// How a body goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// It has ended, or there is none.
    Over,
    /// So many bytes of it are still to come.
    Sized(u64),
    /// It comes in chunks.
    Chunked(Chunks),
    /// It is malformed, so its end is unknown.
    Broken,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    at: At,
    /// Bytes of the chunk that are still to come.
    left: u64,
    /// Bytes of extensions and trailers that have come.
    beside: usize,
}

/// What comes next of a chunk (RFC 9112, 7.1).
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
    /// The beginning of a line behind the last chunk.
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

    /// How many of `bytes`, which come next, belong to the body. Where it turns out to be
    /// malformed, it is broken from there on.
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
    /// How many of the bytes belong to the chunks, and whether these are well-formed.
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

    /// What comes behind `byte`.
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

/// As many of the bytes as are left.
fn fit(left: u64, bytes: &[u8]) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len())
}
