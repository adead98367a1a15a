//! The gate: every request to the back office passes it first. It checks the network, refuses
//! forged requests, reads the form, and finds out who is signed in. It renders errors as pages.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use exit3_app::modules::{self, Switch};
use exit3_app::sign_ins::{self, SignedIn};
use exit3_domain::sign_ins::SecretToken;
use exit3_web::{ApiError, Gated, Peer, body, current_request, hosts, policy_of};

use crate::door::{self, Attempt};
use crate::error_page::render;
use crate::errors::PageError;
use crate::form::Form;
use crate::visit::Visit;
use crate::{Admin, BASE, cookie, forged};

type Answer = Result<ServiceResponse<Gated>, actix_web::Error>;

/// Lets everybody from an allowed network through.
pub(crate) async fn visitors(request: ServiceRequest, next: Next<Gated>) -> Answer {
    pass(request, next, false, None).await
}

/// Lets those through who are signed in, and shows the sign-in page to others.
pub(crate) async fn members(request: ServiceRequest, next: Next<Gated>) -> Answer {
    pass(request, next, true, None).await
}

/// The same, while the module of the page is on.
pub(crate) async fn members_while_on(
    request: ServiceRequest,
    next: Next<Gated>,
    switch: Option<&'static Switch>,
) -> Answer {
    pass(request, next, true, switch).await
}

async fn pass(
    request: ServiceRequest,
    next: Next<Gated>,
    members_only: bool,
    switch: Option<&'static Switch>,
) -> Answer {
    let peer = Peer::of(&request);
    let address = peer.visitor(&request);
    let (http, mut payload) = request.into_parts();
    let admin = http.app_data::<Data<Admin>>().cloned().ok_or_else(ApiError::internal)?;
    // The handler reads a file piece by piece.
    let rest = policy_of(&http).is_streamed.then(|| payload.take());
    let payload = Payload::from_request(&http, &mut payload).await?;
    let stranger = Visit::of(&http, admin.settings.offer, None, peer.https, address);
    let mut form = Form::default();
    let entered = enter(&admin, &http, payload, &stranger, &mut form, members_only);
    let (visit, fresh) = match entered.await {
        Ok(Entered::Through { visit, fresh }) => (visit, fresh),
        Ok(Entered::Answered(response)) => {
            return Ok(ServiceResponse::new(http, response).map_into_right_body());
        }
        Err(error) => {
            let response = render(&http, &stranger, &error, &form);
            return Ok(ServiceResponse::new(http, response).map_into_right_body());
        }
    };
    if let Some(switch) = switch.filter(|switch| !switch.is_on()) {
        let response = render(&http, &visit, &PageError::Off(switch.module()), &form);
        return Ok(ServiceResponse::new(http, response).map_into_right_body());
    }
    http.extensions_mut().insert(visit.clone());
    http.extensions_mut().insert(form.clone());
    let rest = rest.unwrap_or(actix_web::dev::Payload::None);
    let answer = next.call(ServiceRequest::from_parts(http, rest));
    let response = modules::within(switch, answer).await?;
    let mut response = in_our_words(response, &visit, &form);
    if let Some(token) = fresh {
        let cookie = cookie::keep(token.expose().to_owned(), visit.https).to_string();
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

/// Where the gate led.
enum Entered {
    /// To the page. `fresh` is the token of a sign-in that has just been made.
    Through { visit: Visit, fresh: Option<SecretToken> },
    /// To another response.
    Answered(HttpResponse),
}

async fn enter(
    admin: &Admin,
    request: &HttpRequest,
    payload: Payload,
    stranger: &Visit,
    form: &mut Form,
    members_only: bool,
) -> Result<Entered, PageError> {
    let networks = &admin.settings.networks;
    if !networks.is_empty() && !networks.iter().any(|network| network.contains(&stranger.address)) {
        return Err(PageError::Forbidden);
    }
    let host = hosts::host(request);
    if forged::is_forged(request.method(), request.headers(), host.as_deref()) {
        return Err(PageError::Forbidden);
    }
    let is_streamed = policy_of(request).is_streamed;
    if !request.method().is_safe() && !is_streamed {
        *form = Form::of(body::read(request, payload).await?);
    }
    // Files are the same for everybody, and are served while the database is away.
    let is_asset =
        request.path().strip_prefix(BASE).is_some_and(|path| path.starts_with("assets/"));
    let who = match cookie::token(request, stranger.https).filter(|_| !is_asset) {
        Some(token) => sign_ins::signed_in(&admin.app, &token).await?,
        None => None,
    };
    let is_known = who.is_some();
    let visit_of = |who| Visit::of(request, stranger.offer, who, stranger.https, stranger.address);
    let mut visit = visit_of(who.map(Arc::new));
    if is_known || !members_only {
        return Ok(Entered::Through { visit, fresh: None });
    }
    // A file cannot be kept in a page.
    if request.method().is_safe() || is_streamed {
        return Ok(Entered::Answered(door::lead_to_sign_in(request)));
    }
    // A form was sent, but the sign-in has ended meanwhile. The page that asks for the password
    // holds the form.
    let Some((username, password)) = form.given("_username").zip(form.given("_password")) else {
        return Ok(Entered::Answered(door::ask_again(request, &visit, form, Attempt::Expired)?));
    };
    let device = stranger.device(request);
    match sign_ins::sign_in(&admin.app, username, password, &device, current_request()).await {
        Ok((token, who)) if is_same_person(form, &who) => {
            visit = visit_of(Some(Arc::new(who)));
            if form.has("_form") {
                visit.refills = true;
                return Ok(Entered::Through { visit, fresh: Some(token) });
            }
            let mut response = door::confirm(request, &visit, form)?;
            cookie::add(&mut response, &token, visit.https);
            Ok(Entered::Answered(response))
        }
        Ok((token, _)) => {
            let mut response = crate::page::see_other(crate::BASE);
            cookie::add(&mut response, &token, stranger.https);
            Ok(Entered::Answered(response))
        }
        Err(error) => {
            let attempt = Attempt::try_from(error)?;
            Ok(Entered::Answered(door::ask_again(request, &visit, form, attempt)?))
        }
    }
}

/// Whether the form was rendered for this person. Another person must not carry it out.
fn is_same_person(form: &Form, who: &SignedIn) -> bool {
    form.text("_who") == who.staff.id.0.to_string()
}

/// Replaces an error with a page in the person's language.
fn in_our_words(
    response: ServiceResponse<Gated>,
    visit: &Visit,
    form: &Form,
) -> ServiceResponse<Gated> {
    let error = response.response().error().and_then(|error| {
        let own = error.as_error::<PageError>().cloned();
        own.or_else(|| error.as_error::<ApiError>().cloned().map(PageError::Api))
    });
    let Some(error) = error else { return response };
    let (request, _) = response.into_parts();
    let page: HttpResponse<BoxBody> = render(&request, visit, &error, form);
    ServiceResponse::new(request, page).map_into_right_body()
}
