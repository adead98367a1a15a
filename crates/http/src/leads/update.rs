use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_domain::leads::{LeadId, LeadInput};
use exit3_web::{ApiError, body};

use super::{LEAD, LeadResponse};

/// Gives a lead new details. Optional fields that are left out stay as they are.
#[utoipa::path(
    put,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "replace_lead",
    params(crate::parameters::IdPath),
    request_body = crate::requests::LeadCreate,
    responses((status = 200, description = "The changed lead.", body = LeadResponse))
)]
pub(crate) async fn replace(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = super::id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let lead = exit3_app::leads::replace(&app, id, input).await.map_err(|e| LEAD.update(e))?;
    Ok(HttpResponse::Ok().json(LeadResponse::from(lead)))
}

/// Changes the given fields of a lead.
#[utoipa::path(
    patch,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "change_lead",
    params(crate::parameters::IdPath),
    request_body = crate::requests::LeadUpdate,
    responses((status = 200, description = "The changed lead.", body = LeadResponse))
)]
pub(crate) async fn change(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = super::id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let lead = exit3_app::leads::change(&app, id, input).await.map_err(|e| LEAD.update(e))?;
    Ok(HttpResponse::Ok().json(LeadResponse::from(lead)))
}

/// A lead that is not there is not found, whatever is wrong with the body.
async fn read(
    app: &App,
    id: LeadId,
    request: &HttpRequest,
    payload: Payload,
) -> Result<LeadInput, ApiError> {
    match body::read(request, payload).await {
        Ok(fields) => Ok(super::input(fields)),
        Err(error) => {
            exit3_app::leads::find(app, id).await.map_err(|e| LEAD.find(e))?;
            Err(error)
        }
    }
}
