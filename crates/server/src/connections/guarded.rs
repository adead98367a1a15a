//! A connection whose client must not stall.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::GOODBYE;
use super::heads::{CONTINUE, Heads};
use super::slots::Slot;
use super::stopping::Stopping;

/// The most bytes that a client may send without getting any: far more than the
/// largest request has. The server below would read what it has refused to the end.
const MOST_UNANSWERED: usize = 32 * 1024 * 1024;

/// A stream that fails when its client stalls, or does not stop, and that tells in the usual shape what
/// actix-http tells without a body.
///
/// A request must have been answered within the patience that begins with its first
/// byte, and an answer must be taken within the patience since the client last took
/// some of it; so neither a head, nor a body, nor the reading of an answer can be
/// drawn out. Between requests, the server below closes the connection earlier.
///
/// Once the service is to stop, the stream ends where nothing arrives for a moment. What
/// has begun to arrive is answered.
pub(super) struct Guarded<S> {
    stream: S,
    patience: Duration,
    /// When the client will have stalled.
    deadline: Instant,
    /// Fires at the deadline, or at one before: it is set anew only when it fires.
    timer: Pin<Box<Sleep>>,
    /// The bytes that came since something was answered last.
    unanswered: usize,
    /// Ends when a connection on which nothing arrives is to end.
    dismissal: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    heads: Heads,
    /// What was read and has yet to be passed on.
    read: Vec<u8>,
    /// What is written before anything else.
    ahead: Vec<u8>,
    /// Whether the connection ends with an error that the client is to notice.
    ends_in_error: bool,
    _slot: Slot,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, slot: Slot, patience: Duration, stopping: Stopping) -> Self {
        let deadline = Instant::now() + patience;
        let timer = Box::pin(sleep_until(deadline));
        Self {
            stream,
            patience,
            deadline,
            timer,
            unanswered: 0,
            dismissal: Some(Box::pin(async move {
                stopping.begins().await;
                sleep(GOODBYE).await;
            })),
            heads: Heads::new(),
            read: Vec::new(),
            ahead: Vec::new(),
            ends_in_error: false,
            _slot: slot,
        }
    }

    fn be_patient(&mut self) {
        self.deadline = Instant::now() + self.patience;
    }

    /// Fails at the deadline, and wakes the task then.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            if Instant::now() >= self.deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(self.deadline);
        }
    }

    /// Passes on what was read, as far as there is room.
    fn pass_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let fits = self.read.len().min(buffer.remaining());
        buffer.put_slice(self.read.drain(..fits).as_slice());
    }

    /// Whether the connection ends because nothing arrives and the service is to stop.
    fn is_dismissed(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(dismissal) = &mut self.dismissal
            && dismissal.as_mut().poll(context).is_ready()
        {
            self.dismissal = None;
        }
        self.dismissal.is_none() && self.unanswered == 0
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.read.is_empty() {
            self.pass_on(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending if self.is_dismissed(context) => Poll::Ready(Ok(())),
            Poll::Pending => self.poll_stalled(context).map(Err),
            done => {
                let (_, new) = buffer.filled_mut().split_at_mut(before);
                if self.unanswered == 0 && !new.is_empty() {
                    self.be_patient();
                }
                self.unanswered += new.len();
                if self.unanswered > MOST_UNANSWERED {
                    return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
                }
                if let Some(encoded) = self.heads.read(new) {
                    buffer.set_filled(before);
                    self.read = encoded;
                    self.pass_on(buffer);
                }
                done
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.ahead.is_empty() {
            let written = match Pin::new(&mut self.stream).poll_write(context, &self.ahead) {
                Poll::Pending => return self.poll_stalled(context).map(Err),
                Poll::Ready(written) => written?,
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.ahead.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until the client has noticed the end: what is closed with something unread
    /// is reset, and what was written last is lost.
    fn poll_goodbye(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        loop {
            let mut rest = [0; 8192];
            let mut rest = ReadBuf::new(&mut rest);
            match Pin::new(&mut self.stream).poll_read(context, &mut rest) {
                Poll::Pending => return self.poll_stalled(context).map(Err),
                Poll::Ready(read) => read?,
            }
            if rest.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            if Instant::now() >= self.deadline {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_ahead(context))?;
        if let Some((answers, status)) = bare_error(buffer) {
            self.ahead.extend_from_slice(answers);
            self.ahead.extend_from_slice(&super::bare_answer(status));
            self.ends_in_error = true;
            self.deadline = Instant::now() + GOODBYE;
            let deadline = self.deadline;
            self.timer.as_mut().reset(deadline);
            return Poll::Ready(Ok(buffer.len()));
        }
        match Pin::new(&mut self.stream).poll_write(context, buffer) {
            Poll::Pending => self.poll_stalled(context).map(Err),
            done => {
                // The body that is asked for belongs to what has come.
                if !buffer.starts_with(CONTINUE) {
                    self.unanswered = 0;
                }
                self.heads.write(buffer);
                self.be_patient();
                done
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_ahead(context))?;
        if self.ends_in_error {
            return self.poll_goodbye(context);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_ahead(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What the server below answers to what is not HTTP, or comes too slowly: the status
/// alone. It ends what is written, since the connection ends with it. Returns what
/// stands before it, and the status.
fn bare_error(written: &[u8]) -> Option<(&[u8], u16)> {
    const BEGIN: &[u8] = b"HTTP/1.1 4";
    // Every answer of the service itself says this.
    const OURS: &[u8] = b"x-content-type-options";
    if !written.ends_with(b"\r\n\r\n") {
        return None;
    }
    let begin = written.windows(BEGIN.len()).rposition(|window| window == BEGIN)?;
    let (before, error) = written.split_at_checked(begin)?;
    if error.windows(OURS.len()).any(|window| window.eq_ignore_ascii_case(OURS)) {
        return None;
    }
    let status = error.get(BEGIN.len() - 1..BEGIN.len() + 2)?;
    Some((before, std::str::from_utf8(status).ok()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::{Slots, stopping};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const PATIENCE: Duration = Duration::from_secs(25);

    fn guarded() -> (Guarded<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(16);
        (Guarded::new(ours, Slots::new(1).take().unwrap(), PATIENCE, never()), theirs)
    }

    fn never() -> Stopping {
        stopping::channel().1
    }

    async fn read(stream: &mut Guarded<DuplexStream>) -> io::Result<usize> {
        stream.read(&mut [0; 64]).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_cannot_be_drawn_out_byte_by_byte() {
        let (mut stream, mut client) = guarded();
        let began = Instant::now();
        let dripping = tokio::spawn(async move {
            while client.write_all(b"G").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(4)).await;
            }
        });
        let error = loop {
            if let Err(error) = read(&mut stream).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), PATIENCE.as_secs());
        drop(stream);
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_request_has_its_own_time() {
        let (mut stream, mut client) = guarded();
        for _ in 0..5 {
            tokio::time::sleep(PATIENCE - Duration::from_secs(1)).await;
            client.write_all(b"GET").await.unwrap();
            read(&mut stream).await.unwrap();
            stream.write_all(b"answer").await.unwrap();
            client.read_exact(&mut [0; 6]).await.unwrap();
        }
        client.write_all(b"G").await.unwrap();
        read(&mut stream).await.unwrap();
        let begun = Instant::now();
        assert_eq!(read(&mut stream).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_stop_a_connection_ends_unless_something_has_begun_to_arrive() {
        let (stop, stopping) = stopping::channel();
        let guarded = || {
            let (ours, theirs) = duplex(64);
            let slot = Slots::new(1).take().unwrap();
            (Guarded::new(ours, slot, PATIENCE, stopping.clone()), theirs)
        };
        let ((mut fresh, _client), (mut kept, mut asking)) = (guarded(), guarded());
        asking.write_all(b"GET").await.unwrap();
        assert_eq!(read(&mut kept).await.unwrap(), 3);
        stop.begin();
        let begun = Instant::now();
        assert_eq!(read(&mut fresh).await.unwrap(), 0);
        assert_eq!(begun.elapsed().as_secs(), GOODBYE.as_secs());
        let rest = async {
            sleep(2 * GOODBYE).await;
            asking.write_all(b" /").await.unwrap();
        };
        assert_eq!(tokio::join!(read(&mut kept), rest).0.unwrap(), 2);
        kept.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        asking.write_all(b"{}").await.unwrap();
        assert_eq!(read(&mut kept).await.unwrap(), 2);
        kept.write_all(b"answer").await.unwrap();
        assert_eq!(read(&mut kept).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_grows_while_it_is_read_is_passed_on_whole() {
        let (mut stream, mut client) = guarded();
        let begin = "GET /?";
        let writing = async {
            client.write_all(format!("{begin}{}", "\"".repeat(40)).as_bytes()).await.unwrap();
            drop(client);
        };
        let reading = async {
            let mut all = Vec::new();
            loop {
                let mut piece = [0; 7];
                match stream.read(&mut piece).await.unwrap() {
                    0 => return String::from_utf8(all).unwrap(),
                    read => all.extend_from_slice(&piece[..read]),
                }
            }
        };
        let (all, ()) = tokio::join!(reading, writing);
        assert_eq!(all, format!("{begin}{}", "%22".repeat(40)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_ends_the_connection() {
        let (mut stream, _client) = guarded();
        let error = stream.write_all(&[b'x'; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_never_stops_is_left() {
        let (ours, mut client) = duplex(1024 * 1024);
        let mut stream = Guarded::new(ours, Slots::new(1).take().unwrap(), PATIENCE, never());
        let pouring = tokio::spawn(async move {
            let mut taken = 0;
            while client.write_all(&[b'x'; 65_536]).await.is_ok() {
                taken += 65_536;
            }
            taken
        });
        let mut piece = vec![0; 65_536];
        while stream.read(&mut piece).await.is_ok() {}
        drop(stream);
        let taken = pouring.await.unwrap();
        assert!((MOST_UNANSWERED..2 * MOST_UNANSWERED).contains(&taken), "{taken}");
    }

    #[tokio::test]
    async fn a_bare_error_gets_a_body_and_what_stood_before_it_stays() {
        let (ours, mut client) = duplex(4096);
        let mut stream = Guarded::new(ours, Slots::new(1).take().unwrap(), PATIENCE, never());
        let ok =
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-content-type-options: nosniff\r\n\r\n{}";
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(format!("{ok}{bare}").as_bytes()).await.unwrap();
        let closing = tokio::spawn(async move { stream.flush().await });
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        let error = answer.strip_prefix(ok).unwrap();
        assert!(error.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{error}");
        assert!(error.contains("\r\nx-content-type-options: nosniff\r\n"));
        assert!(error.ends_with("\r\n\r\n{\"detail\":\"Malformed request.\"}"), "{error}");
        // The client may have more to say before it notices.
        client.write_all(&[b'x'; 10_000]).await.unwrap();
        drop(client);
        closing.await.unwrap().unwrap();
    }

    #[test]
    fn answers_of_the_service_are_left_alone() {
        let head = "HTTP/1.1 404 Not Found\r\nX-Content-Type-Options: nosniff\r\n\r\n";
        assert_eq!(bare_error(head.as_bytes()), None);
        let quoting = format!("{{\"notes\":\"HTTP/1.1 400\"}}{head}");
        assert_eq!(bare_error(quoting.as_bytes()), None);
        assert_eq!(bare_error(b"HTTP/1.1 400 Bad Request\r\n\r\n{}"), None);
        assert_eq!(bare_error(b"HTTP/1.1 200 OK\r\n\r\n"), None);
    }
}
