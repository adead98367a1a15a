//! The cookie of a sign-in.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse};
use exit3_domain::sign_ins::SecretToken;

/// Over HTTPS. Browsers accept a cookie with this prefix only from the host itself, over HTTPS.
const SECURE: &str = "__Host-exit3";
/// Over plain HTTP.
const PLAIN: &str = "exit3";

/// The token in the cookie of a request. Over HTTPS, only the secure cookie counts: a page of
/// another host may be able to set the other one.
pub(crate) fn token(request: &HttpRequest, https: bool) -> Option<String> {
    request.cookie(name(https)).map(|cookie| cookie.value().to_owned())
}

/// The cookie that keeps a sign-in until the browser's session ends.
pub(crate) fn keep(token: String, https: bool) -> Cookie<'static> {
    build(token, https).finish()
}

/// Gives the browser the cookie of a sign-in.
pub(crate) fn add(response: &mut HttpResponse, token: &SecretToken, https: bool) {
    // A token has no characters that a cookie may not have.
    let _ = response.add_cookie(&keep(token.expose().to_owned(), https));
}

/// The cookie that removes that of a sign-in.
pub(crate) fn forget(https: bool) -> Cookie<'static> {
    build(String::new(), https).max_age(Duration::ZERO).finish()
}

fn name(https: bool) -> &'static str {
    if https { SECURE } else { PLAIN }
}

fn build(token: String, https: bool) -> actix_web::cookie::CookieBuilder<'static> {
    Cookie::build(name(https), token)
        .path("/")
        .http_only(true)
        .secure(https)
        .same_site(SameSite::Lax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_cookie_is_bound_to_its_host() {
        let cookie = keep("abc".to_owned(), true).to_string();
        assert_eq!(cookie, "__Host-exit3=abc; HttpOnly; SameSite=Lax; Secure; Path=/");
        let plain = keep("abc".to_owned(), false).to_string();
        assert_eq!(plain, "exit3=abc; HttpOnly; SameSite=Lax; Path=/");
    }

    #[test]
    fn the_plain_cookie_does_not_count_over_https() {
        let request = TestRequest::default().cookie(Cookie::new(PLAIN, "abc")).to_http_request();
        assert_eq!(token(&request, false).as_deref(), Some("abc"));
        assert_eq!(token(&request, true), None);
    }
}
