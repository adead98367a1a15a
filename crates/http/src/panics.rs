//! A panic in a handler ends its request, and nothing else.

use std::panic::AssertUnwindSafe;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use futures_util::FutureExt;

use crate::error::ApiError;

/// Answers 500 in the place of a handler that panicked. What it worked with is its
/// own request's; what is shared is behind locks that survive a panic.
pub(crate) async fn catch<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let kept = request.request().clone();
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_left_body()),
        // The panic itself has been logged by the hook.
        Err(_) => {
            let response = ServiceResponse::from_err(ApiError::internal(), kept);
            Ok(response.map_into_right_body())
        }
    }
}
