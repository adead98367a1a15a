//! The HTTP API. Handlers read a request, call one use case, and write its
//! outcome; nothing here knows a database.

mod auth;
mod body;
mod cursor;
mod docs;
mod edge;
mod error;
mod health;
mod leads;
mod listing;
mod openapi;
mod origin;
mod path;
mod query;
mod routes;
mod subscribers;

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use exit3_app::App;
use secrecy::SecretString;

pub use auth::ApiKey;
pub use cursor::CursorKey;
pub use origin::AllowedHosts;
pub use routes::Sunset;

/// The API, ready to be served by any number of workers.
#[derive(Clone)]
pub struct Api {
    app: Data<App>,
    key: Data<ApiKey>,
    cursors: Data<CursorKey>,
    hosts: Data<AllowedHosts>,
    sunset: Data<Sunset>,
    origins: Vec<String>,
}

/// What the API needs to know beside its use cases.
#[derive(Clone)]
pub struct ApiSettings {
    /// The key that opens everything.
    pub api_key: SecretString,
    /// Signs what clients hand back.
    pub secret: SecretString,
    /// The hosts that are answered.
    pub allowed_hosts: AllowedHosts,
    /// Origins whose pages may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// When the paths without a version will be gone.
    pub sunset: Sunset,
}

impl Api {
    /// Puts the API together.
    pub fn new(app: App, settings: &ApiSettings) -> Self {
        Self {
            app: Data::new(app),
            key: Data::new(ApiKey::new(&settings.api_key)),
            cursors: Data::new(CursorKey::new(&settings.secret)),
            hosts: Data::new(settings.allowed_hosts.clone()),
            sunset: Data::new(settings.sunset),
            origins: settings.cors_origins.clone(),
        }
    }

    /// An actix application, for one worker.
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
        actix_web::App::new()
            .app_data(self.app.clone())
            .app_data(self.key.clone())
            .app_data(self.cursors.clone())
            .app_data(self.hosts.clone())
            .app_data(self.sunset.clone())
            .app_data(web::PathConfig::default().error_handler(|_, _| routes::not_found().into()))
            .configure(routes::register)
            .default_service(web::to(routes::nowhere))
            .wrap(from_fn(edge::handle))
            .wrap(cors(&self.origins))
    }
}

fn cors(origins: &[String]) -> Cors {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let cors = Cors::default()
        .allowed_methods(methods)
        .allowed_headers(["accept", "authorization", "content-type"])
        .max_age(86_400)
        // Whoever is not allowed gets no header; the browser does the rest.
        .block_on_origin_mismatch(false);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
