//! The page of a lead.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::leads;
use exit3_domain::access::{Action, Record};
use exit3_domain::leads::LeadId;
use i18n_embed_fl::fl;

use super::asked::Asked;
use super::list::{Row, View};
use super::{address, find};
use crate::Admin;
use crate::errors::PageError;
use crate::format;
use crate::i18n::say;
use crate::page::page;
use crate::parts::parts;
use crate::resource::{LeadPart, Pages};
use crate::shell::Shell;
use crate::team::Team;
use crate::visit::Member;

/// The most other leads of the same person that are shown.
const SAME: u32 = 5;

#[derive(Template)]
#[template(path = "leads/detail.html")]
struct DetailPage {
    shell: Shell,
    name: String,
    address: String,
    /// The list from which the lead was opened.
    back: String,
    /// This page.
    here: String,
    previous: Option<String>,
    next: Option<String>,
    phone: String,
    email: String,
    /// Other leads with the same address or number.
    same: Vec<(String, String)>,
    row: Row,
    facts: Vec<(String, String)>,
    created: String,
    created_text: String,
    updated: String,
    updated_text: String,
    /// Parts of other resources, as HTML.
    parts: Vec<String>,
    who: i64,
    may_edit: bool,
    may_delete: bool,
}

pub(super) async fn detail(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let lead = find(&admin, &id).await?;
    member.check(Action::Read, Record::Lead(lead.work.owner))?;
    let (texts, now) = (member.visit.texts, admin.app.clock.now());
    let asked = Asked { beside: None, ..Asked::read(request.query_string()) };
    let filter = asked.filters.filter(asked.words(), now);
    let (team, around, same) = tokio::try_join!(
        Team::load(&admin),
        async {
            Ok::<_, PageError>(leads::neighbours(&admin.app, &filter, asked.order, &lead).await?)
        },
        async { Ok(leads::with_contact(&admin.app, &lead, SAME).await?) },
    )?;
    // What others say about the lead comes before its history, which is long.
    let (own, others): (Vec<&Pages>, Vec<_>) =
        member.visit.offer.pages().partition(|pages| pages.name == "leads");
    let show = async |part: LeadPart| part(&admin, &member, &request, &lead).await;
    let parts = parts(texts, others.into_iter().chain(own), |pages| pages.lead_parts, show).await?;
    let view = View { texts, team: &team, asked: &asked, member: &member, now };
    let link = |id: LeadId| asked.link_from(&address(id));
    let (row, details) = (view.row(&lead), &lead.details);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let label = |field| say(texts, "field", field);
    let template = DetailPage {
        shell: Shell::of(&member.visit, "leads"),
        name: details.full_name.clone(),
        address: address(lead.id),
        back: asked.link(),
        here: link(lead.id),
        previous: around.previous.map(link),
        next: around.next.map(link),
        phone: text(&details.phone_number),
        email: text(&details.email),
        same: same.iter().map(|lead| (address(lead.id), lead.details.full_name.clone())).collect(),
        facts: vec![
            (label("position"), details.position.clone()),
            (label("company_name"), text(&details.company_name)),
            (label("source"), say(texts, "source", details.source.as_str())),
            (label("category"), say(texts, "category", details.category.as_str())),
            (fl!(texts, "lead-number"), lead.id.0.to_string()),
        ],
        created: format::machine(lead.created_at),
        created_text: format::moment(lead.created_at),
        updated: format::machine(lead.updated_at),
        updated_text: format::moment(lead.updated_at),
        parts,
        who: member.who.staff.id.0,
        may_edit: row.may_edit,
        may_delete: member.may(Action::Delete, Record::Lead(lead.work.owner)),
        row,
    };
    page(&request, &template)
}
