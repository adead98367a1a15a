//! The flood guard: limits the requests per second from one address, for all paths together. It
//! runs before everything else and counts in this process only, like nginx's `limit_req`.
//!
//! actix-governor is under the GPL. It is used in this file only, and a binary without the feature
//! `flood-guard` does not contain it: see docs/adr/0008-limits.md.

#[cfg(feature = "flood-guard")]
pub(crate) use guard::{FloodGuard, explain};
#[cfg(not(feature = "flood-guard"))]
pub(crate) use no_guard::{FloodGuard, explain};

#[cfg(feature = "flood-guard")]
mod guard {
    use std::convert::Infallible;
    use std::fmt;
    use std::time::Duration;

    use actix_governor::governor::NotUntil;
    use actix_governor::governor::clock::{Clock, DefaultClock, QuantaInstant};
    use actix_governor::governor::middleware::NoOpMiddleware;
    use actix_governor::{Governor, GovernorConfig, GovernorConfigBuilder, KeyExtractor};
    use actix_web::body::{EitherBody, MessageBody};
    use actix_web::dev::{ServiceRequest, ServiceResponse};
    use actix_web::middleware::{Condition, Next};
    use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
    use exit3_app::quotas::REFUSALS;
    use exit3_domain::quotas::Rate;
    use exit3_web::{ApiError, Peer, refuse, subject};

    type Config = GovernorConfig<ByAddress, NoOpMiddleware<QuantaInstant>>;
    type Middleware = Condition<Governor<ByAddress, NoOpMiddleware<QuantaInstant>>>;

    /// Limits the requests from each address.
    #[derive(Clone)]
    pub(crate) struct FloodGuard {
        config: Config,
        stands: bool,
    }

    impl FloodGuard {
        /// Allows `rate.limit` requests at once, and refills evenly. `None` means unlimited.
        pub(crate) fn new(rate: Option<Rate>) -> Self {
            let period = |rate: Rate| rate.period.duration() / rate.limit.max(1);
            let config = rate.and_then(|rate| {
                GovernorConfigBuilder::default()
                    .period(period(rate))
                    .burst_size(rate.limit)
                    .key_extractor(ByAddress)
                    .finish()
            });
            let stands = config.is_some();
            let unused = || GovernorConfigBuilder::default().key_extractor(ByAddress).finish();
            let config = config.or_else(unused);
            let config = config.unwrap_or_else(|| unreachable!("the defaults are not nought"));
            Self { config, stands }
        }

        /// The middleware for one worker.
        pub(crate) fn middleware(&self) -> Middleware {
            Condition::new(self.stands, Governor::new(&self.config))
        }

        /// Forgets the addresses that have not been seen for a while.
        pub(crate) fn forget_idle(&self) {
            let limiter = self.config.limiter();
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct ByAddress;

    /// An error that never occurs, because every request has an address.
    #[derive(Debug)]
    pub(crate) struct Never(Infallible);

    impl fmt::Display for Never {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {}
        }
    }

    impl ResponseError for Never {}

    impl KeyExtractor for ByAddress {
        type Key = u64;
        type KeyExtractionError = Never;

        fn extract(&self, request: &ServiceRequest) -> Result<u64, Never> {
            Ok(subject(Peer::of(request).address))
        }

        fn exceed_rate_limit_response(
            &self,
            not_until: &NotUntil<QuantaInstant>,
            mut refusal: HttpResponseBuilder,
        ) -> HttpResponse {
            metrics::counter!(REFUSALS, "quota" => "flood").increment(1);
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let mut answer = refusal.finish();
            answer.extensions_mut().insert(Flood(wait));
            answer
        }
    }

    /// Marks a refused request with the time after which it may be repeated. The guard does not see
    /// the request when it answers, so [`explain`] renders the error.
    #[derive(Clone, Copy)]
    struct Flood(Duration);

    /// Middleware around the guard: renders its refusals like errors of the API.
    pub(crate) async fn explain<B: MessageBody>(
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
        let response = next.call(request).await?;
        let flood = response.response().extensions().get().copied();
        let Some(Flood(wait)) = flood else {
            return Ok(response.map_into_left_body());
        };
        let answer = refuse(response.request(), &ApiError::throttled(wait));
        Ok(response.into_response(answer).map_into_right_body())
    }
}

#[cfg(not(feature = "flood-guard"))]
mod no_guard {
    use actix_web::body::MessageBody;
    use actix_web::dev::{ServiceRequest, ServiceResponse};
    use actix_web::middleware::{DefaultHeaders, Next};
    use exit3_domain::quotas::Rate;

    /// Replaces the guard in builds without it.
    #[derive(Clone)]
    pub(crate) struct FloodGuard;

    impl FloodGuard {
        pub(crate) fn new(rate: Option<Rate>) -> Self {
            if rate.is_some() {
                tracing::info!("built without the flood guard: RATE_LIMIT_FLOOD has no effect");
            }
            Self
        }

        /// Does nothing.
        pub(crate) fn middleware(&self) -> DefaultHeaders {
            DefaultHeaders::new()
        }

        pub(crate) fn forget_idle(&self) {}
    }

    /// Does nothing.
    pub(crate) async fn explain<B: MessageBody>(
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<B>, actix_web::Error> {
        next.call(request).await
    }
}
