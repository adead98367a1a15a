//! `/meetings/`

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use exit3_app::App;
use exit3_domain::leads::LeadId;
use exit3_domain::versions::Version;
use exit3_http::parameters::{
    IdPath, IfMatchHeader, IfNoneMatchHeader, ListQuery, OnceHeader, SeenHeader, UnlessMatchHeader,
    order,
};
use exit3_http::{
    Body, By, Conditions, CursorKey, ListRequest, Once, Part, ROW, Resource, created, list_schema,
    show, show_changed, written_out,
};
use exit3_web::error::Absent;
use exit3_web::query::Params;
use exit3_web::{ApiError, Endpoint, body, path};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::app;
use crate::domain::{
    FIELDS, Meeting, MeetingFilter, MeetingId, MeetingInput, MeetingSort, NewMeeting, Outcome,
};

/// Meetings in the API.
pub const RESOURCE: Resource = Resource {
    name: "meetings",
    fields: FIELDS,
    endpoints,
    bodies,
    document: Annotations::openapi,
    ..Resource::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("").route(Method::GET, list).route(Method::POST, create),
        Endpoint::new(ROW)
            .route(Method::GET, get)
            .route(Method::PUT, replace)
            .route(Method::PATCH, change)
            .route(Method::DELETE, delete),
    ]
}

#[derive(OpenApi)]
#[openapi(
    paths(list, create, get, replace, change, delete),
    tags((name = "meetings", description = "Meetings with leads."))
)]
struct Annotations;

const MEETING: Absent = Absent("Meeting");

/// A meeting.
#[derive(Serialize, ToSchema)]
#[schema(as = Meeting)]
struct MeetingResponse {
    #[schema(example = 1)]
    id: i64,
    #[schema(example = 7)]
    lead: i64,
    starts_at: DateTime<Utc>,
    #[schema(example = "Zagreb", max_length = 255)]
    place: String,
    #[schema(max_length = 5_000)]
    notes: String,
    #[schema(value_type = Option<String>, example = "held")]
    outcome: Option<Outcome>,
}

impl From<Meeting> for MeetingResponse {
    fn from(meeting: Meeting) -> Self {
        let Meeting { id, details, reminded_at: _ } = meeting;
        let NewMeeting { lead, starts_at, place, notes, outcome } = details;
        Self { id: id.0, lead: lead.0, starts_at, place, notes, outcome }
    }
}

written_out! {
    /// A whole meeting.
    MeetingCreate,
    /// Some fields of a meeting.
    MeetingUpdate,
}

fn bodies() -> Vec<Body> {
    vec![
        Body {
            name: "MeetingCreate",
            description: "A whole meeting.",
            properties: properties(),
            is_whole: true,
        },
        Body {
            name: "MeetingUpdate",
            description: "The fields to change. A meeting stays with its lead.",
            properties: properties(),
            is_whole: false,
        },
    ]
}

fn properties() -> Value {
    json!({
        "lead": {"type": "integer", "format": "int64", "example": 7},
        "starts_at": {"type": "string", "format": "date-time", "example": "2026-12-01T09:30:00Z"},
        "place": {"type": "string", "maxLength": 255, "example": "Zagreb"},
        "notes": {"type": "string", "maxLength": 5_000},
        "outcome": {"type": ["string", "null"], "enum": ["held", "missed", "moved", null]},
    })
}

list_schema! {
    /// A page of meetings.
    MeetingList of MeetingResponse
}

/// Parameters of the list of meetings.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
struct MeetingListQuery {
    /// Only meetings with this lead.
    lead: Option<i64>,
    #[param(schema_with = order::<MeetingSort>)]
    ordering: Option<String>,
}

/// Lists meetings, the latest first, in numbered pages or by cursor.
#[utoipa::path(
    get,
    path = "/backend/api/v1/meetings/",
    tag = "meetings",
    operation_id = "list_meetings",
    params(ListQuery, MeetingListQuery, SeenHeader),
    responses((status = 200, description = "The page.", body = MeetingList))
)]
async fn list(
    app: Data<App>,
    cursors: Data<CursorKey>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let params = Params::of(&request);
    // A value that is no number matches nothing.
    let lead = params.last("lead").map(|text| LeadId(text.parse().unwrap_or_default()));
    let filter = MeetingFilter { lead, from: None };
    let list = ListRequest::<MeetingSort>::read(&request, &params, &cursors)?;
    Ok(match &list.part {
        Part::Page(page) => {
            let page = app::list(&app, &filter, list.order, *page).await?;
            list.page(page, MeetingResponse::from)
        }
        Part::Step(step) => {
            let slice = app::walk(&app, &filter, list.order, step).await?;
            list.slice(slice, MeetingResponse::from)
        }
    })
}

