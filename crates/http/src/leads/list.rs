use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_domain::leads::{LeadCategory, LeadFilter, LeadSort, LeadSource, LeadStatus};
use exit3_web::{ApiError, query::Params};
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::LeadResponse;
use super::include::{Include, IncludeQuery};
use crate::cursor::CursorKey;
use crate::listing::{ListRequest, Part};
use crate::parameters::{any_of, order, time};

crate::list_schema! {
    /// A page of leads.
    LeadList of LeadResponse
}

/// Parameters of the list of leads.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct LeadListQuery {
    #[param(style = Form, explode, schema_with = any_of::<LeadStatus>)]
    status: Option<Vec<String>>,
    #[param(style = Form, explode, schema_with = any_of::<LeadSource>)]
    source: Option<Vec<String>>,
    #[param(style = Form, explode, schema_with = any_of::<LeadCategory>)]
    category: Option<Vec<String>>,
    #[param(schema_with = created_after)]
    created_after: Option<String>,
    #[param(schema_with = created_before)]
    created_before: Option<String>,
    #[param(schema_with = order::<LeadSort>)]
    ordering: Option<String>,
}

/// Lists leads, newest first, in numbered pages or by cursor.
#[utoipa::path(
    get,
    path = "/backend/api/v1/leads/",
    tag = "leads",
    operation_id = "list_leads",
    params(
        crate::parameters::ListQuery,
        LeadListQuery,
        IncludeQuery,
        crate::parameters::SeenHeader
    ),
    responses(
        (status = 200, description = "The page, or the rows from the cursor on.", body = LeadList)
    )
)]
pub(crate) async fn list(
    app: Data<App>,
    cursors: Data<CursorKey>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let params = Params::of(&request);
    let (filter, include) = (filter(&params)?, Include::read(&params)?);
    let list = ListRequest::<LeadSort>::read(&request, &params, &cursors)?;
    Ok(match &list.part {
        Part::Page(page) => {
            let found = exit3_app::leads::list(&app, &filter, list.order, *page).await?;
            list.page(found, |lead| include.show(lead))
        }
        Part::Step(step) => {
            let found = exit3_app::leads::walk(&app, &filter, list.order, step).await?;
            list.slice(found, |lead| include.show(lead))
        }
    })
}

fn created_after() -> RefOr<Schema> {
    time(
        "Only leads stored at or after this time, in ISO 8601. A date means its \
         first moment; a time without a zone is in UTC.",
    )
}

fn created_before() -> RefOr<Schema> {
    time(
        "Only leads stored before this time, in ISO 8601. A date means its \
         first moment; a time without a zone is in UTC.",
    )
}

fn filter(params: &Params) -> Result<LeadFilter, ApiError> {
    Ok(LeadFilter {
        statuses: params.choices("status", LeadStatus::from_word),
        sources: params.choices("source", LeadSource::from_word),
        categories: params.choices("category", LeadCategory::from_word),
        created_after: params.time("created_after")?,
        created_before: params.time("created_before")?,
        owner: None,
        due: None,
        words: params.words()?,
    })
}
