//! The forms of a lead: a new one, and an existing one.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::{EditError, UpdateError, leads};
use exit3_domain::access::{Action, Record};
use exit3_domain::edits::{Conflicts, FieldTexts};
use exit3_domain::leads::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus, RESOURCE};
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Version;
use i18n_embed_fl::fl;

use super::{LIST, address, find};
use crate::Admin;
use crate::choices::choices;
use crate::deleted::absent;
use crate::errors::PageError;
use crate::fields::{Field, Fields, Kind, edit_of, is_merged, values};
use crate::form::Form;
use crate::form_page::{self, Heading};
use crate::page::see_other;
use crate::team::Team;
use crate::visit::Member;

/// What the form of a lead is made of.
const FIELDS: &[Field] = &[
    Field::text("full_name", 255).required(),
    Field::text("position", 255).required(),
    Field::text("company_name", 255),
    Field::text("email", 254).typed_as(Kind::Email),
    Field::text("phone_number", 30).typed_as(Kind::Phone),
    Field::choice("source").required(),
    Field::choice("category").required(),
    Field::choice("status").required(),
    Field::choice("owner"),
    Field::text("next_step", 255),
    Field::text("next_step_at", 10).typed_as(Kind::Day),
    Field::text("notes", 5000).typed_as(Kind::Lines),
];

/// What a form page is made of.
#[derive(Default)]
struct Shown<'a> {
    /// The lead; `None` for a new one.
    lead: Option<&'a Lead>,
    /// What was sent, if the form is shown again.
    sent: Option<&'a Form>,
    invalid: Option<&'a Invalid>,
    conflicts: Option<&'a Conflicts>,
}

async fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    shown: Shown<'_>,
) -> Result<HttpResponse, PageError> {
    let Shown { lead, sent, invalid, conflicts } = shown;
    let (texts, team) = (member.visit.texts, Team::load(admin).await?);
    let heading = match lead {
        Some(lead) => {
            let (name, there) = (lead.details.full_name.clone(), address(lead.id));
            Heading {
                resource: "leads",
                title: name.clone(),
                action: format!("{there}edit/"),
                back: there,
                back_text: name,
            }
        }
        None => Heading {
            resource: "leads",
            title: fl!(texts, "lead-new"),
            action: format!("{LIST}new/"),
            back: LIST.to_owned(),
            back_text: fl!(texts, "menu-leads"),
        },
    };
    let choices = |name: &str, value: &str| match name {
        "source" => choices(texts, name, LeadSource::WORDS, value),
        "category" => choices(texts, name, LeadCategory::WORDS, value),
        "status" => choices(texts, name, LeadStatus::WORDS, value),
        "owner" => team.choices(value),
        _ => Vec::new(),
    };
    let fields = Fields { fields: FIELDS, usual: &usual, choices: &choices };
    let stored = lead.map(|lead| (FieldTexts::of(lead), Version::of(lead)));
    let shown = form_page::Shown { stored, sent, invalid, conflicts };
    form_page::show(admin, request, member, heading, &fields, shown)
}

/// The value of a field in a blank form.
fn usual(name: &str) -> String {
    let word = match name {
        "source" => LeadSource::Other.as_str(),
        "status" => LeadStatus::New.as_str(),
        "category" => LeadCategory::WebDev.as_str(),
        _ => "",
    };
    word.to_owned()
}

/// What saving a form came to.
pub(super) enum Saved {
    /// The lead as it is stored now, and whether changes of others were merged.
    Lead(Box<Lead>, bool),
    /// The page that shows why it was not saved.
    Page(HttpResponse),
}

/// Saves some or all fields of a lead. If that fails, the whole form is shown, with what was sent.
pub(super) async fn save_fields(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    lead: &Lead,
    form: &Form,
) -> Result<Saved, PageError> {
    let edit = edit_of(FIELDS, form, &FieldTexts::of(lead));
    let (sent, before) = (edit.clone(), Version::of(lead));
    let shown = match leads::edit(&admin.app, lead.id, edit, &member.doer()).await {
        Ok(lead) => {
            let is_merged = is_merged(&sent, &before, &FieldTexts::of(&lead));
            return Ok(Saved::Lead(Box::new(lead), is_merged));
        }
        Err(EditError::Forbidden(_)) => return Err(PageError::Forbidden),
        Err(EditError::NotFound) => return Err(absent(admin, RESOURCE, lead.id.0).await?),
        Err(EditError::Contended) => return Err(UpdateError::Contended.into()),
        Err(EditError::Store(error)) => return Err(error.into()),
        Err(EditError::Invalid(invalid)) => {
            let shown = Shown {
                lead: Some(lead),
                sent: Some(form),
                invalid: Some(&invalid),
                ..Shown::default()
            };
            show(admin, request, member, shown).await?
        }
        Err(EditError::Conflicts(conflicts)) => {
            // It may have changed again since the form was sent.
            let lead = find(admin, &lead.id.0.to_string()).await?;
            let (sent, conflicts) = (Some(form), Some(&conflicts));
            let shown = Shown { lead: Some(&lead), sent, conflicts, ..Shown::default() };
            show(admin, request, member, shown).await?
        }
    };
    Ok(Saved::Page(shown))
}

pub(super) async fn blank(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, Record::Lead(None))?;
    show(&admin, &request, &member, Shown::default()).await
}

pub(super) async fn create(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, Record::Lead(None))?;
    let again = Shown { sent: Some(&form), ..Shown::default() };
    if member.visit.refills {
        return show(&admin, &request, &member, again).await;
    }
    let sending = admin.begin(request.path(), &form, RESOURCE).await?;
    if let Some(made) = &sending.made {
        return Ok(see_other(&format!("{}?done=lead-created", address(LeadId(made.id)))));
    }
    let doer = member.sender(&sending.batch);
    match leads::create_by_staff(&admin.app, values(FIELDS, &form), &doer).await {
        Ok(lead) => Ok(see_other(&format!("{}?done=lead-created", address(lead.id)))),
        Err(EditError::Invalid(invalid)) => {
            let shown = Shown { invalid: Some(&invalid), ..again };
            show(&admin, &request, &member, shown).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn form(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let lead = find(&admin, &id).await?;
    member.check(Action::Edit, Record::Lead(lead.work.owner))?;
    show(&admin, &request, &member, Shown { lead: Some(&lead), ..Shown::default() }).await
}

pub(super) async fn save(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let lead = find(&admin, &id).await?;
    if member.visit.refills {
        member.check(Action::Edit, Record::Lead(lead.work.owner))?;
        let shown = Shown { lead: Some(&lead), sent: Some(&form), ..Shown::default() };
        return show(&admin, &request, &member, shown).await;
    }
    match save_fields(&admin, &request, &member, &lead, &form).await? {
        Saved::Lead(lead, is_merged) => {
            let done = if is_merged { "lead-merged" } else { "lead-saved" };
            Ok(see_other(&format!("{}?done={done}", address(lead.id))))
        }
        Saved::Page(page) => Ok(page),
    }
}
