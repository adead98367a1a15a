//! The first page.

use actix_web::HttpResponse;
use actix_web::http::Method;
use exit3_web::Endpoint;

use crate::BASE;
use crate::errors::PageError;
use crate::page::see_other;
use crate::resource::Pages;

/// The first page. It leads to the leads, until there is more to show.
pub(crate) const PAGES: Pages = Pages { name: "home", endpoints, ..Pages::EMPTY };

fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("").route(Method::GET, home)]
}

async fn home() -> HttpResponse {
    see_other(&format!("{BASE}leads/"))
}

/// Leads from the address of the service to the back office.
pub(crate) async fn enter() -> HttpResponse {
    see_other(BASE)
}

/// An address without a page.
pub(crate) async fn nowhere() -> Result<HttpResponse, PageError> {
    Err(PageError::not_found())
}
