//! Tags, as a module outside of this repository would have them: a resource over what the module
//! keeps.
#![allow(unreachable_pub, reason = "a crate of its own would export them")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use actix_web::http::Method;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::{App, FindError, UpdateError};
use exit3_domain::choice::Choice;
use exit3_domain::fields::{Field, FieldKind};
use exit3_domain::order::{Order, Sort, SortColumn};
use exit3_domain::paging::{Page, PageNumber, Slice};
use exit3_domain::raw::RawValue;
use exit3_domain::validation::{Invalid, Violation};
use exit3_domain::versions::Version;
use exit3_http::parameters::{
    IdPath, IfMatchHeader, IfNoneMatchHeader, ListQuery, SeenHeader, UnlessMatchHeader, order,
};
use exit3_http::{
    Body, By, Conditions, CursorKey, ListRequest, Part, ROW, Resource, list_schema, show,
    show_changed, written_out,
};
use exit3_web::error::Absent;
use exit3_web::query::Params;
use exit3_web::{ApiError, Endpoint, body, path};
use serde::Serialize;
use serde_json::json;
use utoipa::{IntoParams, OpenApi, ToSchema};

/// A stored tag.
#[derive(Debug, Clone, Serialize)]
pub struct Tag {
    pub id: i64,
    pub title: String,
}

/// What the module keeps: tags, and who wrote the last one.
#[derive(Default)]
pub struct Tags {
    pub rows: Mutex<BTreeMap<i64, Tag>>,
    pub author: Mutex<Option<String>>,
}

impl Tags {
    fn find(&self, id: i64) -> Result<Tag, FindError> {
        self.rows.lock().unwrap().get(&id).cloned().ok_or(FindError::NotFound)
    }
}

/// The sort key of a list of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagSort {
    Id,
}

impl Choice for TagSort {
    const ALL: &'static [Self] = &[Self::Id];
    const WORDS: &'static [&'static str] = &["id"];

    fn as_str(self) -> &'static str {
        "id"
    }

    fn from_word(word: &str) -> Option<Self> {
        (word == "id").then_some(Self::Id)
    }
}

impl Sort for TagSort {
    type Row = Tag;

    const LIST: &'static str = "tags";
    const NEWEST: Order<Self> = Order { by: Self::Id, descending: true };

    fn columns(self) -> &'static [SortColumn<Tag>] {
        &[]
    }

    fn id(tag: &Tag) -> i64 {
        tag.id
    }
}

const FIELDS: &[Field] = &[Field {
    name: "title",
    kind: FieldKind::Text { accepted: 50, stored: Some(50) },
    is_required: true,
    is_nullable: false,
}];

/// Tags in the API.
pub const RESOURCE: Resource = Resource {
    name: "tags",
    fields: FIELDS,
    endpoints,
    bodies,
    document: Annotations::openapi,
    ..Resource::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("").route(Method::GET, list).route(Method::POST, create),
        Endpoint::new(ROW).route(Method::GET, get).route(Method::PUT, replace),
    ]
}

#[derive(OpenApi)]
#[openapi(paths(list, create, get, replace), tags((name = "tags", description = "Tags.")))]
struct Annotations;

const TAG: Absent = Absent("Tag");

/// A tag.
#[derive(Serialize, ToSchema)]
#[schema(as = Tag)]
struct TagResponse {
    id: i64,
    #[schema(max_length = 50)]
    title: String,
}

impl From<Tag> for TagResponse {
    fn from(Tag { id, title }: Tag) -> Self {
        Self { id, title }
    }
}

written_out! {
    /// A whole tag.
    TagCreate,
}

fn bodies() -> Vec<Body> {
    let title = json!({"type": "string", "maxLength": 50});
    let properties = json!({ "title": title });
    vec![Body { name: "TagCreate", description: "A whole tag.", properties, is_whole: true }]
}

list_schema! {
    /// A page of tags.
    TagList of TagResponse
}

/// Parameters of the list of tags.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
struct TagListQuery {
    #[param(schema_with = order::<TagSort>)]
    ordering: Option<String>,
}

