use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_web::{ApiError, body};

use super::LeadResponse;

/// Stores a lead.
#[utoipa::path(
    post,
    path = "/backend/api/v1/leads/",
    tag = "leads",
    operation_id = "create_lead",
    request_body = crate::requests::LeadCreate,
    responses((status = 201, description = "The stored lead.", body = LeadResponse))
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let fields = body::read(&request, payload).await?;
    let lead = exit3_app::leads::create(&app, super::input(fields)).await?;
    Ok(HttpResponse::Created().json(LeadResponse::from(lead)))
}
