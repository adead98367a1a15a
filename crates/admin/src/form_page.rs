//! The page of a form: a new row, or an existing one. If the form is refused, the page shows what was
//! sent. If somebody else has changed the same fields, it shows both.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_domain::edits::{Conflicts, FieldTexts};
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Version;
use exit3_web::ApiError;
use i18n_embed_fl::fl;

use crate::Admin;
use crate::errors::PageError;
use crate::fields::{Fields, Kind, ShownField, base_of, is_touched};
use crate::form::Form;
use crate::format::violations_by_field;
use crate::i18n::say;
use crate::page::{instead_of_page, page_with};
use crate::shell::Shell;
use crate::visit::Member;

#[derive(Template)]
#[template(path = "form.html")]
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
    fields: Vec<ShownField>,
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

/// Where a form is, and where it leads.
pub struct Heading {
    /// The name of its [`Pages`](crate::Pages), such as `leads`.
    pub resource: &'static str,
    /// The title.
    pub title: String,
    /// Where the form is sent.
    pub action: String,
    /// Where *cancel* leads.
    pub back: String,
    /// The text of the link back.
    pub back_text: String,
}

/// What a form shows.
#[derive(Default)]
pub struct Shown<'a> {
    /// The stored row; `None` for a new one.
    pub stored: Option<(FieldTexts, Version)>,
    /// What was sent, if the form is shown again.
    pub sent: Option<&'a Form>,
    /// Why it was refused. The sentence about a rule is the text `rule-<field>-<code>` or `rule-<code>`,
    /// or that of the API.
    pub invalid: Option<&'a Invalid>,
    /// What others changed meanwhile.
    pub conflicts: Option<&'a Conflicts>,
}

/// Renders a form. It contains a `_token`, by which [`Admin::begin`] knows a second sending, and all that is
/// needed to show it again after a sign-in.
pub fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    heading: Heading,
    form: &Fields<'_>,
    shown: Shown<'_>,
) -> Result<HttpResponse, PageError> {
    let Shown { stored, sent, invalid, conflicts } = shown;
    let texts = member.visit.texts;
    let value = |name: &str| {
        let stored = stored.as_ref().and_then(|(stored, _)| stored.get(name));
        // After a conflict, a field that the person did not touch shows what is stored now.
        let is_untouched =
            |sent: &&Form| conflicts.is_some() && !is_touched(form.fields, sent, name);
        let sent = sent.filter(|sent| !is_untouched(sent)).and_then(|sent| sent.given(name));
        sent.or(stored).map_or_else(|| (form.usual)(name), str::to_owned)
    };
    let mut fields = form.shown(texts, value, invalid);
    let both = conflicts.map(|conflicts| conflicts.fields.as_slice()).unwrap_or_default();
    fields.retain(|field| both.iter().all(|conflict| conflict.field != field.name));
    let text = |field: &str, value: &str| form.readable(texts, field, value);
    let versions = both.iter().map(|conflict| Versions {
        field: conflict.field,
        label: say(texts, "field", conflict.field),
        yours: conflict.yours.clone(),
        yours_text: text(conflict.field, &conflict.yours),
        theirs: conflict.theirs.clone(),
        theirs_text: text(conflict.field, &conflict.theirs),
        original_text: conflict.original.as_deref().map(|value| text(conflict.field, value)),
    });
    // A form that is shown again after a conflict starts from what is stored now. After an error, it
    // starts from what it was first rendered with.
    let earlier = sent.filter(|_| conflicts.is_none());
    let template = FormPage {
        shell: Shell::of(&member.visit, heading.resource),
        title: heading.title,
        action: heading.action,
        back: heading.back,
        back_text: heading.back_text,
        errors: invalid.map(|invalid| violations_by_field(texts, invalid)).unwrap_or_default(),
        is_refilled: member.visit.refills,
        who: member.who.staff.id.0,
        token: sent.map_or_else(|| admin.new_token(), |form| form.text("_token").to_owned()),
        version: match (earlier, &stored) {
            (Some(form), _) => form.text("_version").to_owned(),
            (None, Some((_, version))) => version.as_str().to_owned(),
            (None, None) => String::new(),
        },
        base: match (earlier, &stored) {
            (Some(form), Some((stored, _))) => base_of(form, stored),
            (None, Some((stored, _))) => {
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
