//! Knows when a request has been answered.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use actix_http::Request;
use actix_http::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

/// Tells, for one connection, whether actix has written a response to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(Arc<AtomicBool>);

impl Answers {
    /// Whether a response has been written since the last call.
    pub(super) fn take(&self) -> bool {
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }

    /// The state of the request's connection.
    pub(super) fn to(request: &Request) -> Self {
        request.conn_data::<Self>().cloned().unwrap_or_default()
    }

    /// Wraps the body of a response to notice its end.
    pub(super) fn watch<B>(self, body: B) -> Watched<B> {
        Watched { body, _end: End(self) }
    }
}

pin_project! {
    /// The body of a response. actix drops it once it has taken all of it.
    pub(super) struct Watched<B> {
        #[pin]
        body: B,
        _end: End,
    }
}

struct End(Answers);

impl Drop for End {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl<B: MessageBody> MessageBody for Watched<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.project().body.poll_next(context)
    }
}
