//! Middleware around all routes: checks requests before routing and completes responses.

use actix_cors::CorsError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, Accept, Header, HeaderValue, Quality};
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};

use crate::cors::{self, CorsSettings};
use crate::endpoint::{not_found, nowhere};
use crate::error::ApiError;
use crate::headers::{self, protect};
use crate::observe::Observer;
use crate::policy::ErrorShape;
use crate::route;
use crate::site::Site;

/// The middleware around all routes; cheap to clone for each worker.
#[derive(Clone)]
pub struct Edge {
    site: Data<Site>,
    cors: Data<CorsSettings>,
    observer: Data<Observer>,
}

impl Edge {
    /// Builds the edge from the settings.
    pub fn new(site: Site, cors: CorsSettings, observer: Observer) -> Self {
        Self { site: Data::new(site), cors: Data::new(cors), observer: Data::new(observer) }
    }

    /// Builds an actix application for one worker, with the routes that `configure` registers.
    /// Middleware that the caller wraps around it ends up inside of [`observe`](crate::observe()).
    pub fn application<F: FnOnce(&mut ServiceConfig)>(
        &self,
        configure: F,
    ) -> actix_web::App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<F>>,
            Error = actix_web::Error,
            InitError = (),
        > + use<F>,
    > {
        actix_web::App::new()
            .app_data(self.site.clone())
            .app_data(self.cors.clone())
            .app_data(self.observer.clone())
            .app_data(web::PathConfig::default().error_handler(|_, _| not_found().into()))
            .configure(configure)
            .default_service(web::to(nowhere))
            .wrap(self.cors.middleware())
            .wrap(from_fn(handle))
            .wrap(from_fn(headers::handle))
    }
}

/// Checks the host, redirects plain HTTP to HTTPS, adds a missing slash to the end of the path, and
/// renders errors in the shape that the client asks for.
pub(crate) async fn handle<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let response = match refusal(&request) {
        Some(Refusal::Error(error)) => request.error_response(error).map_into_right_body(),
        Some(Refusal::Redirect(address)) => {
            // 308 keeps the method and the body.
            let redirect = HttpResponse::PermanentRedirect()
                .insert_header((header::LOCATION, address))
                .finish();
            request.into_response(redirect).map_into_right_body()
        }
        None => {
            cors::tidy(&mut request);
            add_slash(&mut request);
            in_our_words(next.call(request).await?)
        }
    };
    let Some(error) = api_error(&response) else { return Ok(response) };
    let shaped = match shape(response.request()) {
        // Errors are JSON unless rendered otherwise.
        ErrorShape::Json => return Ok(response),
        ErrorShape::Problem => error.problem(),
        ErrorShape::Html => error.page(),
    };
    let (request, old) = response.into_parts();
    let mut response = ServiceResponse::new(request, shaped).map_into_right_body();
    for (name, value) in old.headers() {
        if name != header::CONTENT_TYPE && !response.headers().contains_key(name) {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    Ok(response)
}

/// Replaces the plain-text errors of actix-cors with errors in our format.
fn in_our_words<B: MessageBody>(response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    let cause = response.response().error().and_then(|error| error.as_error::<CorsError>());
    match cause.map(ToString::to_string) {
        Some(cause) => response.error_response(ApiError::bad_request(cause)).map_into_right_body(),
        None => response.map_into_left_body(),
    }
}

/// An answer given before the request is routed.
enum Refusal {
    Error(ApiError),
    Redirect(String),
}

fn refusal(request: &ServiceRequest) -> Option<Refusal> {
    let Some(site) = request.app_data::<Data<Site>>() else {
        return Some(Refusal::Error(ApiError::internal()));
    };
    match site.check_host(request) {
        Err(error) => Some(Refusal::Error(error)),
        Ok(()) => site.redirect(request).map(Refusal::Redirect),
    }
}

/// Builds the response for a request that is refused before the API sees it, in the shape that the
/// client asks for and with the CORS headers that let allowed origins read it.
pub fn refuse(request: &HttpRequest, error: &ApiError) -> HttpResponse {
    let mut answer = match (wants_page(request), wants_problem(request)) {
        (true, _) => error.page(),
        (false, true) => error.problem(),
        (false, false) => error.error_response(),
    };
    protect(answer.headers_mut());
    if let Some(cors) = request.app_data::<Data<CorsSettings>>() {
        cors.show(request.headers(), answer.headers_mut());
    }
    answer
}

fn api_error<B>(response: &ServiceResponse<B>) -> Option<ApiError> {
    response.response().error()?.as_error::<ApiError>().cloned()
}

/// How to render an error: as the route says or, for JSON, as the client prefers.
fn shape(request: &impl HttpMessage) -> ErrorShape {
    match route::policy(request).errors {
        ErrorShape::Json if wants_problem(request) => ErrorShape::Problem,
        shape => shape,
    }
}

/// Whether a browser opens a page: its first choice is HTML.
fn wants_page(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT).map(HeaderValue::as_bytes);
    accepted.is_some_and(|accepted| accepted.starts_with(b"text/html"))
}

/// Whether the client accepts problem details (RFC 9110, 12.5.1) and does not prefer plain JSON.
fn wants_problem(request: &impl HttpMessage) -> bool {
    let Ok(Accept(accepted)) = Accept::parse(request) else { return false };
    let quality = |essence: &str| {
        let named = accepted.iter().filter(|range| range.item.essence_str() == essence);
        named.map(|range| range.quality).max()
    };
    let problem = quality("application/problem+json");
    problem > Some(Quality::ZERO) && problem >= quality("application/json")
}

/// Adds a missing slash to the end of the path, except to file names, which contain a dot.
fn add_slash(request: &mut ServiceRequest) {
    let path = request.path();
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.is_empty() || last.contains('.') {
        return;
    }
    let slashed = match request.uri().query() {
        Some(query) => format!("{path}/?{query}"),
        None => format!("{path}/"),
    };
    let Ok(slashed) = slashed.parse::<PathAndQuery>() else {
        return;
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(slashed);
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}
