//! How a resource registers itself: with one value that says everything the back office needs to
//! know of it.

use actix_web::HttpRequest;
use exit3_domain::access::Record;
use exit3_domain::clients::Client;
use exit3_domain::leads::Lead;
use exit3_web::Endpoint;
use futures_util::future::LocalBoxFuture;

use crate::Admin;
use crate::errors::PageError;
use crate::visit::Member;

/// What a resource adds to the back office. A resource names only what it has:
/// `Pages { name: "tags", endpoints, ..Pages::EMPTY }`.
pub(crate) struct Pages {
    /// The name, which is that of its texts: `menu-leads`.
    pub(crate) name: &'static str,
    /// The entry in the menu.
    pub(crate) menu: Option<Menu>,
    /// The pages, with paths below [`crate::BASE`].
    pub(crate) endpoints: fn() -> Vec<Endpoint>,
    /// The word for its rows in events, such as `lead`. The page of a row is at the address of the
    /// menu, followed by the id.
    pub(crate) rows: Option<&'static str>,
    /// What the search over everything finds in it.
    pub(crate) search: Option<Search>,
    /// Parts of the page of a lead, shown below its facts.
    pub(crate) lead_parts: &'static [LeadPart],
    /// Parts of the page of a client, shown above its history.
    pub(crate) client_parts: &'static [ClientPart],
}

impl Pages {
    /// Nothing.
    pub(crate) const EMPTY: Self = Self {
        name: "",
        menu: None,
        endpoints: Vec::new,
        rows: None,
        search: None,
        lead_parts: &[],
        client_parts: &[],
    };
}

/// An entry in the menu.
#[derive(Clone, Copy)]
pub(crate) struct Menu {
    /// The path below [`crate::BASE`].
    pub(crate) path: &'static str,
    /// The name of the icon.
    pub(crate) icon: &'static str,
    /// The keys that open it, such as `g l`.
    pub(crate) key: &'static str,
    /// What a person must be allowed to read to see the entry.
    pub(crate) reads: Record,
}

/// A function that returns the rows of a resource that match what somebody typed.
pub(crate) type Search =
    for<'a> fn(&'a Admin, &'a Member, &'a str) -> LocalBoxFuture<'a, Result<Vec<Found>, PageError>>;

/// A row that the search over everything has found.
pub(crate) struct Found {
    pub(crate) href: String,
    pub(crate) name: String,
    /// What tells it apart from others.
    pub(crate) about: String,
    /// The class of the dot before its state.
    pub(crate) dot: &'static str,
    pub(crate) state: String,
}

/// A part of the page of a lead: a function that returns HTML, which is shown as it is.
pub(crate) type LeadPart = for<'a> fn(
    &'a Admin,
    &'a Member,
    &'a HttpRequest,
    &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>>;

/// The same for the page of a client. The record is the client with the owner of its lead, who looks
/// after it.
pub(crate) type ClientPart = for<'a> fn(
    &'a Admin,
    &'a Member,
    &'a HttpRequest,
    &'a Client,
    Record,
) -> LocalBoxFuture<'a, Result<String, PageError>>;
