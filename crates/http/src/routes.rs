//! Maps paths and methods to handlers.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::{self, ServiceConfig};
use exit3_web::{Endpoint, RoutePolicy, open};

use crate::auth::{self, Area};
use crate::versions::{Announcement, NEW, OLD};
use crate::{docs, health, leads, openapi, subscribers};

/// The middleware of data routes: checks the key, and adds deprecation headers to old paths.
async fn pass<B: MessageBody>(
    area: Area,
    deprecated: bool,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let announcement = deprecated.then(|| Announcement::of(&request));
    let mut response = auth::admit(area, request, next).await?;
    if let Some(announcement) = announcement {
        announcement.make(response.headers_mut());
    }
    Ok(response)
}

/// The data routes. All need a key and have a versioned path; some areas also have the old path
/// without a version.
fn data() -> Vec<(Area, Endpoint)> {
    vec![
        (
            Area::Leads,
            Endpoint::new("leads/")
                .route(Method::GET, || web::route().to(leads::list::list))
                .route(Method::POST, || web::route().to(leads::create)),
        ),
        (
            Area::Leads,
            Endpoint::new("leads/{id:[^/.]+}/")
                .route(Method::GET, || web::route().to(leads::get))
                .route(Method::PUT, || web::route().to(leads::replace))
                .route(Method::PATCH, || web::route().to(leads::change))
                .route(Method::DELETE, || web::route().to(leads::delete)),
        ),
        (
            Area::Newsletter,
            Endpoint::new("newsletter/")
                .route(Method::GET, || web::route().to(subscribers::list::list))
                .route(Method::POST, || web::route().to(subscribers::create)),
        ),
        (
            Area::Newsletter,
            Endpoint::new("newsletter/{id:[^/.]+}/")
                .route(Method::GET, || web::route().to(subscribers::get))
                .route(Method::PUT, || web::route().to(subscribers::replace))
                .route(Method::PATCH, || web::route().to(subscribers::change))
                .route(Method::DELETE, || web::route().to(subscribers::delete)),
        ),
    ]
}

/// The data routes with a versioned path, or those with a deprecated path.
fn served_at(deprecated: bool) -> impl Iterator<Item = (Area, Endpoint)> {
    data().into_iter().filter(move |(area, _)| !deprecated || area.is_unversioned())
}

/// The routes that need no key.
fn keyless() -> Vec<Endpoint> {
    let get = |path, make| Endpoint::new(path).route(Method::GET, make);
    let pages = RoutePolicy { page_security: docs::PAGE_SECURITY, ..RoutePolicy::DEFAULT };
    vec![
        get("health/", || web::route().to(health::health)),
        get("health/live/", || web::route().to(health::live)),
        get("health/ready/", || web::route().to(health::ready)),
        get("api/schema/", || web::route().to(openapi::served::schema)),
        get("api/docs/", || web::route().to(docs::swagger)).policy(pages),
        get("api/docs/assets/{name}", || web::route().to(docs::asset)),
        get("api/redoc/", || web::route().to(docs::redoc)).policy(pages),
    ]
}

/// Registers every route.
pub(crate) fn register(config: &mut ServiceConfig) {
    for (prefix, deprecated) in [(NEW, false), (OLD, true)] {
        for (area, endpoint) in served_at(deprecated) {
            let gate = move |request, next| pass(area, deprecated, request, next);
            config.service(endpoint.resource(prefix, gate));
        }
    }
    for endpoint in keyless() {
        config.service(endpoint.resource("/backend/", open));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// All operations as `/path/{id}/ method`, from the router and in the form of the document.
    fn served() -> BTreeSet<String> {
        let below = |prefix: &'static str, endpoints: Vec<Endpoint>| {
            endpoints.into_iter().flat_map(move |endpoint| {
                let path = endpoint.path().replace("{id:[^/.]+}", "{id}");
                let methods = endpoint.methods().map(|method| method.as_str().to_lowercase());
                methods.map(|method| format!("{prefix}{path} {method}")).collect::<Vec<_>>()
            })
        };
        let data = |deprecated| served_at(deprecated).map(|(_, endpoint)| endpoint).collect();
        below(NEW, data(false))
            .chain(below(OLD, data(true)))
            .chain(below("/backend/", keyless()))
            // The assets of the pages are not part of the API, and HEAD is GET.
            .filter(|route| !route.contains("/assets/") && !route.ends_with(" head"))
            .collect()
    }

    #[test]
    fn every_path_begins_with_that_of_its_area() {
        for (area, endpoint) in data() {
            assert_eq!(Area::of(endpoint.path()), Some(area), "{}", endpoint.path());
        }
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
