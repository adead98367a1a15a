//! `/leads/`

mod include;
mod list;

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use exit3_app::App;
use exit3_domain::leads::{
    FIELDS, Lead, LeadCategory, LeadId, LeadInput, LeadSource, LeadStatus, NewLead,
};
use exit3_domain::quotas::Quota;
use exit3_domain::versions::Version;
use exit3_web::{ApiError, Endpoint, body, error::Absent, query::Params};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::author::By;
use crate::canaries;
use crate::conditions::{Conditions, show, show_changed};
use crate::once::Once;
use crate::parameters::word;
use crate::requests::{Body, choice};
use crate::resource::{ROW, Resource};
use include::Include;

/// Leads in the API.
pub(crate) const RESOURCE: Resource = Resource {
    name: "leads",
    fields: FIELDS,
    has_create_scope: true,
    creates: Some(Quota::LeadCreate),
    is_unversioned: true,
    endpoints,
    bodies,
    document: Annotations::openapi,
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("").route(Method::GET, list::list).route(Method::POST, create),
        Endpoint::new(ROW)
            .route(Method::GET, get)
            .route(Method::PUT, replace)
            .route(Method::PATCH, change)
            .route(Method::DELETE, delete),
    ]
}

#[derive(OpenApi)]
#[openapi(
    paths(list::list, create, get, replace, change, delete),
    tags((name = "leads", description = "People who asked for an offer."))
)]
struct Annotations;

const LEAD: Absent = Absent("Lead");

/// A lead.
#[derive(Serialize, ToSchema)]
#[schema(as = Lead)]
#[allow(missing_docs, reason = "the fields are those of `Lead`")]
#[allow(clippy::option_option, reason = "a field that is left out and a null differ")]
struct LeadResponse {
    #[schema(example = 1)]
    pub id: i64,
    #[schema(example = "Ana Horvat", max_length = 255)]
    pub full_name: String,
    #[schema(example = "CTO", max_length = 255)]
    pub position: String,
    #[schema(example = "Acme d.o.o.", max_length = 255, required = true)]
    pub company_name: Option<String>,
    #[schema(example = "+385911234567", max_length = 20, required = true)]
    pub phone_number: Option<String>,
    #[schema(example = "ana@acme.hr", max_length = 254, required = true)]
    pub email: Option<String>,
    #[schema(schema_with = word::<LeadSource>)]
    pub source: &'static str,
    #[schema(schema_with = word::<LeadStatus>)]
    pub status: &'static str,
    #[schema(example = "Asks for an offer", required = true)]
    pub notes: Option<String>,
    #[serde(serialize_with = "microseconds")]
    pub created_at: DateTime<Utc>,
    #[serde(serialize_with = "microseconds")]
    pub updated_at: DateTime<Utc>,
    #[schema(schema_with = word::<LeadCategory>)]
    pub category: &'static str,
    /// The account of the staff member who owns the lead; null for nobody. Only if `include` asks
    /// for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, example = 3)]
    pub owner: Option<Option<i64>>,
    /// What to do next. Only if `include` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Send the offer", max_length = 255)]
    pub next_step: Option<Option<String>>,
    /// When to do it. Only if `include` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub next_step_at: Option<Option<DateTime<Utc>>>,
}

impl From<Lead> for LeadResponse {
    fn from(lead: Lead) -> Self {
        // No `..`, so that the compiler reports a field missing from the response.
        let Lead { id, details, work: _, created_at, updated_at } = lead;
        let NewLead {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
        } = details;
        Self {
            id: id.0,
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source: source.as_str(),
            status: status.as_str(),
            notes,
            created_at,
            updated_at,
            category: category.as_str(),
            owner: None,
            next_step: None,
            next_step_at: None,
        }
    }
}

fn microseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

crate::written_out! {
    /// A whole lead.
    LeadCreate,
    /// Some fields of a lead.
    LeadUpdate,
}

fn bodies() -> Vec<Body> {
    vec![
        Body {
            name: "LeadCreate",
            description: "A new lead. The e-mail address or the phone number is required.",
            properties: properties(),
            is_whole: true,
        },
        Body {
            name: "LeadUpdate",
            description: "The fields to change. The lead must keep an e-mail address or a phone \
                number.",
            properties: properties(),
            is_whole: false,
        },
    ]
}

