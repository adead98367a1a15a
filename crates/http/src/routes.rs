//! Which path and method leads to which handler.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};
use chrono::{DateTime, Utc};
use exit3_web::{
    ApiError,
    observe::{self, Pattern},
    panics,
};

use crate::auth::{self, Area};
use crate::{docs, health, leads, openapi, subscribers};

/// One path with what it answers to. `GET` answers to `HEAD` as well.
pub(crate) struct Endpoint {
    /// Below `/backend/`, or below the API's prefix for data.
    path: &'static str,
    routes: Vec<(Method, Route)>,
    /// What it gives access to, where it needs a key.
    area: Option<Area>,
}

impl Endpoint {
    fn new(path: &'static str) -> Self {
        Self { path, routes: Vec::new(), area: None }
    }

    fn of(area: Area, path: &'static str) -> Self {
        Self { area: Some(area), ..Self::new(path) }
    }

    fn route(mut self, method: Method, make: fn() -> Route) -> Self {
        if method == Method::GET {
            self.routes.push((Method::HEAD, make().method(Method::HEAD)));
        }
        self.routes.push((method.clone(), make().method(method)));
        self
    }

    fn allow(&self) -> String {
        let methods: Vec<&str> = self.routes.iter().map(|(method, _)| method.as_str()).collect();
        format!("{}, OPTIONS", methods.join(", "))
    }

    fn resource(self, prefix: &str, deprecated: bool) -> impl HttpServiceFactory + use<> {
        let allow = self.allow();
        let mut resource = web::resource(format!("{prefix}{}", self.path));
        for (_, route) in self.routes {
            resource = resource.route(route);
        }
        let resource = resource.default_service(web::to(move |request: HttpRequest| {
            let allow = allow.clone();
            async move { other_method(&request, &allow) }
        }));
        let pattern = observe::pattern(prefix, self.path);
        let gate = Gate { area: self.area, deprecated, pattern };
        resource
            .wrap(from_fn(panics::catch))
            .wrap(from_fn(move |request, next| gate.clone().pass(request, next)))
            .wrap(from_fn(panics::catch))
    }
}

/// What stands before a path.
#[derive(Clone)]
struct Gate {
    area: Option<Area>,
    deprecated: bool,
    pattern: Pattern,
}

impl Gate {
    async fn pass<B: MessageBody>(
        self,
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
        observe::routed(&request, self.pattern);
        let announcement = self.deprecated.then(|| Announcement::of(&request));
        let mut response = match self.area {
            Some(area) => auth::admit(area, request, next).await?,
            None => next.call(request).await?.map_into_left_body(),
        };
        if let Some(announcement) = announcement {
            announcement.make(response.headers_mut());
        }
        Ok(response)
    }
}

fn other_method(request: &HttpRequest, allow: &str) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    Err(ApiError::method_not_allowed(request.method(), allow))
}

/// Data: behind the key, at a versioned path and at an old one without version.
pub(crate) fn data() -> Vec<Endpoint> {
    vec![
        Endpoint::of(Area::Leads, "leads/")
            .route(Method::GET, || web::route().to(leads::list::list))
            .route(Method::POST, || web::route().to(leads::create::create)),
        Endpoint::of(Area::Leads, "leads/{id:[^/.]+}/")
            .route(Method::GET, || web::route().to(leads::get::get))
            .route(Method::PUT, || web::route().to(leads::update::replace))
            .route(Method::PATCH, || web::route().to(leads::update::change))
            .route(Method::DELETE, || web::route().to(leads::delete::delete)),
        Endpoint::of(Area::Newsletter, "newsletter/")
            .route(Method::GET, || web::route().to(subscribers::list::list))
            .route(Method::POST, || web::route().to(subscribers::create::create)),
        Endpoint::of(Area::Newsletter, "newsletter/{id:[^/.]+}/")
            .route(Method::GET, || web::route().to(subscribers::get::get))
            .route(Method::PUT, || web::route().to(subscribers::update::replace))
            .route(Method::PATCH, || web::route().to(subscribers::update::change))
            .route(Method::DELETE, || web::route().to(subscribers::delete::delete)),
    ]
}

/// What needs no key.
pub(crate) fn open() -> Vec<Endpoint> {
    let get = |path, make| Endpoint::new(path).route(Method::GET, make);
    vec![
        get("health/", || web::route().to(health::health)),
        get("health/live/", || web::route().to(health::live)),
        get("health/ready/", || web::route().to(health::ready)),
        get("api/schema/", || web::route().to(docs::schema)),
        get("api/docs/", || web::route().to(docs::swagger)),
        get("api/docs/assets/{name}", || web::route().to(docs::asset)),
        get("api/redoc/", || web::route().to(docs::redoc)),
    ]
}

/// Registers every route.
pub(crate) fn register(config: &mut ServiceConfig) {
    for endpoint in data() {
        config.service(endpoint.resource("/backend/api/v1/", false));
    }
    for endpoint in data() {
        config.service(endpoint.resource("/backend/api/", true));
    }
    for endpoint in open() {
        config.service(endpoint.resource("/backend/", false));
    }
}

/// When the paths without a version were deprecated: 2026-11-24, with the first
/// release of this service.
const DEPRECATED_SINCE: &str = "@1795478400";

/// When the paths without a version will be gone, once that is decided.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sunset(pub Option<DateTime<Utc>>);

/// That a path is deprecated (RFC 9745), where its successor is, and when it will be
/// gone (RFC 8594).
struct Announcement {
    successor: String,
    sunset: Option<DateTime<Utc>>,
}

impl Announcement {
    fn of(request: &ServiceRequest) -> Self {
        let sunset = request.app_data::<Data<Sunset>>().and_then(|sunset| sunset.0);
        Self { successor: openapi::successor(request.path()), sunset }
    }

    fn make(self, headers: &mut header::HeaderMap) {
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = header::HeaderValue::from_str(&value) {
                headers.insert(header::HeaderName::from_static(name), value);
            }
        };
        set("deprecation", DEPRECATED_SINCE.to_owned());
        set("link", format!("<{}>; rel=\"successor-version\"", self.successor));
        if let Some(sunset) = self.sunset {
            set("sunset", sunset.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// `/path/{id}/ method`, as the router and as the document have it.
    fn served() -> BTreeSet<String> {
        let below = |prefix: &'static str, endpoints: Vec<Endpoint>| {
            endpoints.into_iter().flat_map(move |endpoint| {
                let path = endpoint.path.replace("{id:[^/.]+}", "{id}");
                endpoint.routes.into_iter().map(move |(method, _)| {
                    format!("{prefix}{path} {}", method.as_str().to_lowercase())
                })
            })
        };
        below("/backend/api/v1/", data())
            .chain(below("/backend/api/", data()))
            .chain(below("/backend/", open()))
            // Files of the pages are no part of the API, nor is HEAD, which is GET.
            .filter(|route| !route.contains("/assets/") && !route.ends_with(" head"))
            .collect()
    }

    #[test]
    fn the_document_describes_the_served_routes_and_no_other() {
        let document = openapi::document();
        let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{path} {method}"))
        });
        assert_eq!(described.collect::<BTreeSet<_>>(), served());
    }
}
