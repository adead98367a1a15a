use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;

use super::SubscriberResponse;
use crate::body;
use crate::error::ApiError;

/// Stores a subscription.
#[utoipa::path(
    post,
    path = "/backend/api/v1/newsletter/",
    tag = "newsletter",
    operation_id = "create_subscriber",
    request_body(
        content(
            (crate::openapi::SubscriberCreate = "application/json"),
            (crate::openapi::SubscriberForm = "application/x-www-form-urlencoded"),
            (crate::openapi::SubscriberForm = "multipart/form-data"),
        )
    ),
    responses((status = 201, description = "The stored subscription.", body = SubscriberResponse))
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let fields = body::read(&request, payload).await?;
    let subscriber = exit3_app::subscribers::create(&app, super::input(fields)).await?;
    Ok(HttpResponse::Created().json(SubscriberResponse::from(subscriber)))
}
