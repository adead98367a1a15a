//! A connection that times out when its client stalls.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::GOODBYE;
use crate::answers::Answers;
use crate::appetite::Appetite;
use crate::requests::{Pass, Requests};
use crate::slots::Slot;
use crate::stopping::Stopping;

/// The most bytes that a client may send without getting a response: far more than the largest
/// request. Without a limit, actix would read a refused body to the end.
const MOST_UNANSWERED: usize = 32 * 1024 * 1024;

/// A client that has sent this much more gets the whole time again: on a slow line, a large file
/// takes minutes. The route limits the time of its bodies.
const PROGRESS: usize = 256 * 1024;

/// An empty line, which may precede a request. It tells actix, which closes idle connections, that
/// a request has begun although its head is incomplete.
const BEGUN: &[u8] = b"\r\n";

/// The start of the interim response that asks for the rest of a request.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A stream that fails when its client stalls or does not stop sending, that adds our error body
/// where actix-http sends none, and that passes on one request at a time.
///
/// A request must be answered within `patience` of its first byte, or of the last one that completed
/// a [`PROGRESS`], and a client must read some of a
/// response within `patience` of the last time it did. So neither a head, nor a body, nor reading a
/// response can be drawn out. Between requests, actix closes the connection earlier.
///
/// While the service is stopping, the stream ends once nothing arrives for a moment. A request that
/// has begun to arrive is still answered.
pub(crate) struct Guarded<S> {
    stream: S,
    patience: Duration,
    /// When the client counts as stalled.
    deadline: Instant,
    /// Fires at the deadline or earlier; it is reset only when it fires, because that is cheaper.
    timer: Pin<Box<Sleep>>,
    /// The bytes received since the last response.
    unanswered: usize,
    /// Completes when an idle connection must end, because the service is stopping.
    dismissal: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    requests: Requests,
    answers: Answers,
    appetite: Appetite,
    /// Bytes that were received but not passed on yet.
    held: Vec<u8>,
    /// How many of the held bytes may be passed on.
    cleared: usize,
    /// Whether actix has been told that a request with an incomplete head has begun.
    has_begun: bool,
    /// Whether the response to the current request has begun.
    is_answering: bool,
    /// Bytes to write before anything else.
    ahead: Vec<u8>,
    /// Whether the connection ends with an error that the client should see.
    ends_in_error: bool,
    /// Whether the stream waits for the client to notice the end.
    is_leaving: bool,
    _slot: Slot,
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, slot: Slot, patience: Duration, stopping: Stopping) -> Self {
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
            requests: Requests::new(),
            answers: Answers::default(),
            appetite: Appetite::default(),
            held: Vec::new(),
            cleared: 0,
            has_begun: false,
            is_answering: false,
            ahead: Vec::new(),
            ends_in_error: false,
            is_leaving: false,
            _slot: slot,
        }
    }

    /// Tells when actix has written a response.
    pub(crate) fn answers(&self) -> Answers {
        self.answers.clone()
    }

    /// Tells how much of a body may be read ahead.
    pub(crate) fn appetite(&self) -> Appetite {
        self.appetite.clone()
    }

    fn be_patient(&mut self) {
        self.deadline = Instant::now() + self.patience;
    }

    /// Completes with an error at the deadline.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            if Instant::now() >= self.deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(self.deadline);
        }
    }

    /// Passes on cleared bytes, as far as there is room.
    fn pass_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let fits = self.cleared.min(buffer.remaining());
        buffer.put_slice(self.held.drain(..fits).as_slice());
        self.cleared -= fits;
    }

    /// Counts `new` received bytes.
    fn count(&mut self, new: usize) -> io::Result<()> {
        let before = self.unanswered;
        self.unanswered += new;
        if before == 0 || before / PROGRESS < self.unanswered / PROGRESS {
            self.be_patient();
        }
        match self.unanswered > MOST_UNANSWERED {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(()),
        }
    }

    /// Ends the connection with an error, written before anything else.
    fn refuse(&mut self, status: u16) {
        self.ahead.extend_from_slice(&super::bare_answer(status));
        self.ends_in_error = true;
        self.leave();
    }

    /// Acts on the decision about the held bytes.
    fn follow(&mut self, pass: Pass) {
        match pass {
            Pass::Some(cleared) => self.cleared = cleared,
            Pass::Encoded => self.requests.encode(&mut self.held),
            Pass::Refused(status) => self.refuse(status),
            Pass::Incomplete | Pass::Later | Pass::Never => {}
        }
    }

    /// Gives the client a moment to notice the end.
    fn leave(&mut self) {
        self.is_leaving = true;
        self.deadline = Instant::now() + GOODBYE;
        let deadline = self.deadline;
        self.timer.as_mut().reset(deadline);
    }

    /// Whether an idle connection must end because the service is stopping.
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
        let this = &mut *self;
        loop {
            if this.cleared > 0 {
                this.pass_on(buffer);
                return Poll::Ready(Ok(()));
            }
            // For actix the stream ends here, as if the client had closed it.
            if this.ends_in_error || this.requests.are_over() {
                return Poll::Ready(Ok(()));
            }
            if !this.held.is_empty() {
                match this.requests.pass(&mut this.held) {
                    Pass::Incomplete if !this.has_begun && buffer.remaining() >= BEGUN.len() => {
                        this.has_begun = true;
                        buffer.put_slice(BEGUN);
                        return Poll::Ready(Ok(()));
                    }
                    Pass::Incomplete => {}
                    Pass::Later => return this.poll_stalled(context).map(Err),
                    other => {
                        this.follow(other);
                        continue;
                    }
                }
            }
            let is_body = this.requests.are_incomplete();
            if is_body && this.appetite.is_sated(context) {
                return this.poll_stalled(context).map(Err);
            }
            let before = buffer.filled().len();
            match Pin::new(&mut this.stream).poll_read(context, buffer) {
                Poll::Pending if this.is_dismissed(context) => return Poll::Ready(Ok(())),
                Poll::Pending => return this.poll_stalled(context).map(Err),
                Poll::Ready(read) => read?,
            }
            let (_, new) = buffer.filled_mut().split_at_mut(before);
            if new.is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.count(new.len())?;
            // Usually all bytes may be passed on and stay in the buffer.
            let pass = match this.held.is_empty() {
                true => this.requests.pass(new),
                false => Pass::Later,
            };
            let passed = if let Pass::Some(passed) = pass { passed } else { 0 };
            this.held.extend_from_slice(new.get(passed..).unwrap_or_default());
            buffer.set_filled(before + passed);
            if passed > 0 {
                if is_body {
                    this.appetite.pass(passed);
                }
                return Poll::Ready(Ok(()));
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

    /// Waits until the client has noticed the end: closing a socket with unread input resets it,
    /// and the last response would be lost.
    fn poll_goodbye(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        loop {
            let mut rest = [0; 8192];
            let mut rest = ReadBuf::new(&mut rest);
            match Pin::new(&mut self.stream).poll_read(context, &mut rest) {
                Poll::Pending if self.is_leaving => return self.poll_stalled(context).map(Err),
                // Everything received has been read.
                Poll::Pending => return Poll::Ready(Ok(())),
                Poll::Ready(read) => read?,
            }
            if rest.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            if !self.is_leaving {
                self.leave();
            }
            self.unanswered += rest.filled().len();
            if Instant::now() >= self.deadline || self.unanswered > MOST_UNANSWERED {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
    }

    /// Moves on to the next request once the current one has been answered.
    fn turn(&mut self, context: &mut Context<'_>) {
        if !self.answers.take() {
            return;
        }
        self.requests.answered();
        self.appetite.begin();
        self.has_begun = false;
        self.is_answering = false;
        self.unanswered = self.held.len();
        if !self.held.is_empty() {
            self.be_patient();
            context.waker().wake_by_ref();
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
            self.refuse(status);
            return Poll::Ready(Ok(buffer.len()));
        }
        match Pin::new(&mut self.stream).poll_write(context, buffer) {
            Poll::Pending => self.poll_stalled(context).map(Err),
            done => {
                let answer = buffer.strip_prefix(CONTINUE).unwrap_or(buffer);
                // After `100 Continue`, the body still belongs to the same request.
                if !answer.is_empty() {
                    self.unanswered = 0;
                    if !std::mem::replace(&mut self.is_answering, true) && is_last(answer) {
                        self.requests.end();
                    }
                }
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
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        // actix flushes when the stream has taken everything that it has written.
        self.turn(context);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_ahead(context))?;
        if !self.is_leaving && (!self.held.is_empty() || self.requests.are_incomplete()) {
            self.leave();
        }
        self.poll_goodbye(context)
    }
}

/// Whether a response ends the connection. actix writes that header right after the status and the
/// length.
fn is_last(answer: &[u8]) -> bool {
    let mut lines = answer.split(|byte| *byte == b'\n').take(3);
    match answer.starts_with(b"HTTP/1.0") {
        true => !lines.any(|line| line.starts_with(b"connection: keep-alive")),
        false => lines.any(|line| line.starts_with(b"connection: close")),
    }
}

/// Finds a response without a body, which actix sends for invalid HTTP and for slow requests, at
/// the end of what it wrote; the connection ends with it. Returns the bytes before it, and the
/// status.
fn bare_error(written: &[u8]) -> Option<(&[u8], u16)> {
    const BEGIN: &[u8] = b"HTTP/1.1 4";
    // A header that every response of the service has.
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
mod tests;
