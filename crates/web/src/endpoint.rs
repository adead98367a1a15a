//! Endpoints: a path, its methods and its policy.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{HttpRequest, HttpResponse, Route, web};

use crate::error::ApiError;
use crate::observe::routed;
use crate::panics;
use crate::policy::RoutePolicy;
use crate::route::{Served, UNMATCHED};

/// The body of what stands behind a gate.
pub type Gated = EitherBody<BoxBody>;

/// One path with its methods and its policy. `GET` answers to `HEAD` as well.
pub struct Endpoint {
    path: &'static str,
    routes: Vec<(Method, Route)>,
    policy: RoutePolicy,
}

impl Endpoint {
    /// An endpoint without methods, at a path below a prefix.
    pub fn new(path: &'static str) -> Self {
        Self { path, routes: Vec::new(), policy: RoutePolicy::DEFAULT }
    }

    /// Sets the policy, which is [`RoutePolicy::DEFAULT`] otherwise.
    pub fn policy(self, policy: RoutePolicy) -> Self {
        Self { policy, ..self }
    }

    /// Adds a method.
    pub fn route(mut self, method: Method, make: fn() -> Route) -> Self {
        if method == Method::GET {
            self.routes.push((Method::HEAD, make().method(Method::HEAD)));
        }
        self.routes.push((method.clone(), make().method(method)));
        self
    }

    /// The path, below its prefix.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The methods.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().map(|(method, _)| method)
    }

    fn allow(&self) -> String {
        let methods: Vec<&str> = self.methods().map(Method::as_str).collect();
        format!("{}, OPTIONS", methods.join(", "))
    }

    /// What actix registers. Every request passes `gate` first; [`open`] lets all through.
    pub fn resource<F, A, B>(self, prefix: &str, gate: F) -> impl HttpServiceFactory + use<F, A, B>
    where
        F: Fn(ServiceRequest, Next<Gated>) -> A + 'static,
        A: Future<Output = Result<ServiceResponse<B>, actix_web::Error>> + 'static,
        B: MessageBody + 'static,
    {
        let allow = self.allow();
        let mut resource = web::resource(format!("{prefix}{}", self.path));
        for (_, route) in self.routes {
            resource = resource.route(route);
        }
        let resource = resource.default_service(web::to(move |request: HttpRequest| {
            let allow = allow.clone();
            async move { other_method(&request, &allow) }
        }));
        let served = Served::new(prefix, self.path, self.policy);
        resource
            .wrap(from_fn(panics::catch))
            .wrap(from_fn(move |request: ServiceRequest, next: Next<Gated>| {
                routed(&request, served.clone());
                gate(request, next)
            }))
            .wrap(from_fn(panics::catch))
    }
}

/// The gate of an endpoint that anybody may use.
///
/// # Errors
/// Those of what is behind it.
pub async fn open(
    request: ServiceRequest,
    next: Next<Gated>,
) -> Result<ServiceResponse<Gated>, actix_web::Error> {
    next.call(request).await
}

/// Everything below `prefix` that no endpoint before it serves: 404, rendered as the policy
/// says.
pub fn elsewhere(prefix: &str, policy: RoutePolicy) -> impl HttpServiceFactory + use<> {
    let served = Served::new(UNMATCHED, "", policy);
    web::resource(format!("{prefix}{{rest:.*}}")).default_service(web::to(nowhere)).wrap(from_fn(
        move |request: ServiceRequest, next: Next<BoxBody>| {
            routed(&request, served.clone());
            async move { next.call(request).await }
        },
    ))
}

/// What lies outside of every route.
pub(crate) async fn nowhere() -> Result<HttpResponse, ApiError> {
    Err(not_found())
}

/// 404 for a path that leads nowhere.
pub(crate) fn not_found() -> ApiError {
    ApiError::not_found("Not found.")
}

fn other_method(request: &HttpRequest, allow: &str) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    Err(ApiError::method_not_allowed(request.method(), allow))
}
