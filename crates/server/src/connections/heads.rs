//! Lines of a request's head end with CR LF. The parser below takes a bare LF as well,
//! and one that stands before us may not: they could disagree where a head ends.

/// How the answer begins that only asks for the rest of a request.
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100";

/// Looks at what is read, and spoils a head whose lines end otherwise.
#[derive(Debug)]
pub(super) struct Heads {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a head, with what stood last.
    Head { last: [u8; 3] },
    /// At the end of a head and of all that came.
    End,
    /// In a body, or in what came before it was asked for: where the next head begins
    /// only the parser knows, and a body must not be touched.
    Beyond,
}

const BEGIN: State = State::Head { last: [0; 3] };

impl Heads {
    pub(super) fn new() -> Self {
        Self { state: BEGIN }
    }

    /// Puts a NUL, which no head may have, in the place of a bare LF.
    pub(super) fn read(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            match self.state {
                State::Head { last } => {
                    if *byte == b'\n' && last[2] != b'\r' {
                        *byte = 0;
                    }
                    let [_, before, latest] = last;
                    self.state = if [before, latest, *byte] == *b"\n\r\n" {
                        State::End
                    } else {
                        State::Head { last: [before, latest, *byte] }
                    };
                }
                State::End => self.state = State::Beyond,
                State::Beyond => return,
            }
        }
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
        heads.read(&mut bytes);
        String::from_utf8(bytes).unwrap()
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
}
