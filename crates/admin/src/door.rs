//! The pages for those who are not signed in: the sign-in, and the page of an invitation.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::App;
use exit3_app::sign_ins::{self, SignInError};
use exit3_app::staff::{self, StaffError};
use exit3_domain::raw::RawValue;
use exit3_domain::staff::Staff;
use exit3_domain::validation::Invalid;
use exit3_ports::invitations::Invited;
use exit3_web::{ApiError, Endpoint, current_request};
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::form::Form;
use crate::format::violations;
use crate::page::{instead_of_page, is_partial, own_path, page, page_with, see_other};
use crate::shell::Shell;
use crate::visit::Visit;
use crate::{Admin, BASE, assets, cookie};

/// The pages that need no sign-in.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("sign-in/").route(Method::GET, ask).route(Method::POST, sign_in),
        Endpoint::new("invitation/{token}/")
            .route(Method::GET, invitation)
            .route(Method::POST, accept),
        Endpoint::new("assets/{name}").route(Method::GET, assets::serve),
    ]
}

/// Why the sign-in page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The person opened it.
    First,
    /// The sign-in ended, but a form was sent.
    Expired,
    /// Name or password are wrong.
    Wrong,
    /// There were too many wrong passwords.
    TooMany(Duration),
}

impl TryFrom<SignInError> for Attempt {
    type Error = PageError;

    fn try_from(error: SignInError) -> Result<Self, PageError> {
        match error {
            SignInError::Wrong => Ok(Self::Wrong),
            SignInError::Throttled(wait) => Ok(Self::TooMany(wait)),
            SignInError::Store(error) => Err(error.into()),
        }
    }
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    shell: Shell,
    address: String,
    next: String,
    username: String,
    message: Option<String>,
    /// The fields of the form that waits for the sign-in.
    kept: Vec<(String, String)>,
}

fn sign_in_page(
    request: &HttpRequest,
    visit: &Visit,
    address: &str,
    form: &Form,
    attempt: Attempt,
    kept: Vec<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (error, message) = match attempt {
        Attempt::First => (None, None),
        Attempt::Expired => {
            (Some(ApiError::unauthorized()), Some(fl!(visit.texts, "sign-in-expired")))
        }
        Attempt::Wrong => (Some(ApiError::unauthorized()), Some(fl!(visit.texts, "sign-in-wrong"))),
        Attempt::TooMany(wait) => {
            let minutes = wait.as_secs().div_ceil(60).max(1);
            let text = fl!(visit.texts, "sign-in-too-many", minutes = minutes);
            (Some(ApiError::throttled(wait)), Some(text))
        }
    };
    let template = SignInPage {
        shell: Shell::of(visit, ""),
        address: address.to_owned(),
        next: form.text("next").to_owned(),
        username: form.text("_username").to_owned(),
        message,
        kept,
    };
    page_with(request, error.as_ref(), &template)
}

/// Leads a browser to the sign-in page, and back to this page afterwards.
pub(crate) fn lead_to_sign_in(request: &HttpRequest) -> HttpResponse {
    let here = request.uri().path_and_query().map_or(BASE, |path| path.as_str());
    let mut query = form_urlencoded::Serializer::new(String::new());
    if here != BASE {
        query.append_pair("next", here);
    }
    let query = query.finish();
    let path = match query.as_str() {
        "" => format!("{BASE}sign-in/"),
        query => format!("{BASE}sign-in/?{query}"),
    };
    match is_partial(request) {
        // The script opens the page instead of putting it into this one.
        true => HttpResponse::Ok().insert_header(("HX-Redirect", path)).finish(),
        false => see_other(&path),
    }
}

/// Asks for the password of a person whose sign-in has ended, and keeps the form that was sent.
pub(crate) fn ask_again(
    request: &HttpRequest,
    visit: &Visit,
    form: &Form,
    attempt: Attempt,
) -> Result<HttpResponse, PageError> {
    let here = request.uri().path_and_query().map_or(BASE, |path| path.as_str());
    let response = sign_in_page(request, visit, here, form, attempt, form.kept())?;
    Ok(instead_of_page(request, response))
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    shell: Shell,
    address: String,
    kept: Vec<(String, String)>,
    shown: Vec<String>,
}

