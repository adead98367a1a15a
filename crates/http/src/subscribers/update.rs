use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_domain::subscribers::{SubscriberId, SubscriberInput};
use exit3_web::{ApiError, body};

use super::{SUBSCRIBER, SubscriberResponse};

/// Gives a subscriber a new address. An `is_subscribed` that is left out stays as it is.
#[utoipa::path(
    put,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "replace_subscriber",
    params(crate::parameters::IdPath),
    request_body = crate::requests::SubscriberCreate,
    responses((status = 200, description = "The changed subscriber.", body = SubscriberResponse))
)]
pub(crate) async fn replace(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = super::id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let subscriber =
        exit3_app::subscribers::replace(&app, id, input).await.map_err(|e| SUBSCRIBER.update(e))?;
    Ok(HttpResponse::Ok().json(SubscriberResponse::from(subscriber)))
}

/// Changes the given fields of a subscriber.
#[utoipa::path(
    patch,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "change_subscriber",
    params(crate::parameters::IdPath),
    request_body = crate::requests::SubscriberUpdate,
    responses((status = 200, description = "The changed subscriber.", body = SubscriberResponse))
)]
pub(crate) async fn change(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = super::id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let subscriber =
        exit3_app::subscribers::change(&app, id, input).await.map_err(|e| SUBSCRIBER.update(e))?;
    Ok(HttpResponse::Ok().json(SubscriberResponse::from(subscriber)))
}

/// A subscriber that is not there is not found, whatever is wrong with the body.
async fn read(
    app: &App,
    id: SubscriberId,
    request: &HttpRequest,
    payload: Payload,
) -> Result<SubscriberInput, ApiError> {
    match body::read(request, payload).await {
        Ok(fields) => Ok(super::input(fields)),
        Err(error) => {
            exit3_app::subscribers::find(app, id).await.map_err(|e| SUBSCRIBER.find(e))?;
            Err(error)
        }
    }
}
