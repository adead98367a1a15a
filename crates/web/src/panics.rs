//! A panic ends its request, and nothing else: in a handler, in what stands before a path,
//! or in what stands before all of them.

use std::panic::AssertUnwindSafe;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError};
use futures_util::FutureExt;

use crate::error::ApiError;
use crate::headers::protect;
use crate::request_id::REQUEST_ID;

/// Answers 500 in the place of what panicked, once it is known which path is meant. What it worked with is its
/// own request's; what is shared is behind locks that survive a panic.
pub(crate) async fn catch<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let kept = request.request().clone();
    // What is inside may panic before it has a future to poll.
    match AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_left_body()),
        // The panic itself has been logged by the hook.
        Err(_) => {
            let response = ServiceResponse::from_err(ApiError::internal(), kept);
            Ok(response.map_into_right_body())
        }
    }
}

/// Answers 500 in the place of what stands before all paths. The request itself is gone with
/// it; what is left is its id.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a panic")]
pub(crate) struct Panicked {
    pub(crate) id: Option<HeaderValue>,
}

impl ResponseError for Panicked {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = ApiError::internal().error_response();
        protect(answer.headers_mut());
        if let Some(id) = &self.id {
            answer.headers_mut().insert(REQUEST_ID, id.clone());
        }
        answer
    }
}
