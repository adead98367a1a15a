//! The HTTP API. Handlers read a request, call one use case, and write its outcome; no database is
//! known here. HTTP parts that are independent of this API are in `exit3-web`.

mod auth;
mod author;
mod clients;
mod conditions;
mod consistency;
mod cursor;
mod docs;
mod health;
mod leads;
mod listing;
mod openapi;
mod parameters;
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
use exit3_domain::api_keys::Scope;
use exit3_web::{CorsSettings, Edge, Observer, Site};
use secrecy::SecretString;

use openapi::served::Document;
use resource::Resources;

pub use auth::BasicKey;
pub use cursor::CursorKey;
pub use versions::Sunset;

/// The resources of the API. All that the API knows of them follows from this list.
const RESOURCES: Resources =
    Resources(&[leads::RESOURCE, subscribers::RESOURCE, clients::RESOURCE]);

/// The scopes that a key can have: those of all resources.
pub fn scopes() -> impl Iterator<Item = Scope> {
    RESOURCES.scopes()
}

/// The API, which any number of workers can serve.
#[derive(Clone)]
pub struct Api {
    resources: Data<Resources>,
    document: Data<Document>,
    app: Data<App>,
    key: Data<BasicKey>,
    cursors: Data<CursorKey>,
    sunset: Data<Sunset>,
    edge: Edge,
}

/// The settings of the API, besides those of the use cases.
#[derive(Clone)]
pub struct ApiSettings {
    /// The API key with all scopes.
    pub api_key: SecretString,
    /// Encrypts the cursors of lists.
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
        Self::serving(RESOURCES, app, settings)
    }

    fn serving(resources: Resources, app: App, settings: &ApiSettings) -> Self {
        let site = Site { probes: Some(health::PATH), ..settings.site.clone() };
        Self {
            resources: Data::new(resources),
            document: Data::new(Document::new(resources)),
            app: Data::new(app),
            key: Data::new(BasicKey::new(&settings.api_key)),
            cursors: Data::new(CursorKey::new(&settings.secret)),
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
        let Self { resources, document, app, key, cursors, sunset, edge } = self.clone();
        edge.application(|config| {
            routes::register(**resources, config);
            config.app_data(resources).app_data(document).app_data(app);
            config.app_data(key).app_data(cursors).app_data(sunset);
            more(config);
        })
    }
}
