use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use exit3_app::App;
use exit3_web::ApiError;

use super::LEAD;

/// Removes a lead.
#[utoipa::path(
    delete,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "delete_lead",
    params(crate::parameters::IdPath),
    responses((status = 204, description = "The lead is gone."))
)]
pub(crate) async fn delete(app: Data<App>, id: Path<String>) -> Result<HttpResponse, ApiError> {
    exit3_app::leads::delete(&app, super::id(&id)?).await.map_err(|e| LEAD.find(e))?;
    Ok(HttpResponse::NoContent().finish())
}
