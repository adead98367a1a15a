//! An HTTP client for commands that check a service from outside.

use std::error::Error;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode};
use serde_json::Value;

/// The longest response, in bytes, unless another limit is given. The service's responses are far
/// shorter, but another server at the address might never stop sending.
const LONGEST: usize = 64 * 1024;

/// A client with the time limit `patience`, which follows no redirects.
pub(super) fn client(patience: Duration) -> ClientBuilder {
    Client::builder()
        .timeout(patience)
        .redirect(Policy::none())
        .user_agent(concat!("exit3/", env!("CARGO_PKG_VERSION")))
}

/// A response.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Null if the body is not JSON.
    pub(super) body: Value,
}

/// Why there is no usable response, to follow a colon.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error("{}", cause(.0))]
    NoAnswer(reqwest::Error),
    #[error("the answer was {0}{1}")]
    Refused(StatusCode, String),
    #[error("the answer has more than {} KiB", .0 / 1024)]
    TooLong(usize),
}

/// Sends a request and reads the whole response.
///
/// # Errors
/// There is no response, or its status is not `expected`.
pub(super) async fn ask(request: RequestBuilder, expected: StatusCode) -> Result<Value, AskError> {
    let answer = ask_for_any(request).await?;
    if answer.status == expected {
        return Ok(answer.body);
    }
    Err(answer.refused())
}

/// Like [`ask`], for any status.
pub(super) async fn ask_for_any(request: RequestBuilder) -> Result<Answer, AskError> {
    ask_for_long(request, LONGEST).await
}

/// Like [`ask_for_any`], for a response of up to `longest` bytes.
pub(super) async fn ask_for_long(
    request: RequestBuilder,
    longest: usize,
) -> Result<Answer, AskError> {
    let response = request.send().await.map_err(AskError::NoAnswer)?;
    let status = response.status();
    let bytes = read(response, longest).await?;
    Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
}

async fn read(mut response: Response, longest: usize) -> Result<Vec<u8>, AskError> {
    let mut bytes = Vec::new();
    while let Some(more) = response.chunk().await.map_err(AskError::NoAnswer)? {
        if bytes.len() + more.len() > longest {
            return Err(AskError::TooLong(longest));
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

impl Answer {
    pub(super) fn refused(&self) -> AskError {
        let detail = self.body.get("detail").or(self.body.get("status")).and_then(Value::as_str);
        let detail = detail.map(|text| format!(", {}", text.escape_debug())).unwrap_or_default();
        AskError::Refused(self.status, detail.trim_end_matches('.').to_owned())
    }
}

/// The innermost cause; the outer ones only say that something failed.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "there was no answer in time".to_owned();
    }
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
