//! The HTTP API. Handlers read a request, call one use case, and write its
//! outcome; nothing here knows a database. What is HTTP and not this API is in `exit3-web`.

mod auth;
mod consistency;
mod cursor;
mod docs;
mod health;
mod leads;
mod listing;
mod openapi;
mod parameters;
mod requests;
mod routes;
mod subscribers;
mod versions;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::Data;
use exit3_app::App;
use exit3_web::{CorsSettings, Edge, Observer, Site};
use secrecy::SecretString;

pub use auth::BasicKey;
pub use cursor::CursorKey;
pub use versions::Sunset;

/// The API, ready to be served by any number of workers.
#[derive(Clone)]
pub struct Api {
    app: Data<App>,
    key: Data<BasicKey>,
    cursors: Data<CursorKey>,
    sunset: Data<Sunset>,
    edge: Edge,
}

/// What the API needs to know beside its use cases.
#[derive(Clone)]
pub struct ApiSettings {
    /// The API key with all rights.
    pub api_key: SecretString,
    /// Encrypts the cursors of lists.
    pub secret: SecretString,
    /// How clients reach the service.
    pub site: Site,
    /// Which pages may call the API from a browser.
    pub cors: CorsSettings,
    /// When the paths without a version will be gone.
    pub sunset: Sunset,
    /// How requests are watched.
    pub observer: Observer,
}

impl Api {
    /// Puts the API together.
    pub fn new(app: App, settings: &ApiSettings) -> Self {
        let site = Site { probes: Some(health::PATH), ..settings.site.clone() };
        Self {
            app: Data::new(app),
            key: Data::new(BasicKey::new(&settings.api_key)),
            cursors: Data::new(CursorKey::new(&settings.secret)),
            sunset: Data::new(settings.sunset),
            edge: Edge::new(site, settings.cors.clone(), settings.observer),
        }
    }

    /// An actix application, for one worker. What is wrapped around it goes inside of
    /// [`exit3_web::observe()`].
    pub fn service(
        &self,
    ) -> actix_web::App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<>>,
            Error = actix_web::Error,
            InitError = (),
        > + use<>,
    > {
        let Self { app, key, cursors, sunset, edge } = self.clone();
        edge.application(|config| {
            config.app_data(app).app_data(key).app_data(cursors).app_data(sunset);
            routes::register(config);
        })
    }
}
