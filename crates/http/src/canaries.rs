//! The marks of canaries. Only the holder of `SECRET_KEY` can make one, and it lasts for minutes.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::web::Data;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use exit3_app::App;
use exit3_app::canaries::CanaryError;
use exit3_domain::canaries::CanaryId;
use exit3_domain::quotas::Quota;
use exit3_web::ApiError;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::cursor::keyed;
use crate::resource::Resource;

/// The header with the mark of a canary.
pub const CANARY_HEADER: HeaderName = HeaderName::from_static("exit3-canary");

/// How old a mark may be. It may also come from a clock that is this much ahead.
const LASTS: TimeDelta = TimeDelta::minutes(5);

const WRONG: &str = "Exit3-Canary is wrong or too old.";
const OTHER: &str = "The body is not that of the canary in Exit3-Canary.";
const ELSEWHERE: &str = "Exit3-Canary is for creating leads only.";

/// Makes and checks the marks of canaries.
#[derive(Clone)]
pub struct CanaryKey(Hmac<Sha256>);

impl CanaryKey {
    /// Derives the key from the secret in the settings.
    pub fn new(secret: &SecretString) -> Self {
        let mut mac = keyed(secret.expose_secret().as_bytes());
        mac.update(b"exit3 canaries");
        Self(keyed(&mac.finalize().into_bytes()))
    }

    /// The mark of a canary that is sent at this time.
    pub fn mark(&self, id: CanaryId, at: DateTime<Utc>) -> String {
        let signed = format!("{id}.{}", at.timestamp());
        let code = self.over(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(code))
    }

    /// The canary of a mark that this key has made, and that is not too old.
    fn read(&self, mark: &[u8], now: DateTime<Utc>) -> Option<CanaryId> {
        let (signed, code) = std::str::from_utf8(mark).ok()?.rsplit_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        self.over(signed).verify_slice(&code).ok()?;
        let (id, at) = signed.split_once('.')?;
        let at = DateTime::from_timestamp(at.parse().ok()?, 0)?;
        ((now - at).abs() <= LASTS).then(|| id.parse().ok())?
    }

    fn over(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(signed.as_bytes());
        mac
    }
}

/// The canary that a request brings, if it has the header.
///
/// # Errors
/// 400 for a header that is not a good one. Otherwise a canary would become a lead.
pub(crate) fn canary_of(
    resource: &Resource,
    request: &ServiceRequest,
    app: &App,
) -> Result<Option<CanaryId>, ApiError> {
    let Some(mark) = only(request.headers())? else { return Ok(None) };
    if resource.quota(request.method()) != Some(Quota::LeadCreate) {
        return Err(ApiError::bad_request(ELSEWHERE));
    }
    let key = request.app_data::<Data<CanaryKey>>().ok_or_else(ApiError::internal)?;
    let id = key.read(mark, app.clock.now()).ok_or_else(|| ApiError::bad_request(WRONG))?;
    Ok(Some(id))
}

fn only(headers: &HeaderMap) -> Result<Option<&[u8]>, ApiError> {
    let mut marks = headers.get_all(CANARY_HEADER);
    match (marks.next(), marks.next()) {
        (mark, None) => Ok(mark.map(|mark| mark.as_bytes())),
        _ => Err(ApiError::bad_request(WRONG)),
    }
}

/// The canary that the gate has found in a request.
pub(crate) fn found(request: &impl HttpMessage) -> Option<CanaryId> {
    request.extensions().get().copied()
}

/// The answer to a canary that did not arrive.
pub(crate) fn refusal(error: CanaryError) -> ApiError {
    match error {
        CanaryError::OtherLead => ApiError::bad_request(OTHER),
        CanaryError::Save(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: CanaryId = CanaryId(7);

    fn key(secret: &str) -> CanaryKey {
        CanaryKey::new(&SecretString::from(secret.to_owned()))
    }

    fn time(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_mark_lasts_for_five_minutes() {
        let mark = key("s").mark(ID, time(0));
        for (seconds, read) in
            [(0, Some(ID)), (300, Some(ID)), (-300, Some(ID)), (301, None), (-301, None)]
        {
            assert_eq!(key("s").read(mark.as_bytes(), time(seconds)), read, "{seconds}");
        }
    }

    #[test]
    fn nobody_else_can_make_a_mark() {
        let mark = key("s").mark(ID, time(0));
        let (id, rest) = mark.split_once('.').unwrap();
        let (_, code) = rest.split_once('.').unwrap();
        let later = format!("{id}.{}.{code}", time(600).timestamp());
        let other = format!("{}.{rest}", CanaryId(8));
        let of_other_key = key("other").mark(ID, time(0));
        for forged in [&later, &other, &of_other_key, &mark[1..], &mark[..mark.len() - 1], "", ".."]
        {
            assert_eq!(key("s").read(forged.as_bytes(), time(0)), None, "{forged}");
            assert_eq!(key("s").read(forged.as_bytes(), time(600)), None, "{forged}");
        }
    }
}
