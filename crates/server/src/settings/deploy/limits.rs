//! Finds limits that limit nothing.

use exit3_domain::quotas::Rate;

use super::super::{Arguments, Limit};
use super::Findings;

/// How many times the default is as good as no limit.
const MANY: f64 = 1000.0;

pub(super) fn find(found: &mut Findings, arguments: &Arguments) {
    // The last number is the default per hour.
    for (variable, limit, usual) in [
        ("RATE_LIMIT_ANON", Some(arguments.rate_limit_anon), 100.0),
        ("RATE_LIMIT_USER", Some(arguments.rate_limit_user), 1000.0),
        ("RATE_LIMIT_LEAD_CREATE", Some(arguments.rate_limit_lead_create), 10.0),
        ("RATE_LIMIT_NEWSLETTER_CREATE", Some(arguments.rate_limit_newsletter_create), 10.0),
        ("RATE_LIMIT_FLOOD", arguments.rate_limit_flood, 360_000.0),
    ] {
        let remedy = "set it, for example to 100/hour, or leave it out";
        found.add(limit == Some(Limit(None)), variable, "is off", remedy);
        let rate = limit.and_then(|limit| limit.0);
        let is_huge = rate.is_some_and(|rate| per_hour(rate) > usual * MANY);
        found.add(is_huge, variable, "is more than a thousand times the default", remedy);
    }
}

fn per_hour(rate: Rate) -> f64 {
    f64::from(rate.limit) * 3600.0 / rate.period.duration().as_secs_f64()
}
