//! The search over everything.

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::leads;
use exit3_domain::leads::Lead;
use exit3_domain::search;
use exit3_web::Endpoint;
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::i18n::say;
use crate::page::page;
use crate::resource::Pages;
use crate::shell::{Link, Shell};
use crate::visit::Member;
use crate::{Admin, BASE};

/// The search over everything.
pub(crate) const PAGES: Pages = Pages { name: "search", menu: None, endpoints, lead_parts: &[] };

fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("search/").route(Method::GET, find)]
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    shell: Shell,
    typed: String,
    leads: Vec<Found>,
    /// The pages whose names contain the words.
    pages: Vec<(String, &'static str, String)>,
    all: String,
}

/// A lead that was found.
struct Found {
    href: String,
    name: String,
    about: String,
    status: &'static str,
    status_text: String,
}

async fn find(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let typed = query.find(|(name, _)| name == "q").map(|(_, text)| text.into_owned());
    let typed: String = typed.unwrap_or_default().trim().chars().take(200).collect();
    let texts = member.visit.texts;
    let found = |lead: Lead| Found {
        href: format!("{BASE}leads/{}/", lead.id.0),
        name: lead.details.full_name.clone(),
        about: [lead.details.company_name, lead.details.email, lead.details.phone_number]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        status: lead.details.status.as_str(),
        status_text: say(texts, "status", lead.details.status.as_str()),
    };
    let shell = Shell::of(&member.visit, "search");
    let words = search::words(&typed).unwrap_or_default();
    let is_named = |link: &&Link| {
        let name = search::fold(&link.text);
        !words.is_empty() && words.iter().all(|word| name.contains(word))
    };
    let pages = shell.menu.iter().filter(is_named);
    let pages = pages.map(|link| (link.path.clone(), link.icon, link.text.clone())).collect();
    let leads = leads::suggest(&admin.app, &typed).await?;
    let mut all = form_urlencoded::Serializer::new(String::new());
    all.append_pair("q", &typed);
    let template = SearchPage {
        leads: leads.into_iter().map(found).collect(),
        pages,
        all: format!("{BASE}leads/?{}", all.finish()),
        typed,
        shell,
    };
    page(&request, &template)
}
