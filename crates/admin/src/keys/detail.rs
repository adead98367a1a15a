//! The page of a key, and its revocation.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::api_keys;
use exit3_domain::access::{Action, Record};
use exit3_domain::api_keys::{ApiKey, ApiKeyId, WhichKeys};
use exit3_web::path;
use i18n_embed_fl::fl;

use super::{address, kind, state};
use crate::errors::PageError;
use crate::page::{page, see_other};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, format};

#[derive(Template)]
#[template(path = "keys/detail.html")]
struct DetailPage {
    shell: Shell,
    id: i64,
    name: String,
    address: String,
    facts: Vec<(String, String)>,
    is_revoked: bool,
    /// Whether the page asks if the key shall be revoked.
    is_asking: bool,
    who: i64,
}

async fn find(admin: &Admin, member: &Member, id: &str) -> Result<ApiKey, PageError> {
    Ok(api_keys::find(&admin.app, ApiKeyId(path::id(id)?), &member.doer()).await?)
}

fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    key: &ApiKey,
    is_asking: bool,
) -> Result<HttpResponse, PageError> {
    let (texts, draft) = (member.visit.texts, &key.draft);
    let time = |at: Option<_>| at.map(format::moment).unwrap_or_default();
    let facts = vec![
        (fl!(texts, "key-state"), state(texts, key, admin.app.clock.now()).1),
        (fl!(texts, "key-kind"), kind(texts, key)),
        (fl!(texts, "key-prefix"), key.prefix.to_string()),
        (fl!(texts, "field-scopes"), draft.scopes.to_string()),
        (fl!(texts, "field-origins"), draft.origins.join(" ")),
        (fl!(texts, "field-rate"), draft.rate.map(|rate| rate.to_string()).unwrap_or_default()),
        (
            fl!(texts, "key-visitors"),
            if draft.forwards_visitors { fl!(texts, "field-forwards") } else { String::new() },
        ),
        (fl!(texts, "key-made"), format::moment(key.created_at)),
        (fl!(texts, "key-used"), time(key.last_used_at)),
        (fl!(texts, "key-ends"), time(draft.expires_at)),
        (fl!(texts, "key-revoked"), time(key.revoked_at)),
    ];
    let template = DetailPage {
        shell: Shell::of(&member.visit, "keys"),
        id: key.id.0,
        name: draft.name.clone(),
        address: address(key.id),
        facts,
        is_revoked: key.revoked_at.is_some(),
        is_asking,
        who: member.who.staff.id.0,
    };
    page(request, &template)
}

pub(super) async fn detail(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let key = find(&admin, &member, &id).await?;
    show(&admin, &request, &member, &key, false)
}

/// Asks whether the key shall be revoked.
pub(super) async fn ask(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Edit, Record::ApiKey)?;
    let key = find(&admin, &member, &id).await?;
    show(&admin, &request, &member, &key, key.revoked_at.is_none())
}

pub(super) async fn revoke(
    admin: Data<Admin>,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let key = find(&admin, &member, &id).await?;
    // A second click finds the key revoked, which is what it asks for.
    api_keys::revoke(&admin.app, &WhichKeys::One(key.id), &member.doer()).await?;
    Ok(see_other(&format!("{}?done=key-revoked", address(key.id))))
}
