//! `/clients/`

mod contract;
mod list;

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_domain::clients::{Client, ClientId, ClientInput, FIELDS, NewClient};
use exit3_domain::leads::LeadCategory;
use exit3_domain::versions::Version;
use exit3_web::{ApiError, Endpoint, body, error::Absent};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::author::By;
use crate::conditions::{Conditions, show, show_changed};
use crate::once::{Once, created};
use crate::parameters::word;
use crate::requests::{Body, choice};
use crate::resource::{ROW, Resource};

/// Clients in the API.
pub(crate) const RESOURCE: Resource = Resource {
    name: "clients",
    fields: FIELDS,
    // What creating answers depends on the rows that are there, so no publishable key may create.
    endpoints,
    bodies,
    document: Annotations::openapi,
    ..Resource::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("").route(Method::GET, list::list).route(Method::POST, create),
        Endpoint::new(ROW)
            .route(Method::GET, get)
            .route(Method::PUT, replace)
            .route(Method::PATCH, change)
            .route(Method::DELETE, delete),
        contract::endpoint(),
    ]
}

#[derive(OpenApi)]
#[openapi(
    paths(
        list::list,
        create,
        get,
        replace,
        change,
        delete,
        contract::get,
        contract::put,
        contract::delete
    ),
    tags((name = "clients", description = "Customers of the agency, and what they pay."))
)]
struct Annotations;

const CLIENT: Absent = Absent("Client");

/// A client.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
#[allow(missing_docs, reason = "the fields are those of `Client`")]
struct ClientResponse {
    #[schema(example = 1)]
    pub id: i64,
    /// The id of the lead that became this client.
    #[schema(example = 7, required = true)]
    pub lead: Option<i64>,
    #[schema(example = "T-1", max_length = 100)]
    pub team_id: String,
    #[schema(example = "1200.50", pattern = r"^-?[0-9]{1,8}\.[0-9]{2}$", required = true)]
    pub monthly_charge: Option<String>,
    #[schema(example = "5000.00", pattern = r"^-?[0-9]{1,8}\.[0-9]{2}$", required = true)]
    pub one_time_charge: Option<String>,
    /// Where the contract is kept; null without a contract. Requests do not change it.
    #[schema(example = "contracts/2026/acme.pdf", required = true)]
    pub contract_file: Option<String>,
    #[schema(example = "A webshop with its warehouse")]
    pub short_description: String,
    #[schema(schema_with = word::<LeadCategory>)]
    pub category: &'static str,
}

impl From<Client> for ClientResponse {
    fn from(client: Client) -> Self {
        // No `..`, so that the compiler reports a field missing from the response.
        let Client { id, details } = client;
        let NewClient {
            lead,
            team_id,
            monthly_charge,
            one_time_charge,
            contract_file,
            short_description,
            category,
        } = details;
        Self {
            id: id.0,
            lead: lead.map(|lead| lead.0),
            team_id,
            monthly_charge: monthly_charge.map(String::from),
            one_time_charge: one_time_charge.map(String::from),
            contract_file: contract_file.filter(|path| !path.is_empty()),
            short_description,
            category: category.as_str(),
        }
    }
}

crate::written_out! {
    /// A whole client.
    ClientCreate,
    /// Some fields of a client.
    ClientUpdate,
}

fn bodies() -> Vec<Body> {
    vec![
        Body {
            name: "ClientCreate",
            description: "A client. Each lead may be one client at most.",
            properties: properties(),
            is_whole: true,
        },
        Body {
            name: "ClientUpdate",
            description: "The fields to change.",
            properties: properties(),
            is_whole: false,
        },
    ]
}

