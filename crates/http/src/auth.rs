//! The key that every request for data carries.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::ApiError;

/// The key that opens everything. Only its digest is kept.
#[derive(Clone)]
pub struct ApiKey {
    digest: [u8; 32],
}

impl ApiKey {
    /// Takes the key as it stands in the settings.
    pub fn new(key: &SecretString) -> Self {
        Self { digest: Sha256::digest(key.expose_secret()).into() }
    }

    /// Whether `presented` is the key. Comparing digests takes the same time
    /// however much of it is right, and whatever its length.
    fn accepts(&self, presented: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        digest.ct_eq(&self.digest).into()
    }
}

/// Lets a request through only with the key: 403 without it, 400 with two
/// `Authorization` headers.
pub(crate) async fn require_key<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match check(&request) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}

fn check(request: &ServiceRequest) -> Result<(), ApiError> {
    const FORMAT: &str = "Invalid authorization header format";
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let credentials = headers.next().ok_or_else(|| ApiError::forbidden(FORMAT))?.as_bytes();
    if headers.next().is_some() {
        return Err(ApiError::bad_request("More than one Authorization header."));
    }
    let presented = credentials
        .strip_prefix(b"Basic ")
        .or_else(|| credentials.strip_prefix(b"Bearer "))
        .ok_or_else(|| ApiError::forbidden(FORMAT))?;
    let accepted = request.app_data::<Data<ApiKey>>().is_some_and(|key| key.accepts(presented));
    if accepted { Ok(()) } else { Err(ApiError::forbidden("Invalid or missing API Key")) }
}
