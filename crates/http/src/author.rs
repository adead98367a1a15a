//! The author of the writes of a request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use exit3_app::api_keys::Caller;
use exit3_domain::events::Author;
use exit3_web::{ApiError, current_request};

/// The holder of the request's key, and the id of the request. Only handlers behind
/// [`crate::auth::admit`] may ask for it.
pub(crate) struct By(pub(crate) Author);

impl FromRequest for By {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let actor = request.extensions().get().map(Caller::actor);
        let author = |actor| Author { actor, request: current_request(), batch: None };
        ready(actor.map(author).map(Self).ok_or_else(ApiError::internal))
    }
}
