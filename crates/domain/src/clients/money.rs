//! Amounts of money.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest charge, in hundredths: the limit of `numeric(10, 2)`.
const MOST: i64 = 9_999_999_999;

/// An amount in hundredths of an unspecified currency, below a hundred million. Written with a dot
/// and two decimals: `1200.50`.
///
/// [`Money::charge`] refuses negative amounts; amounts that come from elsewhere may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Money(i64);

/// The text is not an amount that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sum of at most eight digits and two decimals")]
pub struct NotMoney;

impl Money {
    /// A charge in hundredths; `None` if it is negative or too large.
    pub fn charge(hundredths: i64) -> Option<Self> {
        (0..=MOST).contains(&hundredths).then_some(Self(hundredths))
    }

    /// A stored amount in hundredths, possibly negative; `None` if it is out of range.
    pub fn kept(hundredths: i64) -> Option<Self> {
        (-MOST..=MOST).contains(&hundredths).then_some(Self(hundredths))
    }

    /// The amount in hundredths.
    pub fn hundredths(self) -> i64 {
        self.0
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl TryFrom<String> for Money {
    type Error = NotMoney;

    fn try_from(text: String) -> Result<Self, NotMoney> {
        text.parse()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let sum = self.0.unsigned_abs();
        write!(formatter, "{sign}{}.{:02}", sum / 100, sum % 100)
    }
}

impl FromStr for Money {
    type Err = NotMoney;

    /// Accepts up to two decimals, and a minus sign.
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !is_number(whole, 8) || !is_number(decimals, 2) {
            return Err(NotMoney);
        }
        let hundredths: i64 = format!("{whole}{decimals:0<2}").parse().map_err(|_| NotMoney)?;
        Self::kept(sign * hundredths).ok_or(NotMoney)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", 0)]
    #[case("0.05", 5)]
    #[case("1200.5", 120_050)]
    #[case("-0.01", -1)]
    #[case("99999999.99", MOST)]
    fn reads_a_sum(#[case] text: &str, #[case] hundredths: i64) {
        assert_eq!(text.parse::<Money>().map(Money::hundredths), Ok(hundredths));
    }

    #[rstest]
    fn refuses_texts_that_are_not_amounts(
        #[values(
            "",
            ".",
            "1.",
            ".5",
            "1.005",
            "100000000",
            "1e3",
            "+1",
            "--1",
            "1,5",
            "\u{661}",
            " 1"
        )]
        text: &str,
    ) {
        assert_eq!(text.parse::<Money>(), Err(NotMoney));
    }

    #[test]
    fn a_charge_is_never_negative() {
        assert_eq!(Money::charge(-1), None);
        assert_eq!(Money::charge(MOST + 1), None);
        assert_eq!(Money::charge(0), Money::kept(0));
        assert_eq!(Money::kept(-1).map(Money::hundredths), Some(-1));
        assert_eq!(Money::kept(-MOST - 1), None);
    }

    proptest! {
        #[test]
        fn written_amounts_are_read_back(hundredths in -MOST..=MOST) {
            let sum = Money::kept(hundredths).unwrap();
            prop_assert_eq!(sum.to_string().parse(), Ok(sum));
        }
    }
}
