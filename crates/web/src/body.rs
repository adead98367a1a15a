//! Reads request bodies (JSON, forms, multipart) into raw fields.

mod charset;
mod form;
mod json;
mod multipart;
mod parameters;
mod parts;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use exit3_domain::raw::RawValue;
use exit3_domain::validation::{Invalid, Violation};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

pub use self::parts::{Part, Parts};

use self::charset::NotText;
use self::form::FormError;
use self::parameters::Parameters;
use crate::error::ApiError;
use crate::policy::RoutePolicy;
use crate::route;

/// Reads a request's body into raw fields.
///
/// # Errors
/// 400 for a body that cannot be read, 408 if it takes too long to arrive, 413 if it is too large,
/// 415 for a content type or a content encoding that the route does not accept.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Vec<(String, RawValue)>, ApiError> {
    let policy = route::policy(request);
    let bytes = Incoming::begin(request, payload, policy)?.collect().await?;
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
    let essence = content_type.essence.as_str();
    if !policy.content_types.contains(&essence) {
        return Err(unsupported("media type"));
    }
    match essence {
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

/// Reads the body of a request that changes an existing row. If the body cannot be read, `find`
/// looks for the row, so that a missing row is reported first.
///
/// # Errors
/// Those of `find` and of [`read`].
pub async fn read_for<T>(
    request: &HttpRequest,
    payload: Payload,
    find: impl Future<Output = Result<T, ApiError>>,
) -> Result<Vec<(String, RawValue)>, ApiError> {
    match read(request, payload).await {
        Ok(fields) => Ok(fields),
        Err(error) => {
            find.await?;
            Err(error)
        }
    }
}

/// A body that is read piece by piece, within the limits of its route.
pub struct Incoming {
    payload: Payload,
    /// Bytes that may still arrive.
    left: usize,
    deadline: Instant,
}

impl Incoming {
    /// Starts to read a body piece by piece, without holding it in memory.
    ///
    /// # Errors
    /// 400 for two content types, 413 if the announced length is too large, 415 for a content type
    /// or a content encoding that the route does not accept.
    pub fn open(request: &HttpRequest, payload: Payload) -> Result<Self, ApiError> {
        let policy = route::policy(request);
        let given = content_type(request)?;
        if !policy.content_types.contains(&Parameters::of(&given).essence.as_str()) {
            let detail = format!("Unsupported media type \"{given}\" in request.");
            return Err(ApiError::unsupported_media_type(detail));
        }
        Self::begin(request, payload, policy)
    }

    fn begin(
        request: &HttpRequest,
        payload: Payload,
        policy: RoutePolicy,
    ) -> Result<Self, ApiError> {
        refuse_encoding(request)?;
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse::<u64>().ok());
        if announced.is_some_and(|length| length > policy.body_bytes as u64) {
            return Err(ApiError::too_large());
        }
        let deadline = Instant::now() + policy.body_time;
        Ok(Self { payload, left: policy.body_bytes, deadline })
    }

    /// Returns the next piece, or `None` at the end.
    ///
    /// # Errors
    /// 400 if the body cannot be read, 408 if it takes too long to arrive, 413 if it is too large.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Ok(piece) = timeout_at(self.deadline, self.payload.next()).await else {
            return Err(ApiError::too_slow());
        };
        let Some(piece) = piece else { return Ok(None) };
        let piece = piece.map_err(|_| ApiError::bad_request("The body could not be read."))?;
        self.left = self.left.checked_sub(piece.len()).ok_or_else(ApiError::too_large)?;
        Ok(Some(piece))
    }

    async fn collect(mut self) -> Result<Bytes, ApiError> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }
}

/// The content type of the body. Two of them are refused, because either could be meant.
fn content_type(request: &HttpRequest) -> Result<String, ApiError> {
    let mut types = request.headers().get_all(header::CONTENT_TYPE);
    match (types.next(), types.next()) {
        (Some(one), None) => Ok(String::from_utf8_lossy(one.as_bytes()).into_owned()),
        (None, _) => Ok(String::new()),
        _ => Err(ApiError::bad_request("More than one Content-Type header.")),
    }
}

/// Refuses compressed bodies, since they may expand to a thousand times their size.
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
