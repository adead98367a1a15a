//! How much of a body is read ahead of its reader.
//!
//! actix reads 128 KiB from a connection before it looks whether anybody wants them, and decodes
//! them into one piece. So many slow uploads would take far more memory than their readers need.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use actix_http::error::PayloadError;
use actix_http::header::CONTENT_LENGTH;
use actix_http::{HttpMessage, Payload, Request};
use actix_web::web::Bytes;
use futures_util::Stream;

/// The bytes of a body that are passed on, before its reader asks for more.
const AHEAD: usize = 32 * 1024;

/// Tells, for one connection, whether more of the current body may be passed on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Appetite(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The bytes passed on since the reader found nothing.
    passed: AtomicUsize,
    /// Whether nobody reads the body any more, so that actix must be able to skip it.
    is_unread: AtomicBool,
    /// Wakes the connection, if it waits for the reader.
    waiting: Mutex<Option<Waker>>,
}

impl Appetite {
    /// The state of the request's connection.
    pub(crate) fn of(request: &Request) -> Self {
        request.conn_data::<Self>().cloned().unwrap_or_default()
    }

    /// Makes the reader of a large body tell the connection when it wants more.
    pub(crate) fn watch(self, mut request: Request) -> Request {
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let is_small = length.is_some_and(|length| length <= AHEAD);
        if !is_small && !matches!(request.payload(), Payload::None) {
            let watched = Watched { body: request.take_payload(), appetite: self };
            *request.payload() = Payload::Stream { payload: Box::pin(watched) };
        }
        request
    }

    /// Notes that another request may begin.
    pub(crate) fn begin(&self) {
        self.0.passed.store(0, Ordering::Relaxed);
        self.0.is_unread.store(false, Ordering::Relaxed);
    }

    /// Notes that bytes of the body were passed on.
    pub(crate) fn pass(&self, bytes: usize) {
        self.0.passed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether the reader has enough for now. Then the task is woken when that changes.
    pub(crate) fn is_sated(&self, context: &Context<'_>) -> bool {
        let is_sated = || {
            let state = &self.0;
            state.passed.load(Ordering::Acquire) >= AHEAD
                && !state.is_unread.load(Ordering::Acquire)
        };
        if !is_sated() {
            return false;
        }
        *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(context.waker().clone());
        // The reader may have asked meanwhile, on another thread.
        is_sated()
    }

    /// Notes that nobody reads the current body any more.
    pub(crate) fn leave(&self) {
        self.0.is_unread.store(true, Ordering::Release);
        self.ask();
    }

    /// Notes that the reader has found nothing.
    pub(crate) fn ask(&self) {
        self.0.passed.store(0, Ordering::Release);
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

/// The body of a request.
struct Watched {
    body: Payload,
    appetite: Appetite,
}

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.body).poll_next(context);
        if next.is_pending() {
            self.appetite.ask();
        }
        next
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.appetite.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use actix_http::Method;
    use actix_http::header::HeaderValue;

    use super::*;

    fn request(length: Option<&str>) -> Request {
        let payload: Payload =
            Payload::Stream { payload: Box::pin(futures_util::stream::pending()) };
        let mut request = Request::with_payload(payload);
        request.head_mut().method = Method::PUT;
        if let Some(length) = length {
            let length = HeaderValue::from_str(length).unwrap();
            request.headers_mut().insert(CONTENT_LENGTH, length);
        }
        request
    }

    #[test]
    fn the_reader_of_a_large_body_is_asked() {
        let mut context = Context::from_waker(Waker::noop());
        for (length, is_large) in
            [(Some("5"), false), (Some("32768"), false), (Some("32769"), true), (None, true)]
        {
            let appetite = Appetite::default();
            let mut request = appetite.clone().watch(request(length));
            appetite.pass(AHEAD - 1);
            assert!(!appetite.is_sated(&context));
            appetite.pass(1);
            assert!(appetite.is_sated(&context));
            let mut body = request.take_payload();
            assert!(Pin::new(&mut body).poll_next(&mut context).is_pending());
            assert_eq!(appetite.is_sated(&context), !is_large, "{length:?}");
            appetite.pass(AHEAD);
            drop(body);
            assert_eq!(appetite.is_sated(&context), !is_large, "{length:?}");
            appetite.begin();
            appetite.pass(AHEAD);
            assert!(appetite.is_sated(&context));
        }
    }
}
