//! The pages of newsletter subscribers.

mod asked;
mod delete;
mod detail;
mod edit;
mod export;
mod list;

use actix_web::http::Method;
use exit3_domain::access::Record;
use exit3_domain::subscribers::{RESOURCE, Subscriber, SubscriberId};
use exit3_web::{Endpoint, path};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::deleted::absent;
use crate::errors::PageError;
use crate::i18n::{Texts, say};
use crate::resource::{Found, Menu, Pages};
use crate::visit::Member;
use crate::{Admin, BASE};

/// The list of subscribers.
const LIST: &str = "/backend/admin/subscribers/";

/// Subscribers in the back office.
pub(crate) const PAGES: Pages = Pages {
    name: "subscribers",
    menu: Some(Menu { path: "subscribers/", icon: "mail", key: "g s", reads: Record::Subscriber }),
    endpoints,
    rows: Some(RESOURCE),
    events: &["created", "updated", "deleted", "restored", "exported", "export_ended"],
    search: Some(search),
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("subscribers/").route(Method::GET, list::list),
        Endpoint::new("subscribers/export/")
            .route(Method::GET, export::form)
            .route(Method::POST, export::send),
        Endpoint::new("subscribers/{id}/").route(Method::GET, detail::detail),
        Endpoint::new("subscribers/{id}/edit/")
            .route(Method::GET, edit::form)
            .route(Method::POST, edit::save),
        Endpoint::new("subscribers/{id}/row/").route(Method::POST, edit::save_row),
        Endpoint::new("subscribers/{id}/delete/").route(Method::POST, delete::delete),
    ]
}

/// Finds the subscriber of a path. One that was deleted leads to its restoration.
async fn find(admin: &Admin, id: &str) -> Result<Subscriber, PageError> {
    let id = SubscriberId(path::id(id)?);
    match exit3_app::subscribers::find(&admin.app, id).await {
        Ok(subscriber) => Ok(subscriber),
        Err(exit3_app::FindError::NotFound) => Err(absent(admin, RESOURCE, id.0).await?),
        Err(error) => Err(error.into()),
    }
}

/// The address of a subscriber.
fn address(id: SubscriberId) -> String {
    format!("{BASE}subscribers/{}/", id.0)
}

/// The state of a subscriber: the class of its dot, and the words.
fn state(texts: Texts, is_subscribed: bool) -> (&'static str, String) {
    let (dot, word) = match is_subscribed {
        true => ("subscribed", "true"),
        false => ("unsubscribed", "false"),
    };
    (dot, say(texts, "subscribed", word))
}

/// What the search over everything finds.
fn search<'a>(
    admin: &'a Admin,
    member: &'a Member,
    typed: &'a str,
) -> LocalBoxFuture<'a, Result<Vec<Found>, PageError>> {
    async move {
        let found = exit3_app::subscribers::suggest(&admin.app, typed).await?;
        let shown = |one: Subscriber| {
            let (dot, state) = state(member.visit.texts, one.is_subscribed);
            Found { href: address(one.id), name: one.email, about: String::new(), dot, state }
        };
        Ok(found.into_iter().map(shown).collect())
    }
    .boxed_local()
}
