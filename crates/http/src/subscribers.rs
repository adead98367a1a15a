//! `/newsletter/`

mod list;

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_app::api_keys::Caller;
use exit3_domain::api_keys::Scope;
use exit3_domain::quotas::Quota;
use exit3_domain::subscribers::{FIELDS, NewSubscriber, Subscriber, SubscriberId, SubscriberInput};
use exit3_domain::versions::Version;
use exit3_web::{ApiError, Endpoint, body, error::Absent};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::author::By;
use crate::conditions::{Conditions, show, show_changed};
use crate::once::{Once, created};
use crate::requests::Body;
use crate::resource::{ROW, Resource};

/// Newsletter subscribers in the API.
pub(crate) const RESOURCE: Resource = Resource {
    name: "newsletter",
    fields: FIELDS,
    has_create_scope: true,
    creates: Some(Quota::NewsletterCreate),
    is_unversioned: true,
    endpoints,
    bodies,
    document: Annotations::openapi,
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("").route(Method::GET, list::list).route(Method::POST, create),
        Endpoint::new(ROW)
            .route(Method::GET, get)
            .route(Method::PUT, replace)
            .route(Method::PATCH, change)
            .route(Method::DELETE, delete),
    ]
}

#[derive(OpenApi)]
#[openapi(
    paths(list::list, create, get, replace, change, delete),
    tags((name = "newsletter", description = "Newsletter subscribers."))
)]
struct Annotations;

const SUBSCRIBER: Absent = Absent("Newsletter");

/// A newsletter subscriber.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscriber)]
#[allow(missing_docs, reason = "the fields are those of `Subscriber`")]
struct SubscriberResponse {
    #[schema(example = 1)]
    pub id: i64,
    #[schema(example = "news@example.com", max_length = 254)]
    pub email: String,
    pub is_subscribed: bool,
}

impl From<Subscriber> for SubscriberResponse {
    fn from(subscriber: Subscriber) -> Self {
        // No `..` here and below, so that the compiler reports a field missing from the response.
        let Subscriber { id, email, is_subscribed } = subscriber;
        Self { id: id.0, email, is_subscribed }
    }
}

/// A subscription that was created.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedSubscriber)]
#[allow(missing_docs, reason = "the fields are those of `Subscriber`")]
struct CreatedResponse {
    /// Missing if the key may not read: the id would reveal whether the address was already
    /// subscribed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, nullable = false)]
    pub id: Option<i64>,
    #[schema(example = "news@example.com", max_length = 254)]
    pub email: String,
    pub is_subscribed: bool,
}

impl From<Subscriber> for CreatedResponse {
    fn from(subscriber: Subscriber) -> Self {
        let Subscriber { id, email, is_subscribed } = subscriber;
        Self { id: Some(id.0), email, is_subscribed }
    }
}

impl From<NewSubscriber> for CreatedResponse {
    fn from(subscriber: NewSubscriber) -> Self {
        let NewSubscriber { email, is_subscribed } = subscriber;
        Self { id: None, email, is_subscribed }
    }
}

crate::written_out! {
    /// A whole subscription.
    SubscriberCreate,
    /// Some fields of a subscription.
    SubscriberUpdate,
}

fn bodies() -> Vec<Body> {
    vec![
        Body {
            name: "SubscriberCreate",
            description: "A new newsletter subscription.",
            properties: properties(),
            is_whole: true,
        },
        Body {
            name: "SubscriberUpdate",
            description: "The fields to change.",
            properties: properties(),
            is_whole: false,
        },
    ]
}

fn properties() -> Value {
    json!({
        "email": {"type": "string", "format": "email", "maxLength": 254, "example": "ana@acme.hr"},
        "is_subscribed": {"type": "boolean", "example": true},
    })
}

