use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use exit3_app::App;
use exit3_web::ApiError;

use super::SUBSCRIBER;

/// Removes a subscriber.
#[utoipa::path(
    delete,
    path = "/backend/api/v1/newsletter/{id}/",
    tag = "newsletter",
    operation_id = "delete_subscriber",
    params(crate::parameters::IdPath),
    responses((status = 204, description = "The subscriber is gone."))
)]
pub(crate) async fn delete(app: Data<App>, id: Path<String>) -> Result<HttpResponse, ApiError> {
    exit3_app::subscribers::delete(&app, super::id(&id)?).await.map_err(|e| SUBSCRIBER.find(e))?;
    Ok(HttpResponse::NoContent().finish())
}
