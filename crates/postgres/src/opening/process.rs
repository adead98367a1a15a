//! The server process that a connection was promised.
//!
//! The server names its process when a connection begins. The driver keeps that number private,
//! except in the message that cancels a statement. So this module lets the driver write that
//! message into a buffer, reads the number from it, and never sends it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Client;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The number of the process that serves this connection, as announced when it began. A pooler,
/// which has no process of its own for it, invents a number.
pub(super) async fn promised(client: &Client) -> Option<i32> {
    let mut message = Vec::new();
    client.cancel_token().cancel_query_raw(Recorder(&mut message), Unencrypted).await.ok()?;
    // Length, code, process, secret: four bytes each. A request for TLS may precede them.
    let process = message.len().checked_sub(8)?;
    let process = message.get(process..process + 4)?;
    Some(i32::from_be_bytes(process.try_into().ok()?))
}

/// Records what the driver writes. When the driver reads, it learns that TLS may begin.
struct Recorder<'a>(&'a mut Vec<u8>);

impl AsyncRead for Recorder<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(b"S");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Recorder<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Recorder<'_> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

/// Does not encrypt, because the message never leaves the process.
struct Unencrypted;

impl<'a> TlsConnect<Recorder<'a>> for Unencrypted {
    type Stream = Recorder<'a>;
    type Error = Infallible;
    type Future = Ready<Result<Recorder<'a>, Infallible>>;

    fn connect(self, stream: Recorder<'a>) -> Self::Future {
        ready(Ok(stream))
    }
}
