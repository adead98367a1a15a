//! The page that shows an error: what the person reads, and how nothing is lost.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use exit3_domain::events::EventId;
use i18n_embed_fl::fl;

use crate::BASE;
use crate::errors::PageError;
use crate::form::Form;
use crate::i18n::say;
use crate::page::{instead_of_page, page_with};
use crate::shell::Shell;
use crate::visit::Visit;

/// Seconds until a page sends its form again by itself.
const AGAIN: u32 = 5;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    shell: Shell,
    status: u16,
    title: String,
    text: String,
    request_id: String,
    /// The event that deleted what is not found.
    deleted: Option<EventId>,
    /// What the person typed in a form that is not carried out and cannot be sent again: the name of
    /// each field, and the text.
    typed: Vec<(String, &'a str)>,
    /// The form that can be sent again, with its address.
    again: Option<(&'a str, &'a Form)>,
    /// The name that was typed to sign in.
    username: Option<&'a str>,
    /// Passwords of the form, which must be typed again.
    passwords: Vec<Password<'a>>,
    seconds: u32,
}

/// Renders an error in the person's language. A form that was not carried out because the database
/// is away is part of the page, which sends it again after a while.
pub(crate) fn render(
    request: &HttpRequest,
    visit: &Visit,
    error: &PageError,
    form: &Form,
) -> HttpResponse {
    if let PageError::SentBefore = error {
        return send_again(request);
    }
    let status = error.status_code();
    let word = match error {
        PageError::Deleted(_) => "deleted".to_owned(),
        PageError::Off(_) => "off".to_owned(),
        _ => match status.as_u16() {
            400 | 403 | 404 | 405 | 408 | 412 | 413 | 415 | 429 | 503 => {
                status.as_u16().to_string()
            }
            code if code < 500 => "400".to_owned(),
            _ => "500".to_owned(),
        },
    };
    let text = |part: &str| say(visit.texts, &format!("error-{part}"), &word);
    let address = request.uri().path_and_query().map_or("", |path| path.as_str());
    let is_away = status == StatusCode::SERVICE_UNAVAILABLE;
    let template = ErrorPage {
        shell: Shell::of(visit, ""),
        status: status.as_u16(),
        title: text("title"),
        text: text("text"),
        request_id: exit3_web::request_id(),
        deleted: match error {
            PageError::Deleted(event) => Some(*event),
            _ => None,
        },
        typed: if is_away { Vec::new() } else { typed(visit, form) },
        again: (is_away && request.method() == Method::POST).then_some((address, form)),
        username: form.given("_username"),
        passwords: form.secrets().map(|name| Password::of(visit, name)).collect(),
        seconds: AGAIN,
    };
    let response = page_with(request, Some(&error.in_the_api()), &template)
        .unwrap_or_else(|error| error.error_response());
    instead_of_page(request, response)
}

/// Lets the browser send the same form to the same address, where it finds what the first sending has
/// made.
fn send_again(request: &HttpRequest) -> HttpResponse {
    let here = request.uri().path_and_query().map_or(BASE, |path| path.as_str());
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, here)).finish()
}

/// A field for a password.
struct Password<'a> {
    name: &'a str,
    label: String,
    autocomplete: &'static str,
}

impl<'a> Password<'a> {
    fn of(visit: &Visit, name: &'a str) -> Self {
        let (label, autocomplete) = match name {
            "password_old" => (fl!(visit.texts, "password-old"), "current-password"),
            "password_new" | "password" => (fl!(visit.texts, "password-new"), "new-password"),
            _ => (fl!(visit.texts, "password"), "current-password"),
        };
        Self { name, label, autocomplete }
    }
}

/// What the person typed in a form.
fn typed<'a>(visit: &Visit, form: &'a Form) -> Vec<(String, &'a str)> {
    form.changed().map(|(name, value)| (say(visit.texts, "field", name), value)).collect()
}