/// Creates a subscription.
#[utoipa::path(
    post,
    path = "/backend/api/v1/newsletter/",
    tag = "newsletter",
    operation_id = "create_subscriber",
    params(crate::parameters::OnceHeader, crate::parameters::PreferHeader),
    request_body = SubscriberCreate,
    responses(
        (
            status = 201,
            description = "The stored subscription. A key without the scope `newsletter:read` \
                always subscribes the address, even if `is_subscribed` is false, and gets the same \
                response if the address was already subscribed.",
            body = CreatedResponse
        ),
        (
            status = 202,
            description = "The subscription, which waits for the database; only for keys without \
                the scope `newsletter:read`.",
            body = CreatedResponse
        )
    )
)]
async fn create(
    app: Data<App>,
    caller: ReqData<Caller>,
    request: HttpRequest,
    once: Once,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let fields = body::read(&request, payload).await?;
    if !caller.may(&Scope::read(RESOURCE.name)) {
        // A sign-up is the same however often it is sent. An answer that depends on whether it was
        // sent before would tell who is subscribed.
        let input = SubscriberInput::of(fields);
        let subscriber = exit3_app::subscribers::sign_up(&app, input, &author).await?;
        return Ok(once.accepted(subscriber.map(CreatedResponse::from)));
    }
    let author = once.mark(&app, author, &fields).await?;
    let input = SubscriberInput::of(fields);
    let subscriber = exit3_app::subscribers::create(&app, input, &author).await?;
    Ok(created(subscriber.map(CreatedResponse::from)))
}

/// Returns a subscriber.
#[utoipa::path(
    get,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "get_subscriber",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::IfNoneMatchHeader
    ),
    responses((status = 200, description = "The subscriber.", body = SubscriberResponse))
)]
async fn get(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let subscriber = exit3_app::subscribers::find(&app, subscriber_id(&id)?)
        .await
        .map_err(|e| SUBSCRIBER.find(e))?;
    show(&request, &Version::of(&subscriber), SubscriberResponse::from(subscriber))
}

/// Replaces a subscriber. If the request omits `is_subscribed`, it keeps its value.
#[utoipa::path(
    put,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "replace_subscriber",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    request_body = SubscriberCreate,
    responses((status = 200, description = "The changed subscriber.", body = SubscriberResponse))
)]
async fn replace(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = subscriber_id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let subscriber = exit3_app::subscribers::replace(&app, id, input, &expected, &author).await;
    let subscriber = subscriber.map_err(|e| SUBSCRIBER.update(e))?;
    Ok(show_changed(&Version::of(&subscriber), SubscriberResponse::from(subscriber)))
}

/// Changes the given fields of a subscriber.
#[utoipa::path(
    patch,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "change_subscriber",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    request_body = SubscriberUpdate,
    responses((status = 200, description = "The changed subscriber.", body = SubscriberResponse))
)]
async fn change(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = subscriber_id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let subscriber = exit3_app::subscribers::change(&app, id, input, &expected, &author).await;
    let subscriber = subscriber.map_err(|e| SUBSCRIBER.update(e))?;
    Ok(show_changed(&Version::of(&subscriber), SubscriberResponse::from(subscriber)))
}

/// Reads the body for an existing subscriber. If the subscriber does not exist, that is reported
/// even if the body is invalid.
async fn read(
    app: &App,
    id: SubscriberId,
    request: &HttpRequest,
    payload: Payload,
) -> Result<SubscriberInput, ApiError> {
    let find =
        async { exit3_app::subscribers::find(app, id).await.map_err(|e| SUBSCRIBER.find(e)) };
    Ok(SubscriberInput::of(body::read_for(request, payload, find).await?))
}

/// Deletes a subscriber.
#[utoipa::path(
    delete,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "delete_subscriber",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    responses((status = 204, description = "The subscriber is deleted."))
)]
async fn delete(
    app: Data<App>,
    id: Path<String>,
    Conditions(expected): Conditions,
    By(author): By,
) -> Result<HttpResponse, ApiError> {
    let id = subscriber_id(&id)?;
    let deleted = exit3_app::subscribers::delete(&app, id, &expected, &author).await;
    deleted.map_err(|e| SUBSCRIBER.update(e))?;
    Ok(HttpResponse::NoContent().finish())
}

fn subscriber_id(text: &str) -> Result<SubscriberId, ApiError> {
    exit3_web::path::id(text).map(SubscriberId)
}
