//! The forms of a lead: a new one, and an existing one.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::leads;
use exit3_app::{EditError, UpdateError};
use exit3_domain::access::{Action, Record};
use exit3_domain::edits::{Conflicts, Edit, FieldTexts};
use exit3_domain::leads::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus};
use exit3_domain::raw::RawValue;
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Version;
use exit3_web::ApiError;
use i18n_embed_fl::fl;

use super::fields::{FormField, Kind, Team, day, form_fields};
use super::{LIST, address, find};
use crate::Admin;
use crate::errors::PageError;
use crate::form::Form;
use crate::format::violations_by_field;
use crate::i18n::{Texts, say};
use crate::page::{instead_of_page, page_with, see_other};
use crate::shell::Shell;
use crate::visit::Member;

#[derive(Template)]
#[template(path = "leads/form.html")]
struct FormPage {
    shell: Shell,
    title: String,
    /// Where the form is sent.
    action: String,
    back: String,
    back_text: String,
    /// All errors: the field, or an empty text for the form as a whole, and the sentence.
    errors: Vec<(&'static str, String)>,
    is_refilled: bool,
    who: i64,
    token: String,
    version: String,
    /// The texts that the form was rendered with.
    base: Vec<(&'static str, String)>,
    conflicts: Vec<Versions>,
    fields: Vec<FormField>,
}

/// A field that two people changed differently, as the form shows it.
struct Versions {
    field: &'static str,
    label: String,
    yours: String,
    yours_text: String,
    theirs: String,
    theirs_text: String,
    original_text: Option<String>,
}

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
    let stored = lead.map(FieldTexts::of);
    let value = |name: &str| {
        let stored = stored.as_ref().and_then(|stored| stored.get(name));
        // After a conflict, a field that the person did not touch shows what is stored now.
        let is_untouched = |form: &&Form| conflicts.is_some() && !is_touched(form, name);
        let sent = sent.filter(|form| !is_untouched(form)).and_then(|form| form.given(name));
        sent.or(stored).unwrap_or(usual(name)).to_owned()
    };
    let mut fields = form_fields(texts, &team, value, invalid);
    let both = conflicts.map(|conflicts| conflicts.fields.as_slice()).unwrap_or_default();
    fields.retain(|field| both.iter().all(|conflict| conflict.field != field.name));
    let text = |field: &str, value: &str| readable(texts, &team, field, value);
    let versions = both.iter().map(|conflict| Versions {
        field: conflict.field,
        label: say(texts, "field", conflict.field),
        yours: conflict.yours.clone(),
        yours_text: text(conflict.field, &conflict.yours),
        theirs: conflict.theirs.clone(),
        theirs_text: text(conflict.field, &conflict.theirs),
        original_text: conflict.original.as_deref().map(|value| text(conflict.field, value)),
    });
    let (title, back, action) = match lead {
        Some(lead) => {
            let there = address(lead.id);
            (lead.details.full_name.clone(), there.clone(), format!("{there}edit/"))
        }
        None => (fl!(texts, "lead-new"), LIST.to_owned(), format!("{LIST}new/")),
    };
    // A form that is shown again after a conflict starts from what is stored now. After an error, it
    // starts from what it was first rendered with.
    let earlier = sent.filter(|_| conflicts.is_none());
    let template = FormPage {
        shell: Shell::of(&member.visit, "leads"),
        back_text: lead.map_or_else(|| fl!(texts, "menu-leads"), |_| title.clone()),
        title,
        action,
        back,
        errors: invalid.map(|invalid| violations_by_field(texts, invalid)).unwrap_or_default(),
        is_refilled: member.visit.refills,
        who: member.who.staff.id.0,
        token: sent.map_or_else(|| admin.new_token(), |form| form.text("_token").to_owned()),
        version: match earlier {
            Some(form) => form.text("_version").to_owned(),
            None => lead.map(|lead| Version::of(lead).as_str().to_owned()).unwrap_or_default(),
        },
        base: match (earlier, &stored) {
            (Some(form), Some(stored)) => base_of(form, stored),
            (None, Some(stored)) => {
                stored.iter().map(|(name, text)| (name, text.to_owned())).collect()
            }
            _ => Vec::new(),
        },
        conflicts: versions.collect(),
        fields,
    };
    let error = match (invalid, conflicts) {
        (Some(invalid), _) => Some(ApiError::from(invalid.clone())),
        (_, Some(_)) => Some(ApiError::conflict()),
        _ => None,
    };
    Ok(instead_of_page(request, page_with(request, error.as_ref(), &template)?))
}

/// Whether a field of a form differs from what the form was rendered with.
fn is_touched(form: &Form, name: &str) -> bool {
    let base = form.given(&format!("_base_{name}")).unwrap_or_default();
    let base = if name == "next_step_at" { day(base) } else { base.replace("\r\n", "\n") };
    form.given(name).is_some_and(|text| text.replace("\r\n", "\n") != base)
}

/// The value of a field in a blank form.
fn usual(name: &str) -> &'static str {
    match name {
        "source" => LeadSource::Other.as_str(),
        "status" => LeadStatus::New.as_str(),
        "category" => LeadCategory::WebDev.as_str(),
        _ => "",
    }
}

/// A stored text as people read it.
fn readable(texts: Texts, team: &Team, field: &str, value: &str) -> String {
    match field {
        _ if value.is_empty() => fl!(texts, "nothing"),
        "source" | "status" | "category" => say(texts, field, value),
        "owner" => {
            let id = value.parse().ok().map(exit3_domain::staff::StaffId);
            id.and_then(|id| team.name(id)).unwrap_or_else(|| format!("#{value}"))
        }
        "next_step_at" => day(value),
        _ => value.to_owned(),
    }
}

/// The texts that a form was rendered with.
fn base_of(form: &Form, stored: &FieldTexts) -> Vec<(&'static str, String)> {
    let sent = |name: &'static str| {
        let text = form.given(&format!("_base_{name}"))?;
        Some((name, text.to_owned()))
    };
    stored.iter().filter_map(|(name, _)| sent(name)).collect()
}

/// The fields of a form for the use case. A day becomes its first moment; if it is still the day
/// that the form was rendered with, the time of day is kept.
fn values(form: &Form) -> Vec<(String, RawValue)> {
    let mut values = form.raw();
    for (name, value) in &mut values {
        if name == "next_step_at"
            && let RawValue::Text(text) = value
        {
            let base = form.given("_base_next_step_at").unwrap_or_default();
            *text = match text.trim() {
                same if !base.is_empty() && same == day(base) => base.to_owned(),
                day if day.len() == 10 => format!("{day}T00:00:00Z"),
                other => other.to_owned(),
            };
        }
    }
    values
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
    let base = base_of(form, &FieldTexts::of(lead));
    let edit = Edit {
        version: Version::named(form.text("_version")),
        base: base.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        values: values(form),
    };
    let is_merged = edit.version != Version::of(lead);
    let shown = match leads::edit(&admin.app, lead.id, edit, &member.doer()).await {
        Ok(lead) => return Ok(Saved::Lead(Box::new(lead), is_merged)),
        Err(EditError::Forbidden(_)) => return Err(PageError::Forbidden),
        Err(EditError::NotFound) => return Err(super::absent(admin, lead.id).await?),
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
    let sending = admin.begin(request.path(), &form).await?;
    if let Some(made) = &sending.made {
        return Ok(see_other(&format!("{}?done=lead-created", address(LeadId(made.id)))));
    }
    let doer = member.sender(&sending.batch);
    match leads::create_by_staff(&admin.app, values(&form), &doer).await {
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
