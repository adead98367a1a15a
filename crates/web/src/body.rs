//! Request bodies: whatever they are written in, they become raw fields.

mod charset;
mod form;
mod json;
mod multipart;
mod parameters;

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use exit3_domain::raw::RawValue;
use exit3_domain::validation::{Invalid, Violation};
use futures_util::StreamExt;
use tokio::time::timeout;

use self::charset::NotText;
use self::form::FormError;
use self::parameters::Parameters;
use crate::error::ApiError;

/// The largest body, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// The raw fields of a request's body.
///
/// # Errors
/// 400 for a body that cannot be read, 408 for one that takes too long, 413 above [`MAX_BYTES`], 415 for a
/// content type or encoding that is not taken.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Vec<(String, RawValue)>, ApiError> {
    refuse_encoding(request)?;
    let bytes = timeout(PATIENCE, collect(request, payload))
        .await
        .unwrap_or_else(|_| Err(ApiError::too_slow()))?;
    let given = content_type(request)?;
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let content_type = Parameters::of(&given);
    let unsupported = |what: &str| {
        ApiError::unsupported_media_type(format!("Unsupported {what} \"{given}\" in request."))
    };
    let charset =
        charset::one_of(content_type.all("charset")).map_err(|_| unsupported("media type"))?;
    let form = |what: &str, error: FormError| match error {
        FormError::Charset => unsupported("charset in media type"),
        error => ApiError::bad_request(format!("{what} parse error - {error}")),
    };
    match content_type.essence.as_str() {
        "application/json" => match charset::decode_json(&bytes, charset) {
            Ok(json) => object(&json),
            Err(NotText::Unsupported) => Err(unsupported("charset in media type")),
            Err(NotText::Malformed(name)) => {
                Err(ApiError::bad_request(format!("JSON parse error - not {name}")))
            }
        },
        "application/x-www-form-urlencoded" => {
            form::parse_urlencoded(&bytes, charset).map_err(|error| form("Form", error))
        }
        "multipart/form-data" => {
            multipart::parse(&bytes, &content_type).map_err(|error| form("Multipart form", error))
        }
        _ => Err(unsupported("media type")),
    }
}

/// The content type of the body. Two of them are refused: either could be meant.
fn content_type(request: &HttpRequest) -> Result<String, ApiError> {
    let mut types = request.headers().get_all(header::CONTENT_TYPE);
    match (types.next(), types.next()) {
        (Some(one), None) => Ok(String::from_utf8_lossy(one.as_bytes()).into_owned()),
        (None, _) => Ok(String::new()),
        _ => Err(ApiError::bad_request("More than one Content-Type header.")),
    }
}

/// A compressed body could be a thousand times what it seems to be.
fn refuse_encoding(request: &HttpRequest) -> Result<(), ApiError> {
    let mut encodings = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii);
    if encodings.any(|name| !name.is_empty()) {
        return Err(ApiError::unsupported_media_type("Unsupported content encoding in request."));
    }
    Ok(())
}

async fn collect(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, ApiError> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BYTES as u64) {
        return Err(ApiError::too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::bad_request("The body could not be read."))?;
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(ApiError::too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn object(bytes: &[u8]) -> Result<Vec<(String, RawValue)>, ApiError> {
    let whole =
        |message: String| ApiError::from(Invalid::whole(Violation::new("invalid", message)));
    match json::parse(bytes) {
        Ok(json::Document::Object(fields)) => Ok(fields),
        Ok(json::Document::Null) => Err(whole("No data provided".to_owned())),
        Ok(json::Document::Other(kind)) => {
            Err(whole(format!("Invalid data. Expected a dictionary, but got {kind}.")))
        }
        Err(error) => Err(ApiError::bad_request(format!("JSON parse error - {error}"))),
    }
}
