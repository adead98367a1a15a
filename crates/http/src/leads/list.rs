use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::DateTime;
use exit3_app::App;
use exit3_domain::leads::{
    LeadCategory, LeadFilter, LeadId, LeadKey, LeadOrder, LeadPosition, LeadSort, LeadSource,
    LeadStatus,
};
use exit3_web::{ApiError, query::Params};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::LeadResponse;
use crate::cursor::CursorKey;
use crate::listing::{self, Walk};
use crate::parameters::{any_of, order, time};

/// A part of the list of leads.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes an answer")]
pub(crate) struct LeadList {
    /// How many there are in all; not given when walking by cursor.
    count: Option<u64>,
    /// The address of what follows.
    #[schema(required = true)]
    next: Option<String>,
    /// The address of what precedes.
    #[schema(required = true)]
    previous: Option<String>,
    results: Vec<LeadResponse>,
}

/// Parameters of the list of leads.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct LeadListQuery {
    #[param(style = Form, explode, schema_with = statuses)]
    status: Option<Vec<String>>,
    #[param(style = Form, explode, schema_with = sources)]
    source: Option<Vec<String>>,
    #[param(style = Form, explode, schema_with = categories)]
    category: Option<Vec<String>>,
    #[param(schema_with = created_after)]
    created_after: Option<String>,
    #[param(schema_with = created_before)]
    created_before: Option<String>,
    #[param(schema_with = ordering)]
    ordering: Option<String>,
}

/// The leads, newest first; by numbered pages, or by cursor.
#[utoipa::path(
    get,
    path = "/backend/api/v1/leads/",
    tag = "leads",
    operation_id = "list_leads",
    params(
        crate::parameters::ListQuery,
        LeadListQuery,
        crate::parameters::SeenHeader
    ),
    responses(
        (status = 200, description = "A part of the list.", body = LeadList)
    )
)]
pub(crate) async fn list(
    app: Data<App>,
    cursors: Data<CursorKey>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let params = Params::of(&request);
    let filter = filter(&params)?;
    let order = params
        .ordering(LeadSort::from_word)?
        .map_or(LeadOrder::NEWEST, |(by, descending)| LeadOrder { by, descending });
    if !params.has("cursor") {
        let asked = params.page()?;
        let page = exit3_app::leads::list(&app, &filter, order, asked).await?;
        return Ok(listing::page::<_, LeadResponse>(&request, &params, asked, page));
    }
    let walk = Walk {
        list: format!("leads {}", listing::ordering(order.by.as_str(), order.descending)),
        key: &cursors,
        write,
        read: &|key, id| read(order.by, key, id),
    };
    let step = walk.step(&params)?;
    let slice = exit3_app::leads::walk(&app, &filter, order, &step).await?;
    Ok(walk.slice::<_, LeadResponse>(&request, &params, slice, |lead| order.position(lead)))
}

fn ordering() -> RefOr<Schema> {
    order(LeadSort::WORDS)
}

fn statuses() -> RefOr<Schema> {
    any_of(LeadStatus::WORDS)
}

fn sources() -> RefOr<Schema> {
    any_of(LeadSource::WORDS)
}

fn categories() -> RefOr<Schema> {
    any_of(LeadCategory::WORDS)
}

fn created_after() -> RefOr<Schema> {
    time(
        "Stored at this time or later; a date stands for its first moment. \
         ISO 8601; in UTC where no zone is given.",
    )
}

fn created_before() -> RefOr<Schema> {
    time(
        "Stored before this time; a date stands for its first moment. \
         ISO 8601; in UTC where no zone is given.",
    )
}

fn filter(params: &Params) -> Result<LeadFilter, ApiError> {
    Ok(LeadFilter {
        statuses: params.choices("status", LeadStatus::from_word),
        sources: params.choices("source", LeadSource::from_word),
        categories: params.choices("category", LeadCategory::from_word),
        created_after: params.time("created_after")?,
        created_before: params.time("created_before")?,
        words: params.words()?,
    })
}

fn write(position: LeadPosition) -> (Vec<String>, i64) {
    let key = match position.key {
        LeadKey::Time(time) => vec![time.timestamp_micros().to_string()],
        LeadKey::Text(text) => vec![text],
        LeadKey::Status(status, time) => {
            vec![status.as_str().to_owned(), time.timestamp_micros().to_string()]
        }
    };
    (key, position.id.0)
}

fn read(by: LeadSort, key: &[String], id: i64) -> Option<LeadPosition> {
    let time = |text: &String| DateTime::from_timestamp_micros(text.parse().ok()?);
    let key = match (by, key) {
        (LeadSort::CreatedAt | LeadSort::UpdatedAt, [at]) => LeadKey::Time(time(at)?),
        (LeadSort::FullName | LeadSort::CompanyName, [text]) => LeadKey::Text(text.clone()),
        (LeadSort::Status, [status, at]) => {
            LeadKey::Status(LeadStatus::from_word(status)?, time(at)?)
        }
        _ => return None,
    };
    Some(LeadPosition { key, id: LeadId(id) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_cursor() {
        let at = DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap();
        for (by, key) in [
            (LeadSort::CreatedAt, LeadKey::Time(at)),
            (LeadSort::UpdatedAt, LeadKey::Time(at)),
            (LeadSort::FullName, LeadKey::Text("Đ \"1\"".into())),
            (LeadSort::CompanyName, LeadKey::Text(String::new())),
            (LeadSort::Status, LeadKey::Status(LeadStatus::Closed, at)),
        ] {
            let position = LeadPosition { key, id: LeadId(7) };
            let (key, id) = write(position.clone());
            assert_eq!(read(by, &key, id), Some(position));
            assert_eq!(read(by, &[], id), None);
        }
    }
}
