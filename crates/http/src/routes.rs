//! Which path and method leads to which handler.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};
use chrono::{DateTime, Utc};

use crate::error::ApiError;
use crate::{auth, docs, health, leads, openapi, subscribers};

/// One path with what it answers to. `GET` answers to `HEAD` as well.
pub(crate) struct Endpoint {
    /// Below `/backend/`, or below the API's prefix for data.
    path: &'static str,
    routes: Vec<(Method, Route)>,
}

impl Endpoint {
    fn new(path: &'static str) -> Self {
        Self { path, routes: Vec::new() }
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

    fn resource(self, prefix: &str) -> actix_web::Resource {
        let allow = self.allow();
        let mut resource = web::resource(format!("{prefix}{}", self.path));
        for (_, route) in self.routes {
            resource = resource.route(route);
        }
        resource.default_service(web::to(move |request: HttpRequest| {
            let allow = allow.clone();
            async move { other_method(&request, &allow) }
        }))
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
        Endpoint::new("leads/")
            .route(Method::GET, || web::route().to(leads::list::list))
            .route(Method::POST, || web::route().to(leads::create::create)),
        Endpoint::new("leads/{id:[^/.]+}/")
            .route(Method::GET, || web::route().to(leads::get::get))
            .route(Method::PUT, || web::route().to(leads::update::replace))
            .route(Method::PATCH, || web::route().to(leads::update::change))
            .route(Method::DELETE, || web::route().to(leads::delete::delete)),
        Endpoint::new("newsletter/")
            .route(Method::GET, || web::route().to(subscribers::list::list))
            .route(Method::POST, || web::route().to(subscribers::create::create)),
        Endpoint::new("newsletter/{id:[^/.]+}/")
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
        config.service(endpoint.resource("/backend/api/v1/").wrap(from_fn(auth::require_key)));
    }
    for endpoint in data() {
        config.service(
            endpoint
                .resource("/backend/api/")
                .wrap(from_fn(auth::require_key))
                .wrap(from_fn(announce_successor)),
        );
    }
    for endpoint in open() {
        config.service(endpoint.resource("/backend/"));
    }
}

/// What lies outside of every route.
pub(crate) async fn nowhere() -> Result<HttpResponse, ApiError> {
    Err(not_found())
}

/// 404 for a path that leads nowhere.
pub(crate) fn not_found() -> ApiError {
    ApiError::not_found("Not found.")
}

/// When the paths without a version were deprecated: 2026-11-24, with the first
/// release of this service.
const DEPRECATED_SINCE: &str = "@1795478400";

/// When the paths without a version will be gone, once that is decided.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sunset(pub Option<DateTime<Utc>>);

async fn announce_successor(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let successor = openapi::successor(request.path());
    let sunset = request.app_data::<Data<Sunset>>().and_then(|sunset| sunset.0);
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = header::HeaderValue::from_str(&value) {
            headers.insert(header::HeaderName::from_static(name), value);
        }
    };
    set("deprecation", DEPRECATED_SINCE.to_owned());
    set("link", format!("<{successor}>; rel=\"successor-version\""));
    if let Some(sunset) = sunset {
        set("sunset", sunset.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    Ok(response)
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
