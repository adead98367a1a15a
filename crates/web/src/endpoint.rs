//! Endpoints: a path with its methods and its policy.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Responder, Route, web};

use crate::error::ApiError;
use crate::observe::routed;
use crate::panics;
use crate::policy::RoutePolicy;
use crate::route::{Served, UNMATCHED};

/// The response body of a service behind a gate.
pub type Gated = EitherBody<BoxBody>;

/// A path with its methods and its policy. `GET` also serves `HEAD`.
pub struct Endpoint {
    path: &'static str,
    routes: Vec<(Method, Route)>,
    policy: Option<RoutePolicy>,
}

impl Endpoint {
    /// Creates an endpoint without methods. `path` is relative to a prefix.
    pub fn new(path: &'static str) -> Self {
        Self { path, routes: Vec::new(), policy: None }
    }

    /// Sets the policy; the default is [`RoutePolicy::DEFAULT`].
    pub fn policy(self, policy: RoutePolicy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Sets the policy if it has none.
    pub fn or_policy(self, policy: RoutePolicy) -> Self {
        Self { policy: self.policy.or(Some(policy)), ..self }
    }

    /// Adds a method and its handler.
    pub fn route<H, A>(mut self, method: Method, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        let mut add = |method: Method| {
            let route = web::route().method(method.clone()).to(handler.clone());
            self.routes.push((method, route));
        };
        if method == Method::GET {
            add(Method::HEAD);
        }
        add(method);
        self
    }

    /// The path, relative to the prefix.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The methods, including `HEAD` for `GET`.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().map(|(method, _)| method)
    }

    fn allow(&self) -> String {
        let methods: Vec<&str> = self.methods().map(Method::as_str).collect();
        format!("{}, OPTIONS", methods.join(", "))
    }

    /// Builds the actix resource. Every request passes `gate` first; [`open`] lets all through.
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
        let served = Served::new(prefix, self.path, self.policy.unwrap_or(RoutePolicy::DEFAULT));
        resource
            .wrap(from_fn(panics::catch))
            .wrap(from_fn(move |request: ServiceRequest, next: Next<Gated>| {
                routed(&request, served.clone());
                gate(request, next)
            }))
            .wrap(from_fn(panics::catch))
    }
}

/// A gate that lets every request through.
///
/// # Errors
/// The errors of the service behind it.
pub async fn open(
    request: ServiceRequest,
    next: Next<Gated>,
) -> Result<ServiceResponse<Gated>, actix_web::Error> {
    next.call(request).await
}

/// Serves every path below `prefix` that no earlier endpoint serves: 404, rendered as `policy`
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

/// Serves every path outside of all routes: 404.
pub(crate) async fn nowhere() -> Result<HttpResponse, ApiError> {
    Err(not_found())
}

/// 404 for an unknown path.
pub(crate) fn not_found() -> ApiError {
    ApiError::not_found("Not found.")
}

fn other_method(request: &HttpRequest, allow: &str) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    Err(ApiError::method_not_allowed(request.method(), allow))
}
