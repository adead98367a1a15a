//! Quotas and their rates.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::choice::choice;

choice! {
    /// The quotas, by the names that clients see in `RateLimit`.
    Quota {
        /// Requests per visitor.
        Visitor = "visitor",
        /// Requests per key.
        Key = "key",
        /// Leads created per visitor.
        LeadCreate = "lead-create",
        /// Subscriptions created per visitor.
        NewsletterCreate = "newsletter-create",
        /// Requests with a wrong key, per peer.
        WrongKey = "wrong-key",
        /// Wrong passwords, per account and peer.
        SignInAccount = "sign-in-account",
        /// Wrong passwords, per peer.
        SignIn = "sign-in",
    }
}

/// A number of times per period, written as in the replaced service: `100/hour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// The number of times; at least 1.
    pub limit: u32,
    /// The period.
    pub period: Period,
}

/// The period of a [`Rate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the words speak for themselves")]
pub enum Period {
    Second,
    Minute,
    Hour,
    Day,
    Minutes(u16),
}

impl Period {
    /// The length of the period.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Minutes(minutes) => 60 * minutes as u64,
        })
    }
}

/// The text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a rate such as 100/hour (a number from 1 to 1000000000, and second, minute, hour or day)"
)]
pub struct NotARate;

/// The highest limit, at which the interval between two times is still at least a nanosecond.
const HIGHEST: u32 = 1_000_000_000;

impl FromStr for Rate {
    type Err = NotARate;

    /// As in Django REST framework, the first letter of the period is enough.
    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (limit, period) = text.split_once('/').ok_or(NotARate)?;
        let limit = limit.trim();
        // `u32` would also accept a sign.
        if !limit.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotARate);
        }
        let limit = limit.parse().ok().filter(|limit| (1..=HIGHEST).contains(limit));
        let period = match period.trim().to_ascii_lowercase().as_str() {
            "s" | "sec" | "second" => Period::Second,
            "m" | "min" | "minute" => Period::Minute,
            "h" | "hour" => Period::Hour,
            "d" | "day" => Period::Day,
            _ => return Err(NotARate),
        };
        Ok(Self { limit: limit.ok_or(NotARate)?, period })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/", self.limit)?;
        formatter.write_str(match self.period {
            Period::Second => "second",
            Period::Minute => "minute",
            Period::Hour => "hour",
            Period::Day => "day",
            // No setting has this period.
            Period::Minutes(minutes) => return write!(formatter, "{minutes}m"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("100/hour", "100/hour")]
    #[case("5/s", "5/second")]
    #[case(" 10 / Minute ", "10/minute")]
    #[case("1/day", "1/day")]
    fn reads_the_rates_of_django(#[case] text: &str, #[case] rate: &str) {
        assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()), Ok(rate.to_owned()));
    }

    #[rstest]
    #[case("1/second", 1)]
    #[case("1/minute", 60)]
    #[case("1/hour", 3_600)]
    #[case("1/day", 86_400)]
    #[case("1000000000/day", 86_400)]
    fn a_period_is_as_long_as_it_says(#[case] rate: &str, #[case] seconds: u64) {
        let rate: Rate = rate.parse().unwrap();
        assert_eq!(rate.period.duration(), Duration::from_secs(seconds));
    }

    #[rstest]
    #[case("")]
    #[case("1000000001/day")]
    #[case("100")]
    #[case("/hour")]
    #[case("0/hour")]
    #[case("+1/hour")]
    #[case("-1/hour")]
    #[case("1.5/hour")]
    #[case("10/fortnight")]
    #[case("10/hour/day")]
    #[case("4294967296/hour")]
    fn refuses_texts_that_are_not_rates(#[case] text: &str) {
        assert_eq!(text.parse::<Rate>(), Err(NotARate));
    }
}