/// Asks whether a form shall be sent that waited for a sign-in.
pub(crate) fn confirm(
    request: &HttpRequest,
    visit: &Visit,
    form: &Form,
) -> Result<HttpResponse, PageError> {
    let address = request.uri().path_and_query().map_or(BASE, |path| path.as_str()).to_owned();
    let kept = form.kept();
    let shown = kept.iter().filter(|(name, value)| !name.starts_with('_') && !value.is_empty());
    let shown = shown.map(|(_, value)| value.clone()).collect();
    page(request, &ConfirmPage { shell: Shell::of(visit, ""), address, kept, shown })
}

async fn ask(request: HttpRequest, visit: Visit) -> Result<HttpResponse, PageError> {
    if visit.who.is_some() {
        return Ok(see_other(BASE));
    }
    let query = form_urlencoded::parse(request.query_string().as_bytes());
    let given = query.map(|(name, value)| (name.into_owned(), RawValue::Text(value.into_owned())));
    let form = Form::of(given.filter(|(name, _)| name == "next").collect());
    sign_in_page(&request, &visit, &format!("{BASE}sign-in/"), &form, Attempt::First, Vec::new())
}

async fn sign_in(
    admin: Data<Admin>,
    request: HttpRequest,
    visit: Visit,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let (username, password) =
        (form.text("_username"), form.given("_password").unwrap_or_default());
    let device = visit.device(&request);
    match sign_ins::sign_in(&admin.app, username, password, &device, current_request()).await {
        Ok((token, _)) => {
            // The sign-in before, if there was one, ends: the new token replaces its token.
            if let Some(before) = &visit.who {
                sign_ins::sign_out(&admin.app, before, &before.doer(current_request())).await?;
            }
            let mut response = see_other(own_path(form.text("next")).unwrap_or(BASE));
            cookie::add(&mut response, &token, visit.https);
            Ok(response)
        }
        Err(error) => {
            let (address, attempt) = (format!("{BASE}sign-in/"), Attempt::try_from(error)?);
            sign_in_page(&request, &visit, &address, &form, attempt, Vec::new())
        }
    }
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    shell: Shell,
    /// The name of the account; `None` for the page on which the first account is made.
    username: Option<String>,
    typed: String,
    wrong: Vec<String>,
}

fn invitation_page(
    request: &HttpRequest,
    visit: &Visit,
    invited: &Invited,
    typed: &str,
    invalid: Option<&Invalid>,
) -> Result<HttpResponse, PageError> {
    let template = InvitationPage {
        shell: Shell::of(visit, ""),
        username: match invited {
            Invited::FirstOwner => None,
            Invited::Person(staff) => Some(staff.profile.username.clone()),
        },
        typed: typed.to_owned(),
        wrong: invalid.map(|invalid| violations(visit.texts, invalid)).unwrap_or_default(),
    };
    page_with(request, invalid.cloned().map(ApiError::from).as_ref(), &template)
}

async fn invitation(
    admin: Data<Admin>,
    request: HttpRequest,
    visit: Visit,
    token: Path<String>,
) -> Result<HttpResponse, PageError> {
    let invited = staff::invited(&admin.app, &token).await?.ok_or_else(PageError::not_found)?;
    invitation_page(&request, &visit, &invited, "", None)
}

async fn accept(
    admin: Data<Admin>,
    request: HttpRequest,
    visit: Visit,
    token: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let invited = staff::invited(&admin.app, &token).await?.ok_or_else(PageError::not_found)?;
    let (username, password) = (form.text("username"), form.given("password").unwrap_or_default());
    match enter(&admin.app, &invited, &token, username, password).await {
        Ok(staff) => {
            let device = visit.device(&request);
            let begun = sign_ins::begin(&admin.app, &staff, &device, current_request()).await?;
            let mut response = see_other(BASE);
            cookie::add(&mut response, &begun.0, visit.https);
            Ok(response)
        }
        Err(StaffError::Invalid(invalid)) => {
            invitation_page(&request, &visit, &invited, username, Some(&invalid))
        }
        Err(error) => Err(error.into()),
    }
}

/// Uses the invitation. Returns the account, with its new password.
async fn enter(
    app: &App,
    invited: &Invited,
    token: &str,
    username: &str,
    password: &str,
) -> Result<Staff, StaffError> {
    match invited {
        Invited::FirstOwner => {
            staff::accept_as_owner(app, token, username, password, current_request()).await
        }
        Invited::Person(_) => staff::accept(app, token, password, current_request()).await,
    }
}
