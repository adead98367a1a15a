//! `/clients/{id}/contract/`

use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use exit3_app::App;
use exit3_app::access::Doer;
use exit3_app::contracts;
use exit3_domain::contracts::MOST_BYTES;
use exit3_domain::validation::{Invalid, Violation};
use exit3_domain::versions::Version;
use exit3_web::body::Parts;
use exit3_web::{ApiError, Endpoint, ErrorShape, RoutePolicy, attach, file_body};
use utoipa::ToSchema;

use super::{ClientResponse, client_id};
use crate::author::By;
use crate::conditions::{Conditions, show_changed};

/// The field of the form that contains the file.
const FIELD: &str = "file";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new("{id:[^/.]+}/contract/")
        .policy(RoutePolicy::upload(MOST_BYTES, ErrorShape::Json, ""))
        .route(Method::GET, get)
        .route(Method::PUT, put)
        .route(Method::DELETE, delete)
}

/// A contract.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a form")]
pub(super) struct ContractUpload {
    /// A pdf, docx, odt, jpg or png file of at most 20 MiB.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Downloads the contract of a client. Every download is recorded.
#[utoipa::path(
    get,
    path = "/backend/api/v1/clients/{id}/contract/",
    tag = "clients",
    operation_id = "get_contract",
    params(crate::parameters::IdPath),
    responses((
        status = 200,
        description = "The file, with its kind in `Content-Type` and its name in `Content-Disposition`.",
        content_type = "application/octet-stream",
        body = String
    ))
)]
pub(super) async fn get(
    app: Data<App>,
    id: Path<String>,
    By(author): By,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (id, doer) = (client_id(&id)?, Doer::operator(author));
    let is_sent = request.method() != Method::HEAD;
    let sending = contracts::send(&app, id, is_sent, &doer).await?;
    let mut response = HttpResponseBuilder::new(StatusCode::OK);
    attach(&mut response, sending.contract.name.as_str(), sending.contract.media_type());
    Ok(response.body(file_body(sending)))
}

/// Gives a contract to a client, instead of the one that it has.
#[utoipa::path(
    put,
    path = "/backend/api/v1/clients/{id}/contract/",
    tag = "clients",
    operation_id = "put_contract",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    request_body(content = ContractUpload, content_type = "multipart/form-data"),
    responses((status = 200, description = "The changed client.", body = ClientResponse))
)]
pub(super) async fn put(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (id, doer) = (client_id(&id)?, Doer::operator(author));
    contracts::check(&app, id, &doer).await?;
    let mut parts = Parts::open(&request, payload)?;
    let mut received = None;
    while let Some(part) = parts.next().await? {
        let Some(name) = part.file.filter(|_| part.name == FIELD && received.is_none()) else {
            continue;
        };
        let mut receiving = contracts::receive(&app, id, &name, &doer).await?;
        while let Some(piece) = parts.piece().await? {
            receiving.add(&piece).await?;
        }
        received = Some(receiving);
    }
    let Some(received) = received else {
        let missing = Violation::new("required", "No file was submitted.");
        return Err(Invalid::field(FIELD, missing).into());
    };
    let client = received.finish(&app, &expected, &doer).await?;
    Ok(show_changed(&Version::of(&client), ClientResponse::from(client)))
}

/// Takes the contract from a client. For a while, that can be undone in the back office.
#[utoipa::path(
    delete,
    path = "/backend/api/v1/clients/{id}/contract/",
    tag = "clients",
    operation_id = "delete_contract",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    responses((status = 204, description = "The client has no contract."))
)]
pub(super) async fn delete(
    app: Data<App>,
    id: Path<String>,
    Conditions(expected): Conditions,
    By(author): By,
) -> Result<HttpResponse, ApiError> {
    let doer = Doer::operator(author);
    contracts::remove(&app, client_id(&id)?, &expected, &doer).await?;
    Ok(HttpResponse::NoContent().finish())
}
