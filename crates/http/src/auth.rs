//! Authentication, scopes and quotas, which every request for data passes first.

use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use exit3_app::App;
use exit3_app::api_keys::{Caller, KeyError, authenticate};
use exit3_app::modules;
use exit3_app::quotas::{self, Bill, Request};
use exit3_domain::api_keys::{Scope, TokenDigest};
use exit3_ports::Consistency;
use exit3_web::{ApiError, Peer, quotas::tell, subject};
use secrecy::{ExposeSecret, SecretString};

use crate::canaries::canary_of;
use crate::consistency;
use crate::resource::{Resource, Resources, Served};

/// The key in the settings, which has all scopes. Only its digest is kept.
#[derive(Clone)]
pub struct BasicKey {
    digest: TokenDigest,
}

impl BasicKey {
    /// Takes the key from the settings.
    pub fn new(key: &SecretString) -> Self {
        Self { digest: TokenDigest::of(key.expose_secret().as_bytes()) }
    }
}

/// Passes a request on only if its key has the scope and its quotas are not exhausted. Otherwise it
/// responds with 403 or 429, or with 400 for two `Authorization` headers. If the module of the
/// resource is off, it responds with 503. The handler finds the [`Caller`] in the extensions of the
/// request.
pub(crate) async fn admit<B: MessageBody>(
    served: &Served,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let (bill, verdict) = examine(served, &request).await;
    let mut response = match verdict {
        Ok(consistency) => {
            let answer = modules::within(served.switch, next.call(request));
            let mut response = consistency.run(answer).await?.map_into_left_body();
            consistency::tell(&consistency, response.headers_mut());
            response
        }
        Err(error) => request.error_response(error).map_into_right_body(),
    };
    tell(&bill, response.headers_mut());
    Ok(response)
}

async fn examine(
    served: &Served,
    request: &ServiceRequest,
) -> (Bill, Result<Consistency, ApiError>) {
    let Some(app) = request.app_data::<Data<App>>() else {
        return (Bill::default(), Err(ApiError::internal()));
    };
    let peer = Peer::of(request);
    let scope = served.resource.scope(request.method());
    let scope = scope.filter(|_| served.switch.is_none());
    let identified = identify(app, request.request(), peer, scope.as_ref()).await;
    let canary = canary_of(&served.resource, request, app);
    let bill = match (&identified, &canary) {
        (Err(Unidentified::Throttled(wait)), _) => quotas::refuse_guess(app, *wait),
        // A canary is no visitor: it must not use up what visitors may do, nor fail because of them.
        (Ok(_), Ok(Some(_))) => Bill::default(),
        (known, _) => {
            quotas::charge(app, counted(&served.resource, request, known.as_ref(), peer)).await
        }
    };
    if let Ok(caller) = &identified {
        request.extensions_mut().insert(Visitor(visitor(caller, request, peer)));
        request.extensions_mut().insert(caller.clone());
    }
    let verdict = match bill.refused_for {
        Some(wait) => Err(ApiError::throttled(wait)),
        None => identified.map_err(ApiError::from).and_then(|caller| {
            let consistency = permit(served, request, &caller)?;
            if let Some(canary) = canary? {
                request.extensions_mut().insert(canary);
            }
            Ok(consistency)
        }),
    };
    (bill, verdict)
}

fn counted<'a>(
    resource: &Resource,
    request: &ServiceRequest,
    identified: Result<&'a Caller, &Unidentified>,
    peer: Peer,
) -> Request<'a> {
    match identified {
        Ok(caller) => Request::Keyed {
            caller,
            visitor: visitor(caller, request, peer),
            creates: resource.quota(request.method()),
        },
        Err(Unidentified::WrongKey) => Request::WrongKey { peer: subject(peer.address) },
        Err(_) => Request::Keyless { peer: subject(peer.address) },
    }
}

/// The visitor of a request, as the number by which quotas count the address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor(pub(crate) u64);

fn visitor(caller: &Caller, request: &ServiceRequest, peer: Peer) -> u64 {
    subject(match caller.forwards_visitors() {
        true => peer.visitor(request),
        false => peer.address,
    })
}

