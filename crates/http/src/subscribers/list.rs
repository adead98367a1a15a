use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_domain::subscribers::{
    SubscriberFilter, SubscriberId, SubscriberKey, SubscriberOrder, SubscriberPosition,
    SubscriberSort,
};
use exit3_web::{ApiError, query::Params};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::SubscriberResponse;
use crate::cursor::CursorKey;
use crate::listing::{self, Walk};
use crate::parameters::order;

/// A part of the list of subscribers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes an answer")]
pub(crate) struct SubscriberList {
    /// How many there are in all; not given when walking by cursor.
    count: Option<u64>,
    /// The address of what follows.
    #[schema(required = true)]
    next: Option<String>,
    /// The address of what precedes.
    #[schema(required = true)]
    previous: Option<String>,
    results: Vec<SubscriberResponse>,
}

/// Parameters of the list of subscribers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct SubscriberListQuery {
    /// `true` or `false`; anything else does not restrict.
    is_subscribed: Option<String>,
    #[param(schema_with = ordering)]
    ordering: Option<String>,
}

/// The subscribers, newest first; by numbered pages, or by cursor.
#[utoipa::path(
    get,
    path = "/backend/api/v1/newsletter/",
    tag = "newsletter",
    operation_id = "list_subscribers",
    params(
        crate::parameters::ListQuery,
        SubscriberListQuery,
        crate::parameters::SeenHeader
    ),
    responses(
        (status = 200, description = "A part of the list.", body = SubscriberList)
    )
)]
pub(crate) async fn list(
    app: Data<App>,
    cursors: Data<CursorKey>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let params = Params::of(&request);
    let filter =
        SubscriberFilter { is_subscribed: params.boolean("is_subscribed"), words: params.words()? };
    let order = params
        .ordering(SubscriberSort::from_word)?
        .map_or(SubscriberOrder::NEWEST, |(by, descending)| SubscriberOrder { by, descending });
    if !params.has("cursor") {
        let asked = params.page()?;
        let page = exit3_app::subscribers::list(&app, &filter, order, asked).await?;
        return Ok(listing::page::<_, SubscriberResponse>(&request, &params, asked, page));
    }
    let walk = Walk {
        list: format!("subscribers {}", listing::ordering(order.by.as_str(), order.descending)),
        key: &cursors,
        write,
        read: &|key, id| read(order.by, key, id),
    };
    let step = walk.step(&params)?;
    let slice = exit3_app::subscribers::walk(&app, &filter, order, &step).await?;
    Ok(walk.slice::<_, SubscriberResponse>(&request, &params, slice, |row| order.position(row)))
}

fn ordering() -> RefOr<Schema> {
    order(SubscriberSort::WORDS)
}

fn write(position: SubscriberPosition) -> (Vec<String>, i64) {
    let key = match position.key {
        SubscriberKey::Id => Vec::new(),
        SubscriberKey::Email(email) => vec![email],
        SubscriberKey::IsSubscribed(wanted) => vec![wanted.to_string()],
    };
    (key, position.id.0)
}

fn read(by: SubscriberSort, key: &[String], id: i64) -> Option<SubscriberPosition> {
    let key = match (by, key) {
        (SubscriberSort::Id, []) => SubscriberKey::Id,
        (SubscriberSort::Email, [email]) => SubscriberKey::Email(email.clone()),
        (SubscriberSort::IsSubscribed, [wanted]) => {
            SubscriberKey::IsSubscribed(wanted.parse().ok()?)
        }
        _ => return None,
    };
    Some(SubscriberPosition { key, id: SubscriberId(id) })
}
