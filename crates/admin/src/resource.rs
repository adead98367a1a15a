//! How a resource registers itself: with one value that says everything the back office needs to
//! know of it.

use actix_web::HttpRequest;
use exit3_domain::access::Record;
use exit3_domain::leads::Lead;
use exit3_web::Endpoint;
use futures_util::future::LocalBoxFuture;

use crate::Admin;
use crate::errors::PageError;
use crate::visit::Member;

/// What a resource adds to the back office.
pub(crate) struct Pages {
    /// The name, which is that of its texts: `menu-leads`.
    pub(crate) name: &'static str,
    /// The entry in the menu.
    pub(crate) menu: Option<Menu>,
    /// The pages, with paths below [`crate::BASE`].
    pub(crate) endpoints: fn() -> Vec<Endpoint>,
    /// Parts of the page of a lead, shown below its facts.
    pub(crate) lead_parts: &'static [LeadPart],
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

/// A part of the page of a lead: a function that returns HTML, which is shown as it is.
pub(crate) type LeadPart = for<'a> fn(
    &'a Admin,
    &'a Member,
    &'a HttpRequest,
    &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>>;
