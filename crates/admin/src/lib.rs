//! The back office: pages for staff, below `/backend/admin/`. A handler reads a form or a query,
//! calls a use case, and fills a template. The use cases are those of the API.

mod account;
mod asked;
mod assets;
mod choices;
mod clients;
mod contracts;
mod cookie;
mod deleted;
mod door;
mod error_page;
mod errors;
mod events;
mod exports;
mod fields;
mod forged;
mod form;
mod form_page;
mod format;
mod gate;
mod home;
mod i18n;
mod icons;
mod keys;
mod leads;
mod listing;
mod once;
mod page;
mod resource;
mod search;
mod shell;
mod staff;
mod story;
mod subscribers;
mod team;
mod undo;
mod visit;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, ServiceConfig};
use exit3_app::App;
use exit3_domain::api_keys::Scope;
use exit3_web::{Endpoint, open};
use ipnet::IpNet;

use crate::gate::{members, visitors};
use crate::resource::Pages;

/// The path of the back office.
pub const BASE: &str = "/backend/admin/";

/// Everything that the back office shows. Menu, pages and parts of pages follow from this list.
const PAGES: &[Pages] = &[
    home::PAGES,
    leads::PAGES,
    clients::PAGES,
    contracts::PAGES,
    subscribers::PAGES,
    staff::PAGES,
    keys::PAGES,
    events::PAGES,
    search::PAGES,
    undo::PAGES,
    account::PAGES,
];

/// The settings of the back office. Clones share what all workers of a process must know.
#[derive(Debug, Clone, Default)]
pub struct AdminSettings {
    networks: Arc<[IpNet]>,
    scopes: Arc<[Scope]>,
    tokens: Arc<once::Tokens>,
}

impl AdminSettings {
    /// The back office can be reached from these networks, or from everywhere if there are none. Keys
    /// of the API may have these scopes.
    pub fn new(networks: Vec<IpNet>, scopes: impl IntoIterator<Item = Scope>) -> Self {
        let scopes = scopes.into_iter().collect();
        Self { networks: networks.into(), scopes, tokens: Arc::default() }
    }
}

/// The back office, which any number of workers can serve.
#[derive(Clone)]
pub struct Admin {
    pub(crate) app: App,
    pub(crate) settings: AdminSettings,
}

impl Admin {
    /// Creates the back office over these use cases.
    pub fn new(app: App, settings: AdminSettings) -> Self {
        Self { app, settings }
    }

    /// The routes for those who are signed in: the method, and the path with its parameters.
    pub fn routes() -> Vec<(Method, String)> {
        let endpoints = PAGES.iter().flat_map(|pages| (pages.endpoints)());
        endpoints
            .flat_map(|endpoint| {
                let path = format!("{BASE}{}", endpoint.path());
                let methods: Vec<Method> = endpoint.methods().cloned().collect();
                methods.into_iter().map(move |method| (method, path.clone()))
            })
            .filter(|(method, _)| method != Method::HEAD)
            .collect()
    }

    /// Registers all routes.
    pub fn register(self, config: &mut ServiceConfig) {
        config.app_data(Data::new(self));
        for path in ["/", "/backend/"] {
            config.service(Endpoint::new("").route(Method::GET, home::enter).resource(path, open));
        }
        for endpoint in door::endpoints() {
            config.service(endpoint.policy(page::POLICY).resource(BASE, visitors));
        }
        for endpoint in PAGES.iter().flat_map(|pages| (pages.endpoints)()) {
            config.service(endpoint.or_policy(page::POLICY).resource(BASE, members));
        }
        // Every other address below the base, with the same gate.
        let rest = Endpoint::new("{rest:.*}").route(Method::GET, home::nowhere);
        config.service(rest.policy(page::POLICY).resource(BASE, members));
    }
}
