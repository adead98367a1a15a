//! How a resource registers itself: with one value that says everything the back office needs to
//! know of it.

use actix_web::HttpRequest;
use exit3_app::modules::Switch;
use exit3_domain::access::Record;
use exit3_domain::clients::Client;
use exit3_domain::leads::Lead;
use exit3_domain::staff::Language;
use exit3_web::Endpoint;
use futures_util::future::LocalBoxFuture;

use crate::Admin;
use crate::errors::PageError;
use crate::visit::Member;

/// What a resource adds to the back office. A resource names only what it has:
/// `Pages { name: "tags", endpoints, ..Pages::EMPTY }`.
///
/// ```
/// use actix_web::HttpResponse;
/// use actix_web::http::Method;
/// use exit3_admin::{Menu, Pages};
/// use exit3_domain::access::{Action, Record, Rights, Whose};
/// use exit3_domain::staff::{Language, Role};
/// use exit3_web::Endpoint;
///
/// static RIGHTS: Rights =
///     Rights { resource: "tag", roles: &[(Role::Sales, &[Action::Read], Whose::All)] };
///
/// const PAGES: Pages = Pages {
///     name: "tags",
///     menu: Some(Menu { path: "tags/", icon: "tag", key: "g g", reads: Record::Of(&RIGHTS, None) }),
///     endpoints: || vec![Endpoint::new("tags/").route(Method::GET, HttpResponse::Ok)],
///     texts: &[(Language::English, "menu-tags = Tags"), (Language::Croatian, "menu-tags = Oznake")],
///     ..Pages::EMPTY
/// };
/// assert_eq!((PAGES.endpoints)()[0].path(), "tags/");
/// ```
#[derive(Clone, Copy)]
pub struct Pages {
    /// The name, which is that of its texts: `menu-leads` is the title of its entry in the menu.
    pub name: &'static str,
    /// The entry in the menu.
    pub menu: Option<Menu>,
    /// The pages, with paths below [`crate::BASE`].
    pub endpoints: fn() -> Vec<Endpoint>,
    /// The word for its rows in events, such as `lead`. The page of a row is at the address of the
    /// menu, followed by the id.
    pub rows: Option<&'static str>,
    /// What happens to its rows, such as `created`. There are texts for the rows, `events-about-lead`,
    /// and for each of these words: `event-lead-created`.
    pub events: &'static [&'static str],
    /// What the search over everything finds in it.
    pub search: Option<Search>,
    /// Parts of the page of a lead, shown below its facts.
    pub lead_parts: &'static [LeadPart],
    /// Parts of the page of a client, shown above its history.
    pub client_parts: &'static [ClientPart],
    /// Texts in each language, as Fluent writes them. Their ids must not be those of others. What is
    /// missing in a language is shown in English.
    pub texts: &'static [(Language, &'static str)],
    /// The switch of the module; none for what the service itself shows. While it is off, the pages
    /// answer 503, and there are cards in place of the parts.
    pub switch: Option<&'static Switch>,
}

impl Pages {
    /// Nothing.
    pub const EMPTY: Self = Self {
        name: "",
        menu: None,
        endpoints: Vec::new,
        rows: None,
        events: &[],
        search: None,
        lead_parts: &[],
        client_parts: &[],
        texts: &[],
        switch: None,
    };
}

/// An entry in the menu.
#[derive(Clone, Copy)]
pub struct Menu {
    /// The path below [`crate::BASE`].
    pub path: &'static str,
    /// The name of the icon: that of a file in `icons/` of this crate.
    pub icon: &'static str,
    /// The keys that open it, such as `g l`.
    pub key: &'static str,
    /// What a person must be allowed to read to see the entry.
    pub reads: Record,
}

/// A function that returns the rows of a resource that match what somebody typed. It is asked only for
/// people who see the entry in the menu. The search of a module has a second, like its parts.
pub type Search =
    for<'a> fn(&'a Admin, &'a Member, &'a str) -> LocalBoxFuture<'a, Result<Vec<Found>, PageError>>;

/// A row that the search over everything has found.
pub struct Found {
    /// The address of its page.
    pub href: String,
    /// What people call it.
    pub name: String,
    /// What tells it apart from others.
    pub about: String,
    /// The class of the dot before its state.
    pub dot: &'static str,
    /// The state, in words.
    pub state: String,
}

/// A part of the page of a lead: a function that returns HTML, which is shown as it is. It is empty for
/// those who may not see it. A part of a module has a second; if it fails, a card says so.
pub type LeadPart = for<'a> fn(
    &'a Admin,
    &'a Member,
    &'a HttpRequest,
    &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>>;

/// The same for the page of a client. The record is the client with the owner of its lead, who looks
/// after it.
pub type ClientPart = for<'a> fn(
    &'a Admin,
    &'a Member,
    &'a HttpRequest,
    &'a Client,
    Record,
) -> LocalBoxFuture<'a, Result<String, PageError>>;
