//! Maps paths and methods to handlers.

use std::collections::BTreeSet;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::ServiceConfig;
use exit3_web::{Endpoint, RoutePolicy, open};

use crate::resource::{Resources, Served};
use crate::versions::{Announcement, NEW, OLD};
use crate::{auth, docs, health, openapi};

/// The middleware of data routes: checks the key, and adds deprecation headers to old paths.
async fn pass<B: MessageBody>(
    served: &'static Served,
    deprecated: bool,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let announcement = deprecated.then(|| Announcement::of(&request));
    let mut response = auth::admit(served, request, next).await?;
    if let Some(announcement) = announcement {
        announcement.make(response.headers_mut());
    }
    Ok(response)
}

/// The resources with the prefixes of their paths. All have a versioned path; some also have the
/// deprecated path without a version.
fn prefixes(resources: Resources) -> impl Iterator<Item = (String, bool, &'static Served)> {
    [(NEW, false), (OLD, true)].into_iter().flat_map(move |(version, deprecated)| {
        resources
            .served()
            .filter(move |served| !deprecated || served.resource.is_unversioned)
            .map(move |served| (format!("{version}{}/", served.resource.name), deprecated, served))
    })
}

/// The routes that need no key.
fn keyless() -> Vec<Endpoint> {
    let pages = RoutePolicy { page_security: docs::PAGE_SECURITY, ..RoutePolicy::DEFAULT };
    vec![
        Endpoint::new("health/").route(Method::GET, health::health),
        Endpoint::new("health/live/").route(Method::GET, health::live),
        Endpoint::new("health/ready/").route(Method::GET, health::ready),
        Endpoint::new("api/schema/").route(Method::GET, openapi::served::schema),
        Endpoint::new("api/docs/").route(Method::GET, docs::swagger).policy(pages),
        Endpoint::new("api/docs/assets/{name}").route(Method::GET, docs::asset),
        Endpoint::new("api/redoc/").route(Method::GET, docs::redoc).policy(pages),
    ]
}

/// Registers every route.
pub(crate) fn register(resources: Resources, config: &mut ServiceConfig) {
    for (prefix, deprecated, served) in prefixes(resources) {
        for endpoint in (served.resource.endpoints)() {
            let gate = move |request, next| pass(served, deprecated, request, next);
            config.service(endpoint.resource(&prefix, gate));
        }
    }
    for endpoint in keyless() {
        config.service(endpoint.resource("/backend/", open));
    }
}

/// All operations as `/path/{id}/ method`, from the router and in the form of the document.
pub(crate) fn served(resources: Resources) -> BTreeSet<String> {
    let data =
        prefixes(resources).map(|(prefix, _, served)| (prefix, (served.resource.endpoints)()));
    let all = data.chain([("/backend/".to_owned(), keyless())]);
    let operations = all.flat_map(|(prefix, endpoints)| {
        endpoints.into_iter().flat_map(move |endpoint| {
            let path = endpoint.path().replace("{id:[^/.]+}", "{id}");
            let methods = endpoint.methods().map(|method| method.as_str().to_lowercase());
            methods.map(|method| format!("{prefix}{path} {method}")).collect::<Vec<_>>()
        })
    });
    // The assets of the pages are not part of the API, and HEAD is GET.
    operations.filter(|route| !route.contains("/assets/") && !route.ends_with(" head")).collect()
}
