use actix_web::web::{Data, Payload, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_app::api_keys::Caller;
use exit3_domain::api_keys::Scope;
use exit3_web::{ApiError, body};

use super::CreatedResponse;

/// Stores a subscription.
#[utoipa::path(
    post,
    path = "/backend/api/v1/newsletter/",
    tag = "newsletter",
    operation_id = "create_subscriber",
    request_body = crate::requests::SubscriberCreate,
    responses((
        status = 201,
        description = "The stored subscription. A key that may not read subscribes, whatever \
            `is_subscribed` says, and gets this answer for an address that is there already, too.",
        body = CreatedResponse
    ))
)]
pub(crate) async fn create(
    app: Data<App>,
    caller: ReqData<Caller>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let fields = body::read(&request, payload).await?;
    let input = super::input(fields);
    let created = if caller.scopes().contain(Scope::NewsletterRead) {
        CreatedResponse::from(exit3_app::subscribers::create(&app, input).await?)
    } else {
        CreatedResponse::from(exit3_app::subscribers::sign_up(&app, input).await?)
    };
    Ok(HttpResponse::Created().json(created))
}
