//! The pages of API keys, for owners.

mod create;
mod detail;

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use exit3_app::api_keys;
use exit3_domain::access::Record;
use exit3_domain::api_keys::{ApiKey, ApiKeyId, RESOURCE};
use exit3_web::Endpoint;
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::i18n::Texts;
use crate::page::page;
use crate::resource::{Menu, Pages};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, BASE, format};

/// API keys in the back office.
pub(crate) const PAGES: Pages = Pages {
    name: "keys",
    menu: Some(Menu { path: "keys/", icon: "key", key: "g k", reads: Record::ApiKey }),
    endpoints,
    rows: Some(RESOURCE),
    events: &["created", "revoked"],
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("keys/").route(Method::GET, list),
        Endpoint::new("keys/new/")
            .route(Method::GET, create::blank)
            .route(Method::POST, create::create),
        Endpoint::new("keys/{id}/").route(Method::GET, detail::detail),
        Endpoint::new("keys/{id}/revoke/")
            .route(Method::GET, detail::ask)
            .route(Method::POST, detail::revoke),
    ]
}

/// The page of a key.
fn address(id: ApiKeyId) -> String {
    format!("{BASE}keys/{}/", id.0)
}

/// Whether a key can be used: the class of its dot, and the words.
fn state(texts: Texts, key: &ApiKey, now: DateTime<Utc>) -> (&'static str, String) {
    match key.revoked_at {
        Some(_) => ("closed", fl!(texts, "key-revoked")),
        None if key.is_alive(now) => ("converted", fl!(texts, "key-alive")),
        None => ("closed", fl!(texts, "key-expired")),
    }
}

/// Who may know a key: its holder only, or everybody.
fn kind(texts: Texts, key: &ApiKey) -> String {
    match key.draft.is_publishable() {
        true => fl!(texts, "key-publishable"),
        false => fl!(texts, "key-secret"),
    }
}

#[derive(Template)]
#[template(path = "keys/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
}

/// A key in the list.
struct Row {
    href: String,
    name: String,
    scopes: String,
    kind: String,
    dot: &'static str,
    state: String,
    /// When it was made: for programs, and how long ago.
    made: (String, String),
    /// When it was last used.
    used: Option<(String, String)>,
}

async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    let (texts, now) = (member.visit.texts, admin.app.clock.now());
    let keys = api_keys::list(&admin.app, &member.doer()).await?;
    let time = |at: DateTime<Utc>| (format::machine(at), format::age(texts, at, now));
    let row = |key: &ApiKey| {
        let (dot, state) = state(texts, key, now);
        Row {
            href: address(key.id),
            name: key.draft.name.clone(),
            scopes: key.draft.scopes.to_string(),
            kind: kind(texts, key),
            dot,
            state,
            made: time(key.created_at),
            used: key.last_used_at.map(time),
        }
    };
    let rows = keys.iter().map(row).collect();
    page(&request, &ListPage { shell: Shell::of(&member.visit, "keys"), rows })
}