/// Creates a meeting.
#[utoipa::path(
    post,
    path = "/backend/api/v1/meetings/",
    tag = "meetings",
    operation_id = "create_meeting",
    params(OnceHeader),
    request_body = MeetingCreate,
    responses((status = 201, description = "The stored meeting.", body = MeetingResponse))
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
    let meeting = app::create(&app, MeetingInput::of(fields), &author).await?;
    Ok(created(meeting.map(MeetingResponse::from)))
}

/// Returns a meeting.
#[utoipa::path(
    get,
    path = "/backend/api/v1/meetings/{id}/",
    tag = "meetings",
    operation_id = "get_meeting",
    params(IdPath, IfMatchHeader, IfNoneMatchHeader),
    responses((status = 200, description = "The meeting.", body = MeetingResponse))
)]
async fn get(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let meeting = find(&app, &id).await?;
    show(&request, &Version::of(&meeting), MeetingResponse::from(meeting))
}

async fn find(app: &App, id: &str) -> Result<Meeting, ApiError> {
    app::find(app, meeting_id(id)?).await.map_err(|e| MEETING.find(e))
}

/// Replaces a meeting.
#[utoipa::path(
    put,
    path = "/backend/api/v1/meetings/{id}/",
    tag = "meetings",
    operation_id = "replace_meeting",
    params(IdPath, IfMatchHeader, UnlessMatchHeader),
    request_body = MeetingCreate,
    responses((status = 200, description = "The changed meeting.", body = MeetingResponse))
)]
async fn replace(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let input = read(&app, &id, &request, payload).await?;
    let replaced = app::replace(&app, meeting_id(&id)?, input, &expected, &author).await;
    let meeting = replaced.map_err(|e| MEETING.update(e))?;
    Ok(show_changed(&Version::of(&meeting), MeetingResponse::from(meeting)))
}

/// Changes the given fields of a meeting.
#[utoipa::path(
    patch,
    path = "/backend/api/v1/meetings/{id}/",
    tag = "meetings",
    operation_id = "change_meeting",
    params(IdPath, IfMatchHeader, UnlessMatchHeader),
    request_body = MeetingUpdate,
    responses((status = 200, description = "The changed meeting.", body = MeetingResponse))
)]
async fn change(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let input = read(&app, &id, &request, payload).await?;
    let changed = app::change(&app, meeting_id(&id)?, input, &expected, &author).await;
    let meeting = changed.map_err(|e| MEETING.update(e))?;
    Ok(show_changed(&Version::of(&meeting), MeetingResponse::from(meeting)))
}

/// Reads the body for an existing meeting. If it does not exist, that is reported even if the body is
/// invalid.
async fn read(
    app: &App,
    id: &str,
    request: &HttpRequest,
    payload: Payload,
) -> Result<MeetingInput, ApiError> {
    Ok(MeetingInput::of(body::read_for(request, payload, find(app, id)).await?))
}

/// Deletes a meeting.
#[utoipa::path(
    delete,
    path = "/backend/api/v1/meetings/{id}/",
    tag = "meetings",
    operation_id = "delete_meeting",
    params(IdPath, IfMatchHeader, UnlessMatchHeader),
    responses((status = 204, description = "The meeting is deleted."))
)]
async fn delete(
    app: Data<App>,
    id: Path<String>,
    Conditions(expected): Conditions,
    By(author): By,
) -> Result<HttpResponse, ApiError> {
    let deleted = app::delete(&app, meeting_id(&id)?, &expected, &author).await;
    deleted.map_err(|e| MEETING.update(e))?;
    Ok(HttpResponse::NoContent().finish())
}

fn meeting_id(text: &str) -> Result<MeetingId, ApiError> {
    path::id(text).map(MeetingId)
}