/// Lists tags, newest first, in numbered pages or by cursor.
#[utoipa::path(
    get,
    path = "/backend/api/v1/tags/",
    tag = "tags",
    operation_id = "list_tags",
    params(ListQuery, TagListQuery, SeenHeader),
    responses((status = 200, description = "The page.", body = TagList))
)]
async fn list(
    app: Data<App>,
    cursors: Data<CursorKey>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let params = Params::of(&request);
    let list = ListRequest::<TagSort>::read(&request, &params, &cursors)?;
    let rows: Vec<Tag> = app.kept::<Tags>()?.rows.lock().unwrap().values().rev().cloned().collect();
    Ok(match &list.part {
        Part::Page(page) => {
            let (number, count) = match page.number {
                PageNumber::Number(number) => (number, rows.len() as u64),
                PageNumber::Last => (1, rows.len() as u64),
            };
            list.page(Page { count, number, rows }, TagResponse::from)
        }
        Part::Step(step) => {
            let from = step.from.as_ref().map_or(i64::MAX, |from| from.id);
            let rows = rows.into_iter().filter(|tag| tag.id < from);
            list.slice(
                Slice::of(step, rows.take(step.size as usize + 1).collect()),
                TagResponse::from,
            )
        }
    })
}

/// Creates a tag.
#[utoipa::path(
    post,
    path = "/backend/api/v1/tags/",
    tag = "tags",
    operation_id = "create_tag",
    request_body = TagCreate,
    responses((status = 201, description = "The stored tag.", body = TagResponse))
)]
async fn create(
    app: Data<App>,
    request: HttpRequest,
    By(author): By,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let title = title(body::read(&request, payload).await?)?;
    let tags = app.kept::<Tags>()?;
    *tags.author.lock().unwrap() = Some(author.actor.to_string());
    let mut rows = tags.rows.lock().unwrap();
    let id = rows.keys().last().map_or(1, |last| last + 1);
    let tag = Tag { id, title };
    rows.insert(id, tag.clone());
    Ok(HttpResponse::Created().json(TagResponse::from(tag)))
}

/// Returns a tag.
#[utoipa::path(
    get,
    path = "/backend/api/v1/tags/{id}/",
    tag = "tags",
    operation_id = "get_tag",
    params(IdPath, IfMatchHeader, IfNoneMatchHeader),
    responses((status = 200, description = "The tag.", body = TagResponse))
)]
async fn get(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let tag = app.kept::<Tags>()?.find(path::id(&id)?).map_err(|e| TAG.find(e))?;
    show(&request, &Version::of(&tag), TagResponse::from(tag))
}

/// Replaces a tag.
#[utoipa::path(
    put,
    path = "/backend/api/v1/tags/{id}/",
    tag = "tags",
    operation_id = "replace_tag",
    params(IdPath, IfMatchHeader, UnlessMatchHeader),
    request_body = TagCreate,
    responses((status = 200, description = "The changed tag.", body = TagResponse))
)]
async fn replace(
    app: Data<App>,
    id: Path<String>,
    request: HttpRequest,
    Conditions(expected): Conditions,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (tags, id) = (app.kept::<Tags>()?, path::id(&id)?);
    let find = async { tags.find(id).map_err(|e| TAG.find(e)) };
    let title = title(body::read_for(&request, payload, find).await?)?;
    let seen = tags.find(id).map_err(|e| TAG.find(e))?;
    if !expected.admits(&seen) {
        return Err(TAG.update(UpdateError::Unexpected));
    }
    let tag = Tag { id, title };
    tags.rows.lock().unwrap().insert(id, tag.clone());
    Ok(show_changed(&Version::of(&tag), TagResponse::from(tag)))
}

fn title(fields: Vec<(String, RawValue)>) -> Result<String, Invalid> {
    match fields.into_iter().find(|(name, _)| name == "title") {
        Some((_, RawValue::Text(title))) => Ok(title),
        _ => Err(Invalid::field("title", Violation::new("required", "This field is required."))),
    }
}
