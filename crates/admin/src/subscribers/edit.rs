//! The form of a subscriber, and the button that ends or renews a subscription.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::{EditError, UpdateError, subscribers};
use exit3_domain::access::{Action, Record};
use exit3_domain::edits::{Conflicts, FieldTexts};
use exit3_domain::subscribers::{RESOURCE, Subscriber};
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Version;

use super::{LIST, address, find};
use crate::Admin;
use crate::choices::choices;
use crate::deleted::absent;
use crate::errors::PageError;
use crate::fields::{Field, Fields, Kind, edit_of, is_merged};
use crate::form::Form;
use crate::form_page::{self, Heading, Shown};
use crate::page::{own_path, see_other};
use crate::visit::Member;

/// What the form of a subscriber is made of.
const FIELDS: &[Field] = &[
    Field::text("email", 254).typed_as(Kind::Email).required(),
    Field::choice("is_subscribed").required(),
];

fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    subscriber: &Subscriber,
    (sent, invalid, conflicts): (Option<&Form>, Option<&Invalid>, Option<&Conflicts>),
) -> Result<HttpResponse, PageError> {
    let texts = member.visit.texts;
    let there = address(subscriber.id);
    let heading = Heading {
        resource: "subscribers",
        title: subscriber.email.clone(),
        action: format!("{there}edit/"),
        back: there,
        back_text: subscriber.email.clone(),
    };
    let choices = |_: &str, value: &str| choices(texts, "subscribed", &["true", "false"], value);
    let fields = Fields { fields: FIELDS, usual: &|_| String::new(), choices: &choices };
    let stored = Some((FieldTexts::of(subscriber), Version::of(subscriber)));
    let shown = Shown { stored, sent, invalid, conflicts };
    form_page::show(admin, request, member, heading, &fields, shown)
}

/// Saves some or all fields of a subscriber. Returns the subscriber as it is stored now, and whether
/// changes of others were merged, or the page that shows why it was not saved.
async fn save_fields(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    subscriber: &Subscriber,
    form: &Form,
) -> Result<Result<(Subscriber, bool), HttpResponse>, PageError> {
    let edit = edit_of(FIELDS, form, &FieldTexts::of(subscriber));
    let (sent, before) = (edit.clone(), Version::of(subscriber));
    match subscribers::edit(&admin.app, subscriber.id, edit, &member.doer()).await {
        Ok(subscriber) => {
            let is_merged = is_merged(&sent, &before, &FieldTexts::of(&subscriber));
            Ok(Ok((subscriber, is_merged)))
        }
        Err(EditError::NotFound) => Err(absent(admin, RESOURCE, subscriber.id.0).await?),
        Err(EditError::Contended) => Err(UpdateError::Contended.into()),
        Err(EditError::Invalid(invalid)) => {
            let again = (Some(form), Some(&invalid), None);
            Ok(Err(show(admin, request, member, subscriber, again)?))
        }
        Err(EditError::Conflicts(conflicts)) => {
            // It may have changed again since the form was sent.
            let subscriber = find(admin, &subscriber.id.0.to_string()).await?;
            let again = (Some(form), None, Some(&conflicts));
            Ok(Err(show(admin, request, member, &subscriber, again)?))
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
    member.check(Action::Edit, Record::Subscriber)?;
    let subscriber = find(&admin, &id).await?;
    show(&admin, &request, &member, &subscriber, (None, None, None))
}

pub(super) async fn save(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let subscriber = find(&admin, &id).await?;
    if member.visit.refills {
        member.check(Action::Edit, Record::Subscriber)?;
        return show(&admin, &request, &member, &subscriber, (Some(&form), None, None));
    }
    match save_fields(&admin, &request, &member, &subscriber, &form).await? {
        Ok((subscriber, is_merged)) => {
            let done = if is_merged { "merged" } else { "subscriber-saved" };
            Ok(see_other(&format!("{}?done={done}", address(subscriber.id))))
        }
        Err(page) => Ok(page),
    }
}

/// Ends or renews a subscription.
pub(super) async fn save_row(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let subscriber = find(&admin, &id).await?;
    match save_fields(&admin, &request, &member, &subscriber, &form).await? {
        Ok((subscriber, _)) => {
            let done = if subscriber.is_subscribed { "subscribed" } else { "unsubscribed" };
            let back = own_path(form.text("_back")).unwrap_or(LIST);
            let mark = if back.contains('?') { '&' } else { '?' };
            Ok(see_other(&format!("{back}{mark}done={done}")))
        }
        Err(page) => Ok(page),
    }
}