fn properties() -> Value {
    json!({
        "full_name": {
            "type": "string", "minLength": 2, "maxLength": 255, "example": "Ana Horvat",
            "description": "Must not contain `<` or `>`, nor consist of digits only."
        },
        "position": {
            "type": "string", "minLength": 2, "maxLength": 255, "example": "CTO",
            "description": "Must not contain `<` or `>`."
        },
        "company_name": {
            "type": ["string", "null"], "maxLength": 255, "example": "Acme d.o.o.",
            "description": "Empty, or at least two characters without `<` and `>`."
        },
        "phone_number": {
            "type": ["string", "null"], "example": "+385911234567",
            "description": "Empty, or 7 to 15 digits with an optional `+`. Blanks, dashes, dots, \
                slashes and brackets between the digits are removed."
        },
        "email": {
            "type": ["string", "null"], "maxLength": 254, "example": "ana@acme.hr",
            "description": "Empty, or an e-mail address. Stored in lower case; Punycode in the domain is decoded."
        },
        "source": choice(LeadSource::WORDS),
        "status": choice(LeadStatus::WORDS),
        "notes": {"type": ["string", "null"], "maxLength": 5000, "example": "Asks for an offer"},
        "category": choice(LeadCategory::WORDS),
    })
}

/// Creates a lead.
#[utoipa::path(
    post,
    path = "/backend/api/v1/leads/",
    tag = "leads",
    operation_id = "create_lead",
    params(crate::parameters::OnceHeader, crate::parameters::PreferHeader),
    request_body = LeadCreate,
    responses(
        (status = 201, description = "The lead. It survives a power cut.", body = LeadResponse),
        (
            status = 202,
            description = "The lead, which waits for the database.",
            body = LeadResponse
        )
    )
)]
async fn create(
    app: Data<App>,
    request: HttpRequest,
    once: Once,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let fields = body::read(&request, payload).await?;
    if let Some(id) = canaries::found(&request) {
        let lead = exit3_app::canaries::create(&app, id, LeadInput::of(fields), &author).await;
        let lead = lead.map_err(canaries::refusal)?;
        return Ok(HttpResponse::Created().json(LeadResponse::from(lead)));
    }
    let author = once.mark(&app, author, &fields).await?;
    let lead = exit3_app::leads::create(&app, LeadInput::of(fields), &author).await?;
    Ok(once.accepted(lead.map(LeadResponse::from)))
}

/// Returns a lead.
#[utoipa::path(
    get,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "get_lead",
    params(
        crate::parameters::IdPath,
        include::IncludeQuery,
        crate::parameters::IfMatchHeader,
        crate::parameters::IfNoneMatchHeader
    ),
    responses((status = 200, description = "The lead.", body = LeadResponse))
)]
async fn get(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (id, include) = (lead_id(&id)?, Include::read(&Params::of(&request))?);
    let lead = exit3_app::leads::find(&app, id).await.map_err(|e| LEAD.find(e))?;
    show(&request, &Version::of(&lead), include.show(lead))
}

/// Replaces a lead. Optional fields that the request omits keep their values.
#[utoipa::path(
    put,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "replace_lead",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    request_body = LeadCreate,
    responses((status = 200, description = "The changed lead.", body = LeadResponse))
)]
async fn replace(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = lead_id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let lead = exit3_app::leads::replace(&app, id, input, &expected, &author).await;
    let lead = lead.map_err(|e| LEAD.update(e))?;
    Ok(show_changed(&Version::of(&lead), LeadResponse::from(lead)))
}

/// Changes the given fields of a lead.
#[utoipa::path(
    patch,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "change_lead",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    request_body = LeadUpdate,
    responses((status = 200, description = "The changed lead.", body = LeadResponse))
)]
async fn change(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = lead_id(&id)?;
    let input = read(&app, id, &request, payload).await?;
    let lead = exit3_app::leads::change(&app, id, input, &expected, &author).await;
    let lead = lead.map_err(|e| LEAD.update(e))?;
    Ok(show_changed(&Version::of(&lead), LeadResponse::from(lead)))
}

/// Reads the body for an existing lead. If the lead does not exist, that is reported even if the
/// body is invalid.
async fn read(
    app: &App,
    id: LeadId,
    request: &HttpRequest,
    payload: Payload,
) -> Result<LeadInput, ApiError> {
    let find = async { exit3_app::leads::find(app, id).await.map_err(|e| LEAD.find(e)) };
    Ok(LeadInput::of(body::read_for(request, payload, find).await?))
}

/// Deletes a lead.
#[utoipa::path(
    delete,
    path = "/backend/api/v1/leads/{id}/",
    tag = "leads",
    operation_id = "delete_lead",
    params(
        crate::parameters::IdPath,
        crate::parameters::IfMatchHeader,
        crate::parameters::UnlessMatchHeader
    ),
    responses((status = 204, description = "The lead is deleted."))
)]
async fn delete(
    app: Data<App>,
    id: Path<String>,
    Conditions(expected): Conditions,
    By(author): By,
) -> Result<HttpResponse, ApiError> {
    let deleted = exit3_app::leads::delete(&app, lead_id(&id)?, &expected, &author).await;
    deleted.map_err(|e| LEAD.update(e))?;
    Ok(HttpResponse::NoContent().finish())
}

fn lead_id(text: &str) -> Result<LeadId, ApiError> {
    exit3_web::path::id(text).map(LeadId)
}
