//! The API of a service that listens before its database is available.

use std::rc::Rc;
use std::sync::Arc;

use actix_http::Request;
use actix_service::{Service, ServiceFactory, always_ready};
use actix_web::dev::AppConfig;
use exit3_app::App;
use futures_util::future::{Either, LocalBoxFuture};
use tokio::sync::OnceCell;

use super::Early;
use super::progress::{Phase, Progress};
use crate::watchdog::Watchdog;

/// Health checks are answered even before the database is available.
const HEALTH: &str = "/backend/health";

/// Creates the API of one worker: first without a database, later over the one that the start has
/// found.
#[derive(Clone)]
pub(crate) struct Late<M> {
    make: M,
    early: Early,
    workers: usize,
    watchdog: Watchdog,
}

impl<M> Late<M> {
    /// `make` creates the API over given use cases. `watchdog` watches the worker's thread.
    pub(crate) fn new(make: M, early: Early, workers: usize, watchdog: Watchdog) -> Self {
        Self { make, early, workers, watchdog }
    }
}

impl<M, F> ServiceFactory<Request> for Late<M>
where
    M: Fn(App) -> F + Clone + 'static,
    F: ServiceFactory<Request, Config = AppConfig> + 'static,
    F::Service: 'static,
{
    type Response = F::Response;
    type Error = F::Error;
    type Config = AppConfig;
    type Service = LateService<M, F>;
    type InitError = F::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, Self::InitError>>;

    fn new_service(&self, config: AppConfig) -> Self::Future {
        let Self { make, early: Early { shared, progress }, workers, watchdog } = self.clone();
        actix_web::rt::spawn(watchdog.beat("a worker"));
        let reason = progress.clone();
        let app = shared.app_over(Err(Arc::new(move || reason.reason().to_string())));
        let early = make(app).new_service(config.clone());
        Box::pin(async move {
            let (early, service) = (early.await?, OnceCell::new());
            let inner = Inner { make, early, service, config, progress, workers };
            Ok(LateService(Rc::new(inner)))
        })
    }
}

/// The API of one worker.
pub(crate) struct LateService<M, F: ServiceFactory<Request>>(Rc<Inner<M, F>>);

struct Inner<M, F: ServiceFactory<Request>> {
    make: M,
    /// The API without a database.
    early: F::Service,
    /// The API over the database, once it is known.
    service: OnceCell<F::Service>,
    config: AppConfig,
    progress: Progress,
    workers: usize,
}

impl<M, F> Service<Request> for LateService<M, F>
where
    M: Fn(App) -> F + 'static,
    F: ServiceFactory<Request, Config = AppConfig> + 'static,
    F::Service: 'static,
{
    type Response = F::Response;
    type Error = F::Error;
    type Future = Either<
        <F::Service as Service<Request>>::Future,
        LocalBoxFuture<'static, Result<F::Response, F::Error>>,
    >;

    always_ready!();

    fn call(&self, request: Request) -> Self::Future {
        if let Some(service) = self.0.service.get() {
            return Either::Left(service.call(request));
        }
        let inner = Rc::clone(&self.0);
        Either::Right(Box::pin(async move {
            if !request.path().starts_with(HEALTH) {
                inner.progress.settled().await;
            }
            let Phase::Serves(backend) = inner.progress.now() else {
                return inner.early.call(request).await;
            };
            let make = || (inner.make)(backend.app(inner.workers));
            let make = || make().new_service(inner.config.clone());
            match inner.service.get_or_try_init(make).await {
                Ok(service) => service.call(request).await,
                Err(_) => inner.early.call(request).await,
            }
        }))
    }
}
