//! How answers tell what remains of the quotas, in the words of
//! draft-ietf-httpapi-ratelimit-headers-10.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use exit3_app::quotas::Bill;
use exit3_domain::quotas::{Quota, Rate};

pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Adds `RateLimit-Policy` and `RateLimit`: of each quota its size and seconds, what
/// remains of it, and the seconds until it is whole again.
pub(crate) fn tell(bill: &Bill, headers: &mut HeaderMap) {
    let (mut policy, mut limit) = (String::with_capacity(96), String::with_capacity(64));
    for (quota, rate, remaining) in &bill.items {
        let (size, seconds) = (rate.limit.into(), rate.period.duration().as_secs());
        add(&mut policy, *quota, [("q", size), ("w", seconds)]);
        if let Some(remaining) = *remaining {
            let whole = until_whole(*rate, remaining);
            add(&mut limit, *quota, [("r", remaining.into()), ("t", whole)]);
        }
    }
    for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
        if !value.is_empty()
            && let Ok(value) = HeaderValue::try_from(value)
        {
            headers.insert(name, value);
        }
    }
}

/// Adds a quota and its numbers to a list. Rust's formatting would take several times as
/// long, for every answer.
fn add(list: &mut String, quota: Quota, numbers: [(&str, u64); 2]) {
    list.push_str(if list.is_empty() { "\"" } else { ", \"" });
    list.extend([quota.as_str(), "\""]);
    for (name, number) in numbers {
        list.extend([";", name, "=", itoa::Buffer::new().format(number)]);
    }
}

fn until_whole(rate: Rate, remaining: u32) -> u64 {
    let used = u64::from(rate.limit.saturating_sub(remaining));
    (used * rate.period.duration().as_secs()).div_ceil(u64::from(rate.limit.max(1)))
}

/// Whole seconds, at least one, after which waiting is over.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quota_is_told_with_what_remains() {
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        let bill = Bill {
            items: vec![
                (Quota::Visitor, rate("100/hour"), Some(99)),
                (Quota::Key, rate("1000/hour"), Some(0)),
                (Quota::LeadCreate, rate("10/hour"), None),
            ],
            refused_for: None,
        };
        let mut headers = HeaderMap::new();
        tell(&bill, &mut headers);
        assert_eq!(
            headers.get(POLICY).unwrap(),
            "\"visitor\";q=100;w=3600, \"key\";q=1000;w=3600, \"lead-create\";q=10;w=3600"
        );
        assert_eq!(headers.get(LIMIT).unwrap(), "\"visitor\";r=99;t=36, \"key\";r=0;t=3600");
    }

    #[test]
    fn without_quotas_nothing_is_told() {
        let mut headers = HeaderMap::new();
        tell(&Bill::default(), &mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn waiting_is_over_after_the_seconds_that_are_told() {
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(36)), 36);
        assert_eq!(seconds(Duration::from_millis(36_001)), 37);
        assert_eq!(seconds(Duration::ZERO), 1);
    }
}
