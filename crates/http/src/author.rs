//! The author of the writes of a request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use exit3_app::api_keys::Caller;
use exit3_domain::events::Author;
use exit3_web::{ApiError, current_request};

/// The author of what a request writes: the holder of its key, and the id of the request. Handlers of
/// a [`Resource`](crate::Resource) take it as a parameter.
pub struct By(pub Author);

impl FromRequest for By {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let actor = request.extensions().get().map(Caller::actor);
        let author = |actor| Author { actor, request: current_request(), batch: None };
        ready(actor.map(author).map(Self).ok_or_else(ApiError::internal))
    }
}
