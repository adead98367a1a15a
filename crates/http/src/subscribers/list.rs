use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_domain::subscribers::{SubscriberFilter, SubscriberSort};
use exit3_web::{ApiError, query::Params};
use utoipa::IntoParams;

use super::SubscriberResponse;
use crate::cursor::CursorKey;
use crate::listing::{ListRequest, Part};
use crate::parameters::order;

crate::list_schema! {
    /// A page of subscribers.
    SubscriberList of SubscriberResponse
}

/// Parameters of the list of subscribers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct SubscriberListQuery {
    /// `true` or `false`. Other values are ignored.
    is_subscribed: Option<String>,
    #[param(schema_with = order::<SubscriberSort>)]
    ordering: Option<String>,
}

/// Lists subscribers, newest first, in numbered pages or by cursor.
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
        (status = 200, description = "The page, or the rows from the cursor on.", body = SubscriberList)
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
    let list = ListRequest::<SubscriberSort>::read(&request, &params, &cursors)?;
    Ok(match &list.part {
        Part::Page(page) => {
            let found = exit3_app::subscribers::list(&app, &filter, list.order, *page).await?;
            list.page(found, SubscriberResponse::from)
        }
        Part::Step(step) => {
            let found = exit3_app::subscribers::walk(&app, &filter, list.order, step).await?;
            list.slice(found, SubscriberResponse::from)
        }
    })
}
