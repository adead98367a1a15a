//! The HTTP API. Handlers read a request, call one use case, and write its
//! outcome; nothing here knows a database.

mod auth;
mod body;
mod client;
mod consistency;
mod cors;
mod cursor;
mod docs;
mod edge;
mod error;
mod headers;
mod health;
mod leads;
mod limits;
mod listing;
mod observe;
mod openapi;
mod origin;
mod panics;
mod path;
mod query;
mod raw;
mod routes;
mod subscribers;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use exit3_app::App;
use secrecy::SecretString;

pub use auth::BasicKey;
pub use client::{Client, Connection, TrustedProxies};
pub use cors::CorsSettings;
pub use cursor::CursorKey;
pub use edge::refuse;
pub use error::ApiError;
pub use observe::{ClientIp, Observer, observe, request_id};
pub use origin::{AllowedHosts, Hsts, Site};
pub use raw::raw_answer;
pub use routes::Sunset;

/// The API, ready to be served by any number of workers.
#[derive(Clone)]
pub struct Api {
    app: Data<App>,
    key: Data<BasicKey>,
    cursors: Data<CursorKey>,
    site: Data<Site>,
    sunset: Data<Sunset>,
    cors: Data<CorsSettings>,
    observer: Data<Observer>,
}

/// What the API needs to know beside its use cases.
#[derive(Clone)]
pub struct ApiSettings {
    /// The key that opens everything.
    pub api_key: SecretString,
    /// Signs what clients hand back.
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
        Self {
            app: Data::new(app),
            key: Data::new(BasicKey::new(&settings.api_key)),
            cursors: Data::new(CursorKey::new(&settings.secret)),
            site: Data::new(settings.site.clone()),
            sunset: Data::new(settings.sunset),
            cors: Data::new(settings.cors.clone()),
            observer: Data::new(settings.observer),
        }
    }

    /// An actix application, for one worker. What is wrapped around it goes inside of
    /// [`observe`].
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
            .app_data(self.site.clone())
            .app_data(self.cors.clone())
            .app_data(self.sunset.clone())
            .app_data(self.observer.clone())
            .app_data(web::PathConfig::default().error_handler(|_, _| routes::not_found().into()))
            .configure(routes::register)
            .default_service(web::to(routes::nowhere))
            .wrap(self.cors.middleware())
            .wrap(from_fn(edge::handle))
            .wrap(from_fn(headers::handle))
    }
}
