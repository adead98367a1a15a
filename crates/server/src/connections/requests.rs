//! Passes the requests of one connection to actix one at a time.
//!
//! actix decodes requests ahead, and lets the last decoded request decide how it writes the
//! previous response: whether that has a body, and whether the connection ends. So it gets a
//! request only after the previous one has been answered.

use percent_encoding::percent_encode_byte;

use super::bodies::Body;
use super::heads::{self, Head, Malformed};

/// What to do with received bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Pass on this many bytes.
    Some(usize),
    /// Pass on nothing until more of the head has arrived.
    Incomplete,
    /// Pass on nothing until the previous request has been answered.
    Later,
    /// Pass on nothing until [`Requests::encode`] has changed the bytes.
    Encoded,
    /// Pass on nothing more: the connection ends.
    Never,
    /// Refuse the request with this status.
    Refused(u16),
}

/// The state of a connection's requests.
#[derive(Debug)]
pub(super) struct Requests {
    /// The rest of the current request.
    body: Body,
    /// Whether a request waits for its response.
    is_asked: bool,
    /// Whether the current request is the last one.
    is_last: bool,
    /// The bytes of the next head that have been searched already.
    seen: usize,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self { body: Body::Over, is_asked: false, is_last: false, seen: 0 }
    }

    /// Decides about `bytes`, which follow those passed on before.
    pub(super) fn pass(&mut self, bytes: &mut [u8]) -> Pass {
        match self.body {
            _ if self.are_over() => Pass::Never,
            Body::Sized(_) | Body::Chunked(_) => match self.body.follow(bytes) {
                0 => Pass::Never,
                taken => Pass::Some(taken),
            },
            _ if self.is_asked => Pass::Later,
            _ => self.begin(bytes),
        }
    }

    fn begin(&mut self, bytes: &mut [u8]) -> Pass {
        let end = match heads::end(bytes, self.seen) {
            Ok(None) if bytes.len() >= heads::LONGEST => return Pass::Refused(431),
            Ok(None) if heads::may_become_one(bytes) => {
                self.seen = bytes.len();
                return Pass::Incomplete;
            }
            Ok(Some(end)) => end,
            Ok(None) | Err(Malformed) => return Pass::Refused(400),
        };
        let (head, rest) = bytes.split_at_mut(end);
        match heads::read(head) {
            Err(Malformed) => Pass::Refused(400),
            Ok(Head { unencoded: Some(_), .. }) => Pass::Encoded,
            Ok(Head { body, last, unencoded: None }) => {
                *self = Self { body, is_asked: true, is_last: last, seen: 0 };
                Pass::Some(end + self.body.follow(rest))
            }
        }
    }

    /// Percent-encodes invalid characters in the query of the head at the start of `bytes`.
    pub(super) fn encode(&mut self, bytes: &mut Vec<u8>) {
        let end = heads::end(bytes, 0).ok().flatten();
        let head = end.and_then(|end| heads::read(bytes.get_mut(..end)?).ok());
        let Some(query) = head.and_then(|head| head.unencoded) else { return };
        let mut encoded = Vec::with_capacity(3 * query.len());
        for byte in bytes.get(query.clone()).unwrap_or_default() {
            match heads::must_be_encoded(*byte) {
                true => encoded.extend_from_slice(percent_encode_byte(*byte).as_bytes()),
                false => encoded.push(*byte),
            }
        }
        bytes.splice(query, encoded);
        self.seen = 0;
    }

    /// Notes that the connection ends after the current response.
    pub(super) fn end(&mut self) {
        self.is_last = true;
    }

    /// Notes that the response to the current request has been written.
    pub(super) fn answered(&mut self) {
        self.is_asked = false;
    }

    /// Whether no more bytes are passed on.
    pub(super) fn are_over(&self) -> bool {
        self.body == Body::Broken || (self.is_last && !self.is_asked)
    }

    /// Whether more of the current request must arrive.
    pub(super) fn are_incomplete(&self) -> bool {
        self.body != Body::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The requests passed on from `pieces`, each answered as soon as no more of it may be passed
    /// on, and the status of a refusal.
    fn passed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<u16>) {
        let (mut requests, mut all, mut held) = (Requests::new(), vec![vec![]], Vec::new());
        for piece in pieces {
            held.extend_from_slice(piece);
            while !held.is_empty() {
                match requests.pass(&mut held) {
                    Pass::Some(passed) => all.last_mut().unwrap().extend(held.drain(..passed)),
                    Pass::Incomplete => break,
                    Pass::Encoded => requests.encode(&mut held),
                    Pass::Refused(status) => return (all, Some(status)),
                    Pass::Never => return (all, None),
                    Pass::Later => {
                        requests.answered();
                        all.push(Vec::new());
                    }
                }
            }
        }
        (all, None)
    }

    /// The requests, which must be the same for every split of the bytes.
    fn passed_in_any_pieces(bytes: &str) -> (Vec<String>, Option<u16>) {
        let bytes = bytes.as_bytes();
        let whole = passed([bytes]);
        assert_eq!(passed(bytes.chunks(1)), whole);
        for at in 1..bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(passed([first, second]), whole, "{at}");
        }
        let text = |request| String::from_utf8(request).unwrap();
        (whole.0.into_iter().map(text).collect(), whole.1)
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
    const SIZED: &str = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{\n\r\n\r\n<\"}";
    const CHUNKED: &str = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;a=\"b\"\r\n{\n}\r\n0b \r\n\r\n\r\nGET / H\r\n0\r\nX: GET / HTTP/1.1\r\nY:\r\n\r\n";

    #[test]
    fn requests_are_passed_on_one_by_one_and_whole() {
        for all in [
            vec![GET, HEAD],
            vec![SIZED, HEAD, CHUNKED, GET],
            vec![CHUNKED, CHUNKED, SIZED, SIZED],
            vec![SIZED],
        ] {
            let (passed, refused) = passed_in_any_pieces(&all.concat());
            assert_eq!((passed, refused), (all.iter().map(|&r| r.to_owned()).collect(), None));
        }
    }

    #[test]
    fn empty_lines_before_a_request_are_part_of_it() {
        let spaced = format!("\r\n{SIZED}\r\n\r\n{GET}");
        let (passed, refused) = passed_in_any_pieces(&spaced);
        assert_eq!((passed.concat(), passed.len(), refused), (spaced, 2, None));
    }

    #[test]
    fn nothing_is_passed_on_after_the_last_request() {
        for last in [
            GET.replace("Host", "Connection: close\r\nHost"),
            SIZED.replace("Host", "connection: foo , CLOSE\r\nHost"),
            CHUNKED.replace("Host", "Connection: keep-alive\r\nConnection:close\r\nHost"),
            GET.replace("1.1", "1.0"),
            SIZED.replace("1.1\r\n", "1.0\r\nConnection: foo\r\n"),
            GET.replace("GET / ", "CONNECT x:80 "),
        ] {
            let (passed, refused) = passed_in_any_pieces(&format!("{last}{SIZED}"));
            assert_eq!((passed[0].as_str(), refused), (last.as_str(), None));
            assert_eq!(passed[1..].concat(), "");
        }
        let kept = GET.replace("1.1\r\n", "1.0\r\nConnection: Keep-Alive\r\n");
        assert_eq!(passed_in_any_pieces(&format!("{kept}{SIZED}")).0, [kept.as_str(), SIZED]);
    }

    #[test]
    fn the_request_whose_response_ends_the_connection_is_the_last() {
        let mut requests = Requests::new();
        let mut bytes = [GET, GET].concat().into_bytes();
        assert_eq!(requests.pass(&mut bytes), Pass::Some(GET.len()));
        bytes.drain(..GET.len());
        assert_eq!(requests.pass(&mut bytes), Pass::Later);
        requests.end();
        assert_eq!(requests.pass(&mut bytes), Pass::Later);
        requests.answered();
        assert_eq!(requests.pass(&mut bytes), Pass::Never);
    }

    #[test]
    fn a_bare_line_feed_is_refused_in_every_head() {
        for (bad, status) in [
            ("GET / HTTP/1.1\n\n".to_owned(), 400),
            ("\nGET / HTTP/1.1\r\n\r\n".to_owned(), 400),
            (GET.replace("x\r\n", "x\n"), 400),
            (GET.replace("x\r\n", "x\r\nA: b\nC: d\r\n"), 400),
            (format!("GET /{} HTTP/1.1\r\n", "a".repeat(heads::LONGEST)), 431),
        ] {
            assert_eq!(passed([bad.as_bytes()]).1, Some(status), "{bad}");
            for before in [GET, SIZED, CHUNKED] {
                let all = format!("{before}{bad}");
                let (passed, refused) = match status {
                    400 => passed_in_any_pieces(&all),
                    _ => (vec![before.to_owned()], passed([all.as_bytes()]).1),
                };
                assert_eq!((passed[0].as_str(), refused), (before, Some(status)), "{bad}");
            }
        }
        // Bytes that cannot start a head are refused at once.
        assert_eq!(passed([b"\x16\x03\x01".as_slice()]).1, Some(400));
    }

    #[test]
    fn unencoded_characters_in_a_query_are_encoded() {
        let query = "b=<\"\u{10d}\">&c=%3C'?";
        let odd = format!("GET /a?{query} HTTP/1.1\r\nA: <\u{10d}>?\"\r\n\r\n");
        let encoded = odd.replacen("<\"\u{10d}\">", "%3C%22%C4%8D%22%3E", 1);
        let all = [&odd, SIZED, &odd, CHUNKED, "\r\n", &odd].concat();
        let (passed, refused) = passed_in_any_pieces(&all);
        let last = format!("\r\n{encoded}");
        assert_eq!(
            (passed, refused),
            (vec![encoded.clone(), SIZED.into(), encoded, CHUNKED.into(), last], None)
        );
        // Paths are left to the parser.
        for path in ["/<a>", "/\u{10d}"] {
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            assert_eq!(passed_in_any_pieces(&request).0, [request]);
        }
    }

    #[test]
    fn nothing_is_passed_on_after_a_malformed_body() {
        let chunked = |body: &str| {
            format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
        };
        for (good, bad) in [
            ("", "\r\n"),
            ("", "z"),
            ("", " 1"),
            ("", "-1"),
            ("ffffffffffffffff", "f\r\n"),
            ("1", "\n"),
            ("1 ", "2"),
            ("1\r", "x"),
            ("1;a", "\n"),
            ("1;a", "\0"),
            ("1\r\na", "b"),
            ("1\r\na\r", "b"),
            ("0\r\n", "\n"),
            ("0\r\n\r", "\r"),
            ("0\r\nA: b", "\n\n"),
            ("0\r\nA: b\r", "A"),
            ("0\r\n", " folded: a\r\n\r\n"),
        ] {
            let (passed, refused) = passed_in_any_pieces(&chunked(&format!("{good}{bad}{GET}")));
            assert_eq!((passed, refused), (vec![chunked(good)], None), "{good}{bad}");
        }
        let long = "a".repeat(20_000);
        for long in [format!("1;{long}\r\na\r\n0\r\n\r\n"), format!("0\r\nA: {long}\r\n\r\n")] {
            let (all, _) = passed([chunked(&long).as_bytes(), GET.as_bytes()]);
            assert!(all.len() == 1 && all[0].len() < 17_000);
        }
    }
}
