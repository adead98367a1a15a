//! Heads of requests, before the parser below sees them. It takes a bare LF at the end of
//! a line, and one that stands before us may not: they could disagree where a head ends.
//! And of a query it refuses characters that have no meaning in one, and that clients
//! leave as they are.

use percent_encoding::percent_encode_byte;

/// How the answer begins that only asks for the rest of a request.
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100";

/// Looks at what is read, spoils a head whose lines end otherwise, and encodes queries.
#[derive(Debug)]
pub(super) struct Heads {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a head, with what stood last.
    Head { part: Part, last: [u8; 3] },
    /// At the end of a head and of all that came.
    End,
    /// In a body, or in what came before it was asked for: where the next head begins
    /// only the parser knows, and a body must not be touched.
    Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Method,
    Path,
    Query,
    Rest,
}

const BEGIN: State = State::Head { part: Part::Method, last: [0; 3] };

impl Heads {
    pub(super) fn new() -> Self {
        Self { state: BEGIN }
    }

    /// Puts a NUL, which no head may have, in the place of a bare LF. Returns what is to
    /// be read instead, where a query has characters that must be encoded.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Option<Vec<u8>> {
        let before = self.state;
        let mut bare = false;
        for byte in bytes.iter_mut() {
            bare |= self.step(byte);
            if self.state == State::Beyond {
                break;
            }
        }
        bare.then(|| {
            self.state = before;
            let mut encoded = Vec::with_capacity(2 * bytes.len());
            for byte in bytes {
                match self.step(byte) {
                    true => encoded.extend_from_slice(percent_encode_byte(*byte).as_bytes()),
                    false => encoded.push(*byte),
                }
            }
            encoded
        })
    }

    /// Goes one byte on. Returns whether it must be encoded.
    fn step(&mut self, byte: &mut u8) -> bool {
        let State::Head { part, last } = self.state else {
            self.state = State::Beyond;
            return false;
        };
        let [_, before, latest] = last;
        if *byte == b'\n' && latest != b'\r' {
            *byte = 0;
        }
        let last = [before, latest, *byte];
        let next = match (part, *byte) {
            (Part::Method, b' ') => Part::Path,
            (Part::Path, b'?') => Part::Query,
            (Part::Path | Part::Query, b' ' | b'\r') => Part::Rest,
            (part, _) => part,
        };
        self.state = match last == *b"\n\r\n" {
            true => State::End,
            false => State::Head { part: next, last },
        };
        part == Part::Query && (!byte.is_ascii() || b"\"<>".contains(byte))
    }

    /// What came has been answered, unless the answer only asks for the rest.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.state == State::End {
            self.state = if bytes.starts_with(CONTINUE) { State::Beyond } else { BEGIN };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(heads: &mut Heads, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let encoded = heads.read(&mut bytes);
        String::from_utf8(encoded.unwrap_or(bytes)).unwrap()
    }

    const HEAD: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    #[test]
    fn a_bare_line_feed_spoils_a_head() {
        for (text, spoiled) in [
            ("GET / HTTP/1.1\n\n", "GET / HTTP/1.1\0\0"),
            ("GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\0A: b\r\n\r\n"),
        ] {
            assert_eq!(read(&mut Heads::new(), text), spoiled);
        }
        let mut heads = Heads::new();
        assert_eq!(read(&mut heads, "GET / HTTP/1.1\r"), "GET / HTTP/1.1\r");
        assert_eq!(read(&mut heads, "\nHost: x\r\n"), "\nHost: x\r\n");
        assert_eq!(read(&mut heads, "\n"), "\0");
    }

    #[test]
    fn a_body_is_never_touched() {
        let body = "{\n}\n\n";
        assert_eq!(read(&mut Heads::new(), &format!("{HEAD}{body}")), format!("{HEAD}{body}"));
        // In a piece of its own, asked for or not.
        let mut heads = Heads::new();
        read(&mut heads, HEAD);
        assert_eq!(read(&mut heads, body), body);
        heads.write(b"HTTP/1.1 200 OK\r\n");
        assert_eq!(read(&mut heads, body), body);
        let mut heads = Heads::new();
        read(&mut heads, HEAD);
        heads.write(b"HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(read(&mut heads, body), body);
    }

    #[test]
    fn later_heads_are_looked_at_as_well() {
        let mut heads = Heads::new();
        for _ in 0..3 {
            assert_eq!(read(&mut heads, HEAD), HEAD);
            heads.write(b"HTTP/1.1 200 OK\r\n\r\n");
            heads.write(b"{}");
        }
        assert_eq!(read(&mut heads, "GET / HTTP/1.1\n"), "GET / HTTP/1.1\0");
    }

    #[test]
    fn what_clients_leave_as_it_is_in_a_query_is_encoded() {
        let request =
            "GET /a?b=<\"\u{10d}\">&c=%3C'? HTTP/1.1\r\nA: <\u{10d}>?\"\r\n\r\n?<\u{10d}>";
        let encoded = request.replacen("<\"\u{10d}\">", "%3C%22%C4%8D%22%3E", 1);
        assert_eq!(read(&mut Heads::new(), request), encoded);
        // In pieces, and of a later request.
        let mut heads = Heads::new();
        for _ in 0..2 {
            let (first, second) = request.split_at("GET /a?b=<\"".len());
            let (second, body) = second.split_at(second.find("?<").unwrap());
            let pieces = [first, second, body].map(|piece| read(&mut heads, piece));
            assert_eq!(pieces.concat(), encoded);
            heads.state = BEGIN;
        }
        // A path is the business of the parser.
        for path in ["/<a>", "/\u{10d}"] {
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            assert_eq!(read(&mut Heads::new(), &request), request);
        }
    }
}
