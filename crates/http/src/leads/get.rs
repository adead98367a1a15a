use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use exit3_app::App;
use exit3_web::ApiError;

use super::{LEAD, LeadResponse};

/// One lead.
#[utoipa::path(
    get,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "get_lead",
    params(crate::parameters::IdPath),
    responses((status = 200, description = "The lead.", body = LeadResponse))
)]
pub(crate) async fn get(app: Data<App>, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let lead = exit3_app::leads::find(&app, super::id(&id)?).await.map_err(|e| LEAD.find(e))?;
    Ok(HttpResponse::Ok().json(LeadResponse::from(lead)))
}