fn properties() -> Value {
    let charge = |description: &str, example: &str| {
        let rule = "At least 0, below 100000000, with at most two decimals after a dot.";
        json!({
            "type": ["string", "null"],
            "description": format!("{description} {rule}"),
            "example": example,
        })
    };
    json!({
        "lead": {
            "type": ["integer", "null"],
            "description": "The id of the lead that became this client.",
            "example": 7,
        },
        "team_id": {"type": "string", "maxLength": 100, "example": "T-1"},
        "monthly_charge": charge("The monthly charge.", "1200.50"),
        "one_time_charge": charge("The one-time charge.", "5000.00"),
        "short_description": {
            "type": "string",
            "maxLength": 5000,
            "description": "May be blank.",
            "example": "A webshop with its warehouse",
        },
        "category": choice(LeadCategory::WORDS),
    })
}

/// Creates a client. If it has a lead, that gets the status `converted`.
#[utoipa::path(
    post,
    path = "/backend/api/v1/clients/",
    tag = "clients",
    operation_id = "create_client",
    params(crate::parameters::OnceHeader),
    request_body = ClientCreate,
    responses((status = 201, description = "The stored client.", body = ClientResponse))
)]
async fn create(
    app: Data<App>,
    request: HttpRequest,
    once: Once,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let fields = body::read(&request, payload).await?;
    let author = once.mark(&app, author, &fields).await?;
    let client = exit3_app::clients::create(&app, ClientInput::of(fields), &author).await?;
    Ok(created(client.map(ClientResponse::from)))
}

/// Returns a client.
#[utoipa::path(
    get,
    path = "/backend/api/v1/clients/{id}/",
    tag = "clients",
    operation_id = "get_client",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::IfNoneMatchHeader
    ),
    responses((status = 200, description = "The client.", body = ClientResponse))
)]
async fn get(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let found = exit3_app::clients::find(&app, client_id(&id)?).await;
    let client = found.map_err(|e| CLIENT.find(e))?;
    show(&request, &Version::of(&client), ClientResponse::from(client))
}

/// Replaces a client. Optional fields that the request omits keep their values.
#[utoipa::path(
    put,
    path = "/backend/api/v1/clients/{id}/",
    tag = "clients",
    operation_id = "replace_client",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    request_body = ClientCreate,
    responses((status = 200, description = "The changed client.", body = ClientResponse))
)]
async fn replace(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = client_id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let client = exit3_app::clients::replace(&app, id, input, &expected, &author).await;
    let client = client.map_err(|e| CLIENT.update(e))?;
    Ok(show_changed(&Version::of(&client), ClientResponse::from(client)))
}

/// Changes the given fields of a client. Another lead keeps its status.
#[utoipa::path(
    patch,
    path = "/backend/api/v1/clients/{id}/",
    tag = "clients",
    operation_id = "change_client",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    request_body = ClientUpdate,
    responses((status = 200, description = "The changed client.", body = ClientResponse))
)]
async fn change(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = client_id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let client = exit3_app::clients::change(&app, id, input, &expected, &author).await;
    let client = client.map_err(|e| CLIENT.update(e))?;
    Ok(show_changed(&Version::of(&client), ClientResponse::from(client)))
}

/// Reads the body for an existing client. If the client does not exist, that is reported even if the
/// body is invalid.
async fn read(
    app: &App,
    id: ClientId,
    request: &HttpRequest,
    payload: Payload,
) -> Result<ClientInput, ApiError> {
    let find = async { exit3_app::clients::find(app, id).await.map_err(|e| CLIENT.find(e)) };
    Ok(ClientInput::of(body::read_for(request, payload, find).await?))
}

/// Deletes a client. Its lead stays.
#[utoipa::path(
    delete,
    path = "/backend/api/v1/clients/{id}/",
    tag = "clients",
    operation_id = "delete_client",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    responses((status = 204, description = "The client is deleted."))
)]
async fn delete(
    app: Data<App>,
    id: Path<String>,
    Conditions(expected): Conditions,
    By(author): By,
) -> Result<HttpResponse, ApiError> {
    exit3_app::clients::delete(&app, client_id(&id)?, &expected, &author)
        .await
        .map_err(|e| CLIENT.update(e))?;
    Ok(HttpResponse::NoContent().finish())
}

fn client_id(text: &str) -> Result<ClientId, ApiError> {
    exit3_web::path::id(text).map(ClientId)
}
