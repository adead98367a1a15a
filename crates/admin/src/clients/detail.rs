//! The page of a client.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::{clients, timeline};
use exit3_domain::access::Action;
use exit3_domain::clients::RESOURCE;
use exit3_domain::versions::Version;
use i18n_embed_fl::fl;

use super::asked::Asked;
use super::{CHARGES, address, charge, find, lead_of, name, record};
use crate::errors::PageError;
use crate::i18n::say;
use crate::page::page;
use crate::parts::parts;
use crate::resource::ClientPart;
use crate::shell::Shell;
use crate::story::{ENTRIES, Told, before, render};
use crate::visit::Member;
use crate::{Admin, BASE};

#[derive(Template)]
#[template(path = "clients/detail.html")]
struct DetailPage {
    shell: Shell,
    name: String,
    description: String,
    /// What the client pays, if the person may see it: each label, and the amount.
    charges: Vec<(String, String)>,
    facts: Vec<(String, String)>,
    /// The lead that became the client: its address, and its name.
    lead: Option<(String, String)>,
    address: String,
    /// The list from which the client was opened.
    back: String,
    version: String,
    who: i64,
    may_edit: bool,
    may_delete: bool,
    /// Parts of other resources, as HTML.
    parts: Vec<String>,
    story: String,
}

pub(super) async fn detail(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let client = find(&admin, &id).await?;
    let leads = clients::leads_of(&admin.app, std::slice::from_ref(&client)).await?;
    let lead = lead_of(&leads, &client);
    let record = record(lead);
    member.check(Action::Read, record)?;
    let (texts, details) = (member.visit.texts, &client.details);
    let (id, address) = (client.id, address(client.id));
    let asked = Asked { beside: None, ..Asked::read(request.query_string()) };
    let found = timeline::of_row(&admin.app, RESOURCE, id.0, before(&request), ENTRIES).await?;
    let name = name(texts, &client, lead);
    let told = Told {
        resource: RESOURCE,
        record,
        address: address.clone(),
        nobody: name.clone(),
        note: None,
        hidden: if member.may(Action::Charge, record) { &[] } else { &CHARGES },
    };
    let show = async |part: ClientPart| part(&admin, &member, &request, &client, record).await;
    let parts = parts(texts, member.visit.offer.pages(), |pages| pages.client_parts, show).await?;
    let charges = match member.may(Action::Charge, record) {
        true => vec![
            (say(texts, "column", "monthly"), charge(texts, details.monthly_charge)),
            (say(texts, "column", "one_time"), charge(texts, details.one_time_charge)),
        ],
        false => Vec::new(),
    };
    let template = DetailPage {
        shell: Shell::of(&member.visit, "clients"),
        name,
        description: details.short_description.clone(),
        charges,
        facts: vec![
            (say(texts, "field", "team_id"), details.team_id.clone()),
            (say(texts, "field", "category"), say(texts, "category", details.category.as_str())),
            (fl!(texts, "column-number"), id.0.to_string()),
        ],
        lead: lead
            .map(|lead| (format!("{BASE}leads/{}/", lead.id.0), lead.details.full_name.clone())),
        back: asked.link(),
        address,
        version: Version::of(&client).as_str().to_owned(),
        who: member.who.staff.id.0,
        may_edit: member.may(Action::Edit, record),
        may_delete: member.may(Action::Delete, record),
        parts,
        story: render(&member, told, found)?,
    };
    page(&request, &template)
}
