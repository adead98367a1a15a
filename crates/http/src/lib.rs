//! The HTTP API. Handlers read a request, call one use case, and write its outcome; no database is
//! known here. HTTP parts that are independent of this API are in `exit3-web`.
//!
//! A [`Resource`] says everything that the API needs to know of a resource. Those of the service are
//! in [`OWN`], and modules add theirs with [`Resources::and`]. They are written with the same parts:
//! [`By`], [`Conditions`] and [`Once`] as parameters of handlers, [`show`], [`created`], [`ListRequest`], [`parameters`],
//! and the macros [`written_out!`] and [`list_schema!`]. A crate that uses the macros depends on `utoipa`.

mod auth;
mod author;
mod canaries;
mod clients;
mod conditions;
mod consistency;
mod cursor;
mod docs;
mod faults;
mod health;
mod leads;
mod listing;
mod once;
mod openapi;
pub mod parameters;
mod requests;
mod resource;
mod routes;
mod subscribers;
#[cfg(test)]
mod tests;
mod versions;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::{Data, ServiceConfig};
use exit3_app::App;
use exit3_web::{CorsSettings, Edge, Observer, Site};
use secrecy::SecretString;

pub use auth::BasicKey;
pub use author::By;
pub use canaries::{CANARY_HEADER, CanaryKey};
pub use conditions::{Conditions, show, show_changed};
pub use cursor::CursorKey;
pub use listing::{ListRequest, Part};
use once::MarkKey;
pub use once::{Once, created};
use openapi::served::Document;
pub use requests::{Body, choice};
pub use resource::{ROW, Resource, Resources, Served};
pub use versions::Sunset;

/// The resources of the service itself.
pub const OWN: Resources = Resources(&[
    Served::own(leads::RESOURCE),
    Served::own(subscribers::RESOURCE),
    Served::own(clients::RESOURCE),
]);

/// The API, which any number of workers can serve.
#[derive(Clone)]
pub struct Api {
    resources: Data<Resources>,
    document: Data<Document>,
    app: Data<App>,
    key: Data<BasicKey>,
    cursors: Data<CursorKey>,
    marks: Data<MarkKey>,
    canaries: Data<CanaryKey>,
    sunset: Data<Sunset>,
    edge: Edge,
}

/// The settings of the API, besides those of the use cases.
#[derive(Clone)]
pub struct ApiSettings {
    /// What the API serves: [`OWN`], and the resources of modules.
    pub resources: Resources,
    /// The API key with all scopes.
    pub api_key: SecretString,
    /// Encrypts the cursors of lists, and keys the marks of canaries and of requests that may come twice.
    pub secret: SecretString,
    /// The hosts, scheme and proxies by which clients reach the service.
    pub site: Site,
    /// The pages that may call the API from a browser.
    pub cors: CorsSettings,
    /// When the paths without a version will be removed.
    pub sunset: Sunset,
    /// Observes requests.
    pub observer: Observer,
}

impl Api {
    /// Creates the API.
    pub fn new(app: App, settings: &ApiSettings) -> Self {
        let resources = settings.resources;
        let site = Site { probes: Some(health::PATH), ..settings.site.clone() };
        Self {
            resources: Data::new(resources),
            document: Data::new(Document::new(resources)),
            app: Data::new(app),
            key: Data::new(BasicKey::new(&settings.api_key)),
            cursors: Data::new(CursorKey::new(&settings.secret)),
            marks: Data::new(MarkKey::new(&settings.secret)),
            canaries: Data::new(CanaryKey::new(&settings.secret)),
            sunset: Data::new(settings.sunset),
            edge: Edge::new(site, settings.cors.clone(), settings.observer),
        }
    }

    /// An actix application for one worker, with the routes that `more` registers beside those of
    /// the API. Additional middleware must be inside of [`exit3_web::observe()`].
    pub fn service<F: FnOnce(&mut ServiceConfig)>(
        &self,
        more: F,
    ) -> actix_web::App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<F>>,
            Error = actix_web::Error,
            InitError = (),
        > + use<F>,
    > {
        let Self { resources, document, app, key, cursors, marks, canaries, sunset, edge } =
            self.clone();
        edge.application(|config| {
            routes::register(**resources, config);
            config.app_data(resources).app_data(document).app_data(app);
            config.app_data(key).app_data(cursors).app_data(marks).app_data(canaries);
            config.app_data(sunset);
            more(config);
        })
    }
}
