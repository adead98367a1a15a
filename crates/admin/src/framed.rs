//! Pages of modules inside of the frame that all pages have.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::page::page;
use crate::shell::Shell;
use crate::visit::Member;

/// A page of a module.
pub struct Framed {
    /// The name of its [`Pages`](crate::Pages): the entry of the menu that is marked.
    pub here: &'static str,
    /// The title of the window.
    pub title: String,
    /// The page as HTML, which is shown as it is; it begins with an `h1`.
    pub content: String,
}

/// Renders a page of a module inside of the frame that all pages have: menu, search, and what the page says
/// once.
///
/// The style sheet knows, among others: `head` for the line of the `h1`, with `buttons` in it, a `button`,
/// which may also be `first`, `plain`, `small` or `bad`, a `card`, a `stack` of paragraphs, `dl.facts`,
/// `quiet` text, and tables without a class.
///
/// # Errors
/// The page cannot be rendered.
pub fn framed(
    request: &HttpRequest,
    member: &Member,
    framed: Framed,
) -> Result<HttpResponse, PageError> {
    let Framed { here, title, content } = framed;
    page(request, &FramedPage { shell: Shell::of(&member.visit, here), title, content })
}

#[derive(Template)]
#[template(path = "framed.html")]
struct FramedPage {
    shell: Shell,
    title: String,
    content: String,
}