fn permit(
    Served { resource, switch }: &Served,
    request: &ServiceRequest,
    caller: &Caller,
) -> Result<Consistency, ApiError> {
    if resource.scope(request.method()).is_some_and(|scope| !caller.may(&scope)) {
        return Err(ApiError::no_permission());
    }
    match switch {
        Some(switch) if !switch.is_on() => Err(ApiError::module_off(switch.module())),
        _ => Ok(consistency::of(caller, request)),
    }
}

/// Why the caller of a request is unknown.
enum Unidentified {
    NoKey,
    TwoKeys,
    WrongKey,
    WrongOrigin,
    Throttled(Duration),
    Failed(ApiError),
}

impl From<Unidentified> for ApiError {
    fn from(reason: Unidentified) -> Self {
        match reason {
            Unidentified::NoKey => Self::forbidden("Invalid authorization header format"),
            Unidentified::TwoKeys => Self::bad_request("More than one Authorization header."),
            Unidentified::WrongKey => Self::forbidden("Invalid or missing API Key"),
            Unidentified::WrongOrigin => Self::no_permission(),
            Unidentified::Throttled(wait) => Self::throttled(wait),
            Unidentified::Failed(error) => error,
        }
    }
}

/// Whether a request to a public route has a key with all scopes. Only wrong keys are charged; a
/// valid one is not.
pub(crate) async fn opens_everything(app: &App, request: &HttpRequest) -> bool {
    let resources = request.app_data::<Data<Resources>>();
    let peer = request.extensions().get::<Peer>().copied();
    let (Some(resources), Some(peer)) = (resources, peer) else {
        return false;
    };
    match identify(app, request, peer, None).await {
        Ok(caller) => resources.scopes().all(|scope| caller.may(&scope)),
        Err(Unidentified::WrongKey) => {
            quotas::charge(app, Request::WrongKey { peer: subject(peer.address) }).await;
            false
        }
        Err(_) => false,
    }
}

async fn identify(
    app: &App,
    request: &HttpRequest,
    peer: Peer,
    scope: Option<&Scope>,
) -> Result<Caller, Unidentified> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let credentials = headers.next().ok_or(Unidentified::NoKey)?.as_bytes();
    if headers.next().is_some() {
        return Err(Unidentified::TwoKeys);
    }
    let presented = presented(credentials).ok_or(Unidentified::NoKey)?;
    let basic = request.app_data::<Data<BasicKey>>().map(|key| &key.digest);
    let mut origins = request.headers().get_all(header::ORIGIN);
    // With two `Origin` headers, the origin of the page is unknown.
    let origin = match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.to_str().ok(),
        _ => None,
    };
    let outcome = authenticate(app, basic, presented, origin, subject(peer.address), scope).await;
    outcome.map_err(|error| match error {
        KeyError::Wrong => Unidentified::WrongKey,
        KeyError::Origin => Unidentified::WrongOrigin,
        KeyError::Throttled(wait) => Unidentified::Throttled(wait),
        KeyError::Store(error) => Unidentified::Failed(error.into()),
    })
}

/// Extracts the key from credentials. The scheme is case-insensitive, and one or more blanks follow
/// it (RFC 9110, 11.4).
fn presented(credentials: &[u8]) -> Option<&[u8]> {
    let credentials = credentials.trim_ascii();
    let blank = credentials.iter().position(|byte| *byte == b' ')?;
    let (scheme, key) = credentials.split_at_checked(blank)?;
    let is_known =
        ["basic", "bearer"].iter().any(|own| scheme.eq_ignore_ascii_case(own.as_bytes()));
    is_known.then(|| key.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Basic KEY", Some("KEY"))]
    #[case("Bearer KEY", Some("KEY"))]
    #[case("bearer KEY", Some("KEY"))]
    #[case("BASIC KEY", Some("KEY"))]
    #[case("bAsIc   KEY", Some("KEY"))]
    #[case("Basic\tKEY", None)]
    #[case(" Basic \t KEY\t ", Some("KEY"))]
    #[case("Basic a b", Some("a b"))]
    #[case("Basic", None)]
    #[case("Basic ", None)]
    #[case("", None)]
    #[case("KEY", None)]
    #[case("BasicKEY", None)]
    #[case("Basics KEY", None)]
    #[case("Digest KEY", None)]
    fn a_key_follows_its_scheme_and_blanks(#[case] credentials: &str, #[case] key: Option<&str>) {
        assert_eq!(presented(credentials.as_bytes()), key.map(str::as_bytes));
    }
}
