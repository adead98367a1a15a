//! The forms of a client: a new one, alone or of a lead, and an existing one.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::{EditError, UpdateError, clients, leads};
use exit3_domain::access::{Action, Record};
use exit3_domain::clients::{Client, ClientId, RESOURCE};
use exit3_domain::edits::{Conflicts, FieldTexts};
use exit3_domain::leads::{Lead, LeadCategory, LeadId};
use exit3_domain::validation::Invalid;
use exit3_domain::versions::{Expected, Version};
use exit3_web::path;
use i18n_embed_fl::fl;

use super::{LIST, address, find, lead_of, name, record};
use crate::choices::choices;
use crate::deleted::absent;
use crate::errors::PageError;
use crate::fields::{Field, Fields, Kind, edit_of, is_merged, values};
use crate::form::Form;
use crate::form_page::{self, Heading};
use crate::page::see_other;
use crate::visit::Member;
use crate::{Admin, BASE};

/// What the form of a client is made of. The lead is the first field of an existing client only.
const FIELDS: &[Field] = &[
    Field::text("lead", 20),
    Field::text("team_id", 100).required(),
    Field::choice("category").required(),
    Field::text("monthly_charge", 20).typed_as(Kind::Amount),
    Field::text("one_time_charge", 20).typed_as(Kind::Amount),
    Field::text("short_description", 5000).typed_as(Kind::Lines),
];

/// What a form page is about.
#[derive(Clone, Copy)]
enum About<'a> {
    New,
    /// A new client, which this lead becomes.
    Of(&'a Lead),
    Existing(&'a Client, Option<&'a Lead>),
}

/// What is shown again.
#[derive(Clone, Copy, Default)]
struct Again<'a> {
    sent: Option<&'a Form>,
    invalid: Option<&'a Invalid>,
    conflicts: Option<&'a Conflicts>,
}

fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    about: About<'_>,
    again: Again<'_>,
) -> Result<HttpResponse, PageError> {
    let texts = member.visit.texts;
    let heading = match about {
        About::New => Heading {
            resource: "clients",
            title: fl!(texts, "client-new"),
            action: format!("{LIST}new/"),
            back: LIST.to_owned(),
            back_text: fl!(texts, "menu-clients"),
        },
        About::Of(lead) => {
            let person = &lead.details.full_name;
            Heading {
                resource: "clients",
                title: fl!(texts, "client-new-of", name = person.clone()),
                action: format!("{LIST}new/?lead={}", lead.id.0),
                back: format!("{BASE}leads/{}/", lead.id.0),
                back_text: person.clone(),
            }
        }
        About::Existing(client, lead) => {
            let (name, there) = (name(texts, client, lead), address(client.id));
            Heading {
                resource: "clients",
                title: name.clone(),
                action: format!("{there}edit/"),
                back: there,
                back_text: name,
            }
        }
    };
    let usual = |name: &str| match (name, about) {
        ("category", About::Of(lead)) => lead.details.category.to_string(),
        ("category", _) => LeadCategory::WebDev.to_string(),
        ("short_description", About::Of(lead)) => lead.details.notes.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let choices = |name: &str, value: &str| choices(texts, name, LeadCategory::WORDS, value);
    let may = |action, record| member.may(action, record);
    // A field that the person may not change is not part of the form.
    let has = |field: &Field| match (field.name, about) {
        ("lead", About::Existing(_, lead)) => may(Action::Assign, record(lead)),
        ("lead", _) => false,
        ("monthly_charge" | "one_time_charge", About::Existing(_, lead)) => {
            may(Action::Charge, record(lead))
        }
        _ => true,
    };
    let fields: Vec<Field> = FIELDS.iter().copied().filter(has).collect();
    let form = Fields { fields: &fields, usual: &usual, choices: &choices };
    let stored = match about {
        About::Existing(client, _) => Some((FieldTexts::of(client), Version::of(client))),
        About::New | About::Of(_) => None,
    };
    let Again { sent, invalid, conflicts } = again;
    let shown = form_page::Shown { stored, sent, invalid, conflicts };
    form_page::show(admin, request, member, heading, &form, shown)
}

/// The lead that the address names, if it names one.
async fn lead_of_query(admin: &Admin, request: &HttpRequest) -> Result<Option<Lead>, PageError> {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let Some((_, id)) = query.find(|(name, _)| name == "lead") else { return Ok(None) };
    let id = LeadId(path::id(&id)?);
    match leads::find(&admin.app, id).await {
        Ok(lead) => Ok(Some(lead)),
        Err(exit3_app::FindError::NotFound) => {
            Err(absent(admin, exit3_domain::leads::RESOURCE, id.0).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Checks that the person may make a client: of a lead, or without one.
fn check_new(member: &Member, lead: Option<&Lead>) -> Result<(), PageError> {
    match lead {
        Some(lead) => member.check(Action::Convert, Record::Lead(lead.work.owner)),
        None => member.check(Action::Create, Record::Client(None)),
    }
}

pub(super) async fn blank(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    let lead = lead_of_query(&admin, &request).await?;
    check_new(&member, lead.as_ref())?;
    let Some(lead) = &lead else {
        return show(&admin, &request, &member, About::New, Again::default());
    };
    // Somebody else, or another window, was faster.
    if let Some(client) = clients::of_lead(&admin.app, lead.id).await? {
        return Ok(see_other(&address(client.id)));
    }
    show(&admin, &request, &member, About::Of(lead), Again::default())
}

pub(super) async fn create(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let lead = lead_of_query(&admin, &request).await?;
    check_new(&member, lead.as_ref())?;
    let about = lead.as_ref().map_or(About::New, About::Of);
    let again = Again { sent: Some(&form), ..Again::default() };
    if member.visit.refills {
        return show(&admin, &request, &member, about, again);
    }
    let address_of_form = format!("{}?{}", request.path(), request.query_string());
    let sending = admin.begin(&address_of_form, &form, RESOURCE).await?;
    let created = |id: ClientId| Ok(see_other(&format!("{}?done=client-created", address(id))));
    if let Some(made) = &sending.made {
        return created(ClientId(made.id));
    }
    let (doer, given) = (member.sender(&sending.batch), values(FIELDS, &form));
    let made = match &lead {
        // What else the lead says does not matter for its client.
        Some(lead) => {
            clients::convert(&admin.app, lead.id, &Expected::default(), given, &doer).await
        }
        None => clients::create_by_staff(&admin.app, given, &doer).await,
    };
    match made {
        Ok(client) => created(client.id),
        Err(EditError::Invalid(invalid)) => match sending.made_meanwhile(&admin).await? {
            Some(made) => created(ClientId(made.id)),
            None => {
                let again = Again { invalid: Some(&invalid), ..again };
                show(&admin, &request, &member, about, again)
            }
        },
        Err(error) => Err(error.into()),
    }
}

/// The client of a path, and the lead that it was.
async fn found(admin: &Admin, id: &str) -> Result<(Client, Option<Lead>), PageError> {
    let client = find(admin, id).await?;
    let leads = clients::leads_of(&admin.app, std::slice::from_ref(&client)).await?;
    let lead = lead_of(&leads, &client).cloned();
    Ok((client, lead))
}

pub(super) async fn form(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let (client, lead) = found(&admin, &id).await?;
    member.check(Action::Edit, record(lead.as_ref()))?;
    let about = About::Existing(&client, lead.as_ref());
    show(&admin, &request, &member, about, Again::default())
}

pub(super) async fn save(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let (client, lead) = found(&admin, &id).await?;
    let about = About::Existing(&client, lead.as_ref());
    let again = Again { sent: Some(&form), ..Again::default() };
    if member.visit.refills {
        member.check(Action::Edit, record(lead.as_ref()))?;
        return show(&admin, &request, &member, about, again);
    }
    let edit = edit_of(FIELDS, &form, &FieldTexts::of(&client));
    let (sent, before) = (edit.clone(), Version::of(&client));
    match clients::edit(&admin.app, client.id, edit, &member.doer()).await {
        Ok(client) => {
            let is_merged = is_merged(&sent, &before, &FieldTexts::of(&client));
            let done = if is_merged { "merged" } else { "client-saved" };
            Ok(see_other(&format!("{}?done={done}", address(client.id))))
        }
        Err(EditError::NotFound) => Err(absent(&admin, RESOURCE, client.id.0).await?),
        Err(EditError::Contended) => Err(UpdateError::Contended.into()),
        Err(EditError::Invalid(invalid)) => {
            let again = Again { invalid: Some(&invalid), ..again };
            show(&admin, &request, &member, about, again)
        }
        Err(EditError::Conflicts(conflicts)) => {
            // It may have changed again since the form was sent.
            let (client, lead) = found(&admin, &id).await?;
            let about = About::Existing(&client, lead.as_ref());
            let again = Again { conflicts: Some(&conflicts), ..again };
            show(&admin, &request, &member, about, again)
        }
        Err(error) => Err(error.into()),
    }
}
