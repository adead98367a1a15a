//! Connections: their number, their time limits and TLS.
//!
//! This replaces actix-web's `HttpServer`, which limits the time of a connection's first head only,
//! stops accepting instead of refusing, and answers invalid HTTP without a body.

mod answers;
mod appetite;
mod bodies;
mod guarded;
mod heads;
mod requests;
mod slots;
mod stopping;
mod tls;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{ConnectionType, HttpService, Request, Response};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service,
    map_config,
};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::AppConfig;
use exit3_web::Connection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use answers::Answers;
use appetite::Appetite;
use guarded::Guarded;
pub use slots::{Slots, room};
use stopping::Stopping;
pub use tls::{Tls, TlsError, TlsFiles};

/// How long a request may take to arrive, and how long a client may pause in reading a response.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long the first head on a connection may take, and how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a client has to notice that a connection is closed and, while the service is stopping,
/// to send another request on an idle connection.
const GOODBYE: Duration = Duration::from_secs(1);
/// Seconds for requests in flight to finish once the service is stopping.
const GRACE: u64 = 30;

/// Runs the service that `factory` makes on each of `workers` threads, until `asked` ends. Then
/// it finishes the requests in flight.
///
/// # Errors
/// The listener cannot be used.
pub fn serve<F, I, S, B>(
    listener: TcpListener,
    workers: usize,
    slots: Slots,
    tls: Option<Tls>,
    asked: impl Future<Output = ()> + Send + 'static,
    factory: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as actix_service::Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let (stop, stopping) = stopping::channel();
    let (server_made, handle) = oneshot::channel();
    let server = Server::build()
        .workers(workers)
        .shutdown_timeout(GRACE)
        .shutdown_signal(stop.when(asked, handle, workers))
        // The slots refuse connections, instead of letting clients wait.
        .max_concurrent_connections(slots.most() + slots::GOODBYES);
    let name = "exit3";
    let server = match tls {
        None => server.listen(name, listener, move || {
            let (slots, stop) = (slots.clone(), stopping.clone());
            actix_web::rt::spawn(stopping.clone().hand_over());
            fn_service(move |stream: TcpStream| {
                let (slot, stop) = (slots.take(), stop.clone());
                async move {
                    let peer = stream.peer_addr().ok();
                    match slot {
                        Some(slot) => Ok((Guarded::new(stream, slot, PATIENCE, stop), peer)),
                        None => Err(slots::refuse(stream).await),
                    }
                }
            })
            .and_then(http(&factory, &stopping, false))
        })?,
        Some(tls) => server.listen(name, listener, move || {
            let (slots, stop, tls) = (slots.clone(), stopping.clone(), tls.clone());
            actix_web::rt::spawn(stopping.clone().hand_over());
            fn_service(move |stream: TcpStream| {
                let (slot, stop) = (slots.take(), stop.clone());
                let acceptor = tls.acceptor();
                async move {
                    let peer = stream.peer_addr().ok();
                    // Without TLS there is no way to tell the client why.
                    let slot = slot.ok_or(DispatchError::DisconnectTimeout)?;
                    let stream = timeout(HANDSHAKE, acceptor.accept(stream))
                        .await
                        .map_err(|_| DispatchError::SlowRequestTimeout)?
                        .map_err(DispatchError::Io)?;
                    Ok((Guarded::new(stream, slot, PATIENCE, stop), peer))
                }
            })
            .and_then(http(&factory, &stopping, true))
        })?,
    };
    let server = server.run();
    // Fails only while the receiver is being dropped.
    let _ = server_made.send(server.handle());
    Ok(server)
}

/// Creates a request id: a UUID of version 7, which starts with the time.
pub fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// An error for a connection without a readable request.
fn bare_answer(status: u16) -> Vec<u8> {
    exit3_web::raw_answer(status, &request_id())
}

type Stream<T> = (Guarded<T>, Option<SocketAddr>);

fn http<F, I, S, B, T>(
    factory: &F,
    stopping: &Stopping,
    tls: bool,
) -> impl ServiceFactory<
    Stream<T>,
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
    Service = impl actix_service::Service<Stream<T>, Response = (), Error = DispatchError>
              + use<F, I, S, B, T>,
    Future = impl Future + use<F, I, S, B, T>,
> + use<F, I, S, B, T>
where
    F: Fn() -> I,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as actix_service::Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let stopping = stopping.clone();
    let service =
        apply_fn_factory(factory().into_factory(), move |request, service: &S::Service| {
            let (answers, stopping) = (Answers::to(&request), stopping.clone());
            let answer = service.call(Appetite::of(&request).watch(request));
            async move {
                let mut response = match answer.await {
                    Ok(response) => response.into().map_body(|_, body| EitherBody::left(body)),
                    Err(error) => {
                        let response: Response<BoxBody> = error.into().error_response().into();
                        response.map_body(|_, body| EitherBody::right(body))
                    }
                };
                if stopping.has_begun() {
                    response.head_mut().set_connection_type(ConnectionType::Close);
                }
                Ok::<_, S::Error>(response.map_body(|_, body| answers.watch(body)))
            }
        });
    let service = service.map_err(|error| error.into().error_response());
    HttpService::build()
        .keep_alive(HEAD)
        .client_request_timeout(HEAD)
        .client_disconnect_timeout(GOODBYE)
        .on_connect_ext(move |stream: &Guarded<T>, extensions| {
            extensions.insert(Connection { tls });
            extensions.insert(stream.answers());
            extensions.insert(stream.appetite());
        })
        .h1(map_config(service, |()| AppConfig::default()))
}
