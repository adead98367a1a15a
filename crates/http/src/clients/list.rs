use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::App;
use exit3_domain::clients::{ClientFilter, ClientSort};
use exit3_domain::leads::{LeadCategory, LeadId};
use exit3_web::{ApiError, query::Params};
use utoipa::IntoParams;

use super::ClientResponse;
use crate::cursor::CursorKey;
use crate::listing::{ListRequest, Part};
use crate::parameters::{any_of, order};

crate::list_schema! {
    /// A page of clients.
    ClientList of ClientResponse
}

/// Parameters of the list of clients.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct ClientListQuery {
    #[param(style = Form, explode, schema_with = any_of::<LeadCategory>)]
    category: Option<Vec<String>>,
    /// The team, compared exactly.
    team_id: Option<String>,
    /// The id of a lead: finds the client that it became. Texts that are no id match nothing.
    lead: Option<String>,
    /// Whether there is a contract: `true` or `false`. Other values are ignored.
    has_contract: Option<String>,
    #[param(schema_with = order::<ClientSort>)]
    ordering: Option<String>,
}

/// Lists clients, newest first, in numbered pages or by cursor. A search finds the team, the
/// description, and the texts of the lead.
#[utoipa::path(
    get,
    path = "/backend/api/v1/clients/",
    tag = "clients",
    operation_id = "list_clients",
    params(crate::parameters::ListQuery, ClientListQuery, crate::parameters::SeenHeader),
    responses(
        (status = 200, description = "The page, or the rows from the cursor on.", body = ClientList)
    )
)]
pub(crate) async fn list(
    app: Data<App>,
    cursors: Data<CursorKey>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let params = Params::of(&request);
    let filter = filter(&params)?;
    let list = ListRequest::<ClientSort>::read(&request, &params, &cursors)?;
    Ok(match &list.part {
        Part::Page(page) => {
            let found = exit3_app::clients::list(&app, &filter, list.order, *page).await?;
            list.page(found, ClientResponse::from)
        }
        Part::Step(step) => {
            let found = exit3_app::clients::walk(&app, &filter, list.order, step).await?;
            list.slice(found, ClientResponse::from)
        }
    })
}

fn filter(params: &Params) -> Result<ClientFilter, ApiError> {
    // No lead has the id 0.
    let id = |text: &str| LeadId(text.parse().unwrap_or_default());
    Ok(ClientFilter {
        categories: params.choices("category", LeadCategory::from_word),
        team_id: params.last("team_id").map(str::to_owned),
        lead: params.last("lead").map(id),
        has_contract: params.boolean("has_contract"),
        words: params.words()?,
    })
}
