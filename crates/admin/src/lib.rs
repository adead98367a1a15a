//! The back office: pages for staff, below `/backend/admin/`. A handler reads a form or a query,
//! calls a use case, and fills a template. The use cases are those of the API.

mod account;
mod asked;
mod assets;
pub mod choices;
mod clients;
mod contracts;
mod cookie;
pub mod deleted;
mod door;
mod error_page;
mod errors;
mod events;
mod exports;
pub mod fields;
mod forged;
mod form;
pub mod form_page;
pub mod format;
mod framed;
mod gate;
mod home;
mod i18n;
mod icons;
mod keys;
mod leads;
mod listing;
mod once;
mod page;
mod parts;
mod resource;
mod search;
mod shell;
mod staff;
pub mod story;
mod subscribers;
mod team;
mod undo;
mod visit;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, ServiceConfig};
use exit3_app::App;
use exit3_domain::api_keys::Scope;
use exit3_domain::staff::Language;
use exit3_web::{Endpoint, open};
use ipnet::IpNet;

pub use crate::errors::PageError;
pub use crate::form::Form;
pub use crate::framed::{Framed, framed};
use crate::gate::{members, members_while_on, visitors};
pub use crate::i18n::{Texts, say};
pub use crate::once::Sending;
pub use crate::page::{own_path, see_other};
pub use crate::resource::{ClientPart, Found, LeadPart, Menu, Pages, Search};
pub use crate::visit::Member;

/// The path of the back office.
pub const BASE: &str = "/backend/admin/";

/// What the service itself shows in the back office.
pub const OWN: &[&Pages] = &[
    &home::PAGES,
    &leads::PAGES,
    &clients::PAGES,
    &contracts::PAGES,
    &subscribers::PAGES,
    &staff::PAGES,
    &keys::PAGES,
    &events::PAGES,
    &events::PERSON,
    &events::DATABASE,
    &events::INTAKE,
    &search::PAGES,
    &undo::PAGES,
    &account::PAGES,
];

/// The pages of [`OWN`], and those of the door, which have no entry there.
pub fn own_endpoints() -> impl Iterator<Item = Endpoint> {
    OWN.iter().flat_map(|pages| (pages.endpoints)()).chain(door::endpoints())
}

/// Everything that the back office shows: [`OWN`], and the pages of modules. Menu, routes and parts
/// of pages follow from this list, in its order.
#[derive(Clone, Copy)]
pub struct Offer {
    pages: &'static [&'static Pages],
    english: Texts,
    croatian: Texts,
}

impl Offer {
    /// Offers these pages, with their texts added to those of the back office. An offer is made once
    /// and is kept until the process ends.
    pub fn new(pages: impl IntoIterator<Item = &'static Pages>) -> Self {
        let pages: Vec<_> = pages.into_iter().collect();
        let texts = |of| i18n::load(of, pages.iter().flat_map(|pages| pages.texts).copied());
        let (english, croatian) = (texts(Language::English), texts(Language::Croatian));
        Self { pages: Vec::leak(pages), english, croatian }
    }

    /// The routes for those who are signed in: the method, and the path with its parameters.
    pub fn routes(self) -> Vec<(Method, String)> {
        let endpoints = self.pages.iter().flat_map(|pages| (pages.endpoints)());
        endpoints
            .flat_map(|endpoint| {
                let path = format!("{BASE}{}", endpoint.path());
                let methods: Vec<Method> = endpoint.methods().cloned().collect();
                methods.into_iter().map(move |method| (method, path.clone()))
            })
            .filter(|(method, _)| method != Method::HEAD)
            .collect()
    }

    pub(crate) fn pages(self) -> impl Iterator<Item = &'static Pages> {
        self.pages.iter().copied()
    }

    /// The pages of rows that events call by this word.
    pub(crate) fn of_rows(self, resource: &str) -> Option<&'static Pages> {
        self.pages().find(|pages| pages.rows == Some(resource))
    }

    pub(crate) fn texts(self, language: Language) -> Texts {
        match language {
            Language::English => self.english,
            Language::Croatian => self.croatian,
        }
    }
}

/// The settings of the back office. Clones share what all workers of a process must know.
#[derive(Clone)]
pub struct AdminSettings {
    networks: Arc<[IpNet]>,
    scopes: Arc<[Scope]>,
    offer: Offer,
    tokens: Arc<once::Tokens>,
}

impl AdminSettings {
    /// The back office can be reached from these networks, or from everywhere if there are none. Keys
    /// of the API may have these scopes.
    pub fn new(
        networks: Vec<IpNet>,
        scopes: impl IntoIterator<Item = Scope>,
        offer: Offer,
    ) -> Self {
        let scopes = scopes.into_iter().collect();
        Self { networks: networks.into(), scopes, offer, tokens: Arc::default() }
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

    /// The use cases.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Registers all routes.
    pub fn register(self, config: &mut ServiceConfig) {
        let offer = self.settings.offer;
        config.app_data(Data::new(self));
        for path in ["/", "/backend/"] {
            config.service(Endpoint::new("").route(Method::GET, home::enter).resource(path, open));
        }
        for endpoint in door::endpoints() {
            config.service(endpoint.policy(page::POLICY).resource(BASE, visitors));
        }
        for pages in offer.pages() {
            for endpoint in (pages.endpoints)() {
                let gate = |request, next| members_while_on(request, next, pages.switch);
                config.service(endpoint.or_policy(page::POLICY).resource(BASE, gate));
            }
        }
        // Every other address below the base, with the same gate.
        let rest = Endpoint::new("{rest:.*}").route(Method::GET, home::nowhere);
        config.service(rest.policy(page::POLICY).resource(BASE, members));
    }
}
