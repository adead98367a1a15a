//! Refuses forged requests: those that a page of another origin makes the browser send.
//!
//! The browser says where a request comes from: in `Sec-Fetch-Site`, or in `Origin`. No token in
//! forms is needed. The algorithm is that of Go's `CrossOriginProtection`, but an unsafe request
//! that carries a cookie and has neither header is refused as well.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request may have been made by a page of another origin. `host` is the host that the
/// client named.
pub(crate) fn is_forged(method: &Method, headers: &HeaderMap, host: Option<&str>) -> bool {
    if method.is_safe() {
        return false;
    }
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    match (text(SEC_FETCH_SITE), text(header::ORIGIN)) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => !is_origin_of(origin, host),
        (None, None) => headers.contains_key(header::COOKIE),
    }
}

fn is_origin_of(origin: &str, host: Option<&str>) -> bool {
    let address = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    address.zip(host).is_some_and(|(address, host)| address.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use rstest::rstest;

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let given = given
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        given.collect()
    }

    #[rstest]
    #[case::same_origin(&[("sec-fetch-site", "same-origin")], false)]
    #[case::typed_address(&[("sec-fetch-site", "none")], false)]
    #[case::same_site(&[("sec-fetch-site", "same-site")], true)]
    #[case::cross_site(&[("sec-fetch-site", "cross-site"), ("origin", "https://a.hr")], true)]
    #[case::unknown_word(&[("sec-fetch-site", "")], true)]
    #[case::own_origin(&[("origin", "https://a.hr"), ("cookie", "x=y")], false)]
    #[case::other_origin(&[("origin", "https://b.hr")], true)]
    #[case::other_port(&[("origin", "https://a.hr:8443")], true)]
    #[case::suffix(&[("origin", "https://xa.hr")], true)]
    #[case::no_origin(&[("origin", "null")], true)]
    #[case::neither_with_cookie(&[("cookie", "x=y")], true)]
    #[case::neither_without_cookie(&[], false)]
    fn a_post_must_come_from_an_own_page(
        #[case] given: &[(&'static str, &'static str)],
        #[case] forged: bool,
    ) {
        let given = headers(given);
        assert_eq!(is_forged(&Method::POST, &given, Some("a.hr")), forged);
        assert!(!is_forged(&Method::GET, &given, Some("a.hr")));
    }

    #[test]
    fn an_origin_needs_a_host() {
        assert!(is_forged(&Method::POST, &headers(&[("origin", "https://a.hr")]), None));
    }
}
