use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use exit3_app::App;
use exit3_web::ApiError;

use super::{SUBSCRIBER, SubscriberResponse};

/// One subscriber.
#[utoipa::path(
    get,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "get_subscriber",
    params(crate::parameters::IdPath),
    responses((status = 200, description = "The subscriber.", body = SubscriberResponse))
)]
pub(crate) async fn get(app: Data<App>, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let subscriber = exit3_app::subscribers::find(&app, super::id(&id)?)
        .await
        .map_err(|e| SUBSCRIBER.find(e))?;
    Ok(HttpResponse::Ok().json(SubscriberResponse::from(subscriber)))
}
