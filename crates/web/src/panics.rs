//! Contains panics: a panic in a handler, in a route's middleware or in the outer middleware ends
//! its own request only.

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

/// Turns a panic into a 500, for code that runs after the route is known. Unwinding is safe: a
/// request's own data is dropped with it, and shared data is behind locks that survive a panic.
pub(crate) async fn catch<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let kept = request.request().clone();
    // The inner service may panic before it returns a future.
    match AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_left_body()),
        // The panic hook has logged the panic.
        Err(_) => {
            let response = ServiceResponse::from_err(ApiError::internal(), kept);
            Ok(response.map_into_right_body())
        }
    }
}

/// The error that turns a panic in the outer middleware into a 500. The request is gone by then;
/// only its id is left.
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
