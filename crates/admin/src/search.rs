//! The search over everything.

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_domain::access::Action;
use exit3_domain::search;
use exit3_web::Endpoint;
use futures_util::future::try_join_all;
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::i18n::say;
use crate::page::page;
use crate::parts::contained;
use crate::resource::{Found, Pages};
use crate::shell::{Link, Shell};
use crate::visit::Member;
use crate::{Admin, BASE};

/// The search over everything.
pub(crate) const PAGES: Pages = Pages { name: "search", endpoints, ..Pages::EMPTY };

fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("search/").route(Method::GET, find)]
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    shell: Shell,
    typed: String,
    /// The pages whose names contain the words.
    pages: Vec<(String, &'static str, String)>,
    groups: Vec<Group>,
}

/// What was found in one resource.
struct Group {
    title: String,
    /// The rows; `None` if they cannot be searched now.
    found: Option<Vec<Found>>,
    /// The list with the same search.
    all: String,
}

async fn find(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let typed = query.find(|(name, _)| name == "q").map(|(_, text)| text.into_owned());
    let typed: String = typed.unwrap_or_default().trim().chars().take(200).collect();
    let shell = Shell::of(&member.visit, "search");
    let words = search::words(&typed).unwrap_or_default();
    let is_named = |link: &&Link| {
        let name = search::fold(&link.text);
        !words.is_empty() && words.iter().all(|word| name.contains(word))
    };
    let pages = shell.menu.iter().filter(is_named);
    let pages = pages.map(|link| (link.path.clone(), link.icon, link.text.clone())).collect();
    let mut all = form_urlencoded::Serializer::new(String::new());
    let all = all.append_pair("q", &typed).finish();
    let groups = member.visit.offer.pages().filter_map(|pages| {
        let (menu, find) = (pages.menu?, pages.search?);
        let is_allowed = member.may(Action::Read, menu.reads);
        is_allowed.then_some((pages, menu.path, find))
    });
    let groups = try_join_all(groups.map(async |(pages, path, find)| {
        let found = contained(pages, async { find(&admin, &member, &typed).await }).await?;
        let title = say(member.visit.texts, "menu", pages.name);
        Ok::<_, PageError>(Group { title, found, all: format!("{BASE}{path}?{all}") })
    }));
    let mut groups = groups.await?;
    groups.retain(|group| group.found.as_ref().is_none_or(|found| !found.is_empty()));
    let template = SearchPage { shell, typed, pages, groups };
    page(&request, &template)
}
