//! My account: password, language, theme, keys, and the list of sign-ins.

use actix_web::http::Method;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::sign_ins::{self, PasswordError};
use exit3_domain::access::Record;
use exit3_domain::sign_ins::{SignIn, SignInId};
use exit3_domain::staff::{Language, Preferences, Theme};
use exit3_web::{ApiError, Endpoint, path};
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::form::Form;
use crate::format::{self, violations};
use crate::page::{page_with, see_other};
use crate::resource::{Menu, Pages};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, BASE, cookie};

/// My account.
pub(crate) const PAGES: Pages = Pages {
    name: "account",
    menu: Some(Menu { path: "account/", icon: "settings", key: "g a", reads: Record::OwnAccount }),
    endpoints,
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("account/").route(Method::GET, account),
        Endpoint::new("account/preferences/").route(Method::POST, preferences),
        Endpoint::new("account/password/").route(Method::POST, password),
        Endpoint::new("account/sign-ins/end-others/").route(Method::POST, end_others),
        Endpoint::new("account/sign-ins/{id}/end/").route(Method::POST, end),
        Endpoint::new("sign-out/").route(Method::POST, sign_out),
    ]
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
    username: String,
    language: &'static str,
    theme: &'static str,
    keys: bool,
    wrong: Vec<String>,
    places: Vec<Row>,
}

/// One sign-in of the list.
struct Row {
    id: i64,
    agent: String,
    address: String,
    began: String,
    began_machine: String,
    seen: String,
    is_this: bool,
}

async fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    wrong: Vec<String>,
) -> Result<HttpResponse, PageError> {
    let (texts, now) = (member.visit.texts, admin.app.clock.now());
    let found = sign_ins::list(&admin.app, &member.who).await?;
    let row = |sign_in: SignIn| Row {
        id: sign_in.id.0,
        agent: browser(&sign_in.agent).unwrap_or_else(|| fl!(texts, "agent-unknown")),
        address: sign_in.address.clone(),
        began: format::moment(sign_in.created_at),
        began_machine: format::machine(sign_in.created_at),
        seen: format::age(texts, sign_in.seen_at, now),
        is_this: sign_in.id == member.who.sign_in.id,
    };
    let (staff, preferences) = (&member.who.staff, &member.who.staff.preferences);
    let error = wrong.first().map(|sentence| ApiError::bad_request(sentence.clone()));
    let template = AccountPage {
        shell: Shell::of(&member.visit, "account"),
        username: staff.profile.username.clone(),
        language: preferences.language.map_or("", Language::as_str),
        theme: preferences.theme.map_or("", Theme::as_str),
        keys: preferences.single_keys,
        wrong,
        places: found.into_iter().map(row).collect(),
    };
    page_with(request, error.as_ref(), &template)
}

/// A short name of a browser and its system, from its `User-Agent`.
fn browser(agent: &str) -> Option<String> {
    let first = |names: &[(&str, &'static str)]| {
        names.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name)
    };
    // The order matters: Edge and Opera also name Chrome, and all of them name Safari.
    let program = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => Some(format!("{program}, {system}")),
        (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => None,
    }
}

async fn account(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    show(&admin, &request, &member, Vec::new()).await
}

async fn preferences(
    admin: Data<Admin>,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let chosen = Preferences {
        language: Language::from_word(form.text("language")),
        theme: Theme::from_word(form.text("theme")),
        single_keys: form.has("keys"),
    };
    sign_ins::set_preferences(&admin.app, &member.who, &chosen, &member.doer()).await?;
    Ok(see_other(&format!("{BASE}account/?done=saved")))
}

async fn password(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let given = |name| form.given(name).unwrap_or_default();
    let texts = member.visit.texts;
    let (old, new) = (given("password_old"), given("password_new"));
    let device = member.visit.device(&request);
    let doer = member.doer();
    let changed = sign_ins::change_password(&admin.app, &member.who, old, new, &device, &doer);
    let wrong = match changed.await {
        Ok(()) => return Ok(see_other(&format!("{BASE}account/?done=password"))),
        Err(PasswordError::Throttled(_)) => vec![fl!(texts, "password-too-many")],
        Err(PasswordError::Invalid(invalid)) => violations(texts, &invalid),
        Err(PasswordError::Contended) => vec![fl!(texts, "password-meanwhile")],
        Err(PasswordError::Store(error)) => return Err(error.into()),
    };
    show(&admin, &request, &member, wrong).await
}

async fn end(
    admin: Data<Admin>,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    sign_ins::end_one(&admin.app, &member.who, SignInId(path::id(&id)?), &member.doer()).await?;
    Ok(see_other(&format!("{BASE}account/?done=ended")))
}

async fn end_others(admin: Data<Admin>, member: Member) -> Result<HttpResponse, PageError> {
    sign_ins::end_others(&admin.app, &member.who, &member.doer()).await?;
    Ok(see_other(&format!("{BASE}account/?done=ended")))
}

async fn sign_out(admin: Data<Admin>, member: Member) -> Result<HttpResponse, PageError> {
    sign_ins::sign_out(&admin.app, &member.who, &member.doer()).await?;
    let mut response = see_other(&format!("{BASE}sign-in/"));
    let _ = response.add_cookie(&cookie::forget(member.visit.https));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        Some("Firefox, Linux")
    )]
    #[case(
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0",
        Some("Edge, Windows")
    )]
    #[case(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
        Some("Safari, iPhone")
    )]
    #[case("curl/8", None)]
    fn a_browser_is_named_shortly(#[case] agent: &str, #[case] name: Option<&str>) {
        assert_eq!(browser(agent).as_deref(), name);
    }
}
