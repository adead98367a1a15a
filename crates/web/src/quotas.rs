//! Tells clients what remains of their quotas, in the headers of
//! draft-ietf-httpapi-ratelimit-headers-10.

use std::cell::RefCell;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use exit3_app::quotas::Bill;
use exit3_domain::quotas::{Quota, Rate};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Quotas and the `RateLimit-Policy` value that describes them.
type Told = (Vec<(Quota, Rate)>, Option<HeaderValue>);

thread_local! {
    /// The last policy value. It depends on the key and the kind of request, and rarely changes
    /// from one request to the next.
    static LAST: RefCell<Told> = RefCell::default();
}

/// Adds `RateLimit-Policy` (size and window of each quota, in seconds) and `RateLimit` (what
/// remains of it, and the seconds until it is full again).
pub fn tell(bill: &Bill, headers: &mut HeaderMap) {
    let mut limit = String::with_capacity(96);
    for (quota, rate, remaining) in &bill.items {
        if let Some(remaining) = *remaining {
            let whole = until_whole(*rate, remaining);
            add(&mut limit, *quota, ("\";r=", remaining.into()), (";t=", whole));
        }
    }
    let limit = HeaderValue::try_from(limit).ok().filter(|limit| !limit.is_empty());
    for (name, value) in [(POLICY, policy(bill)), (LIMIT, limit)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

fn policy(bill: &Bill) -> Option<HeaderValue> {
    let quotas = || bill.items.iter().map(|(quota, rate, _)| (*quota, *rate));
    LAST.with_borrow_mut(|(known, told)| {
        if !quotas().eq(known.iter().copied()) {
            *known = quotas().collect();
            let mut policy = String::with_capacity(96);
            for (quota, rate) in &*known {
                let seconds = rate.period.duration().as_secs();
                add(&mut policy, *quota, ("\";q=", rate.limit.into()), (";w=", seconds));
            }
            *told = HeaderValue::try_from(policy).ok().filter(|policy| !policy.is_empty());
        }
        told.clone()
    })
}

/// Appends a quota with two parameters to a list. Rust's formatting would take several times as
/// long, on every response.
fn add(list: &mut String, quota: Quota, one: (&str, u64), other: (&str, u64)) {
    list.push_str(if list.is_empty() { "\"" } else { ", \"" });
    list.push_str(quota.as_str());
    for (before, number) in [one, other] {
        list.push_str(before);
        list.push_str(itoa::Buffer::new().format(number));
    }
}

fn until_whole(rate: Rate, remaining: u32) -> u64 {
    let used = u64::from(rate.limit.saturating_sub(remaining));
    (used * rate.period.duration().as_secs()).div_ceil(u64::from(rate.limit.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn told(items: Vec<(Quota, Rate, Option<u32>)>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        tell(&Bill { items, refused_for: None }, &mut headers);
        headers
    }

    #[test]
    fn every_quota_is_listed_with_what_remains() {
        let headers = told(vec![
            (Quota::Visitor, rate("100/hour"), Some(99)),
            (Quota::Key, rate("1000/hour"), Some(0)),
            (Quota::WrongKey, rate("10/hour"), None),
        ]);
        assert_eq!(
            headers.get(POLICY).unwrap(),
            "\"visitor\";q=100;w=3600, \"key\";q=1000;w=3600, \"wrong-key\";q=10;w=3600"
        );
        assert_eq!(headers.get(LIMIT).unwrap(), "\"visitor\";r=99;t=36, \"key\";r=0;t=3600");
    }

    #[test]
    fn a_changed_quota_changes_the_policy() {
        let all = [(Quota::Visitor, "1/hour"), (Quota::Visitor, "2/hour"), (Quota::Key, "2/hour")];
        for (quota, text) in all.into_iter().chain(all) {
            let headers = told(vec![(quota, rate(text), Some(1))]);
            let expected = format!("\"{quota}\";q={};w=3600", rate(text).limit);
            assert_eq!(headers.get(POLICY).unwrap(), &expected);
            assert!(told(vec![]).is_empty());
        }
    }
}
