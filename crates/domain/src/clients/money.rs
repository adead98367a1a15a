//! Sums of money.

use std::fmt;
use std::str::FromStr;

/// The most that is charged, in hundredths: what `numeric(10, 2)` holds.
const MOST: i64 = 9_999_999_999;

/// A sum in whole hundredths of whatever currency, of less than a hundred million.
/// Read and written with a dot and two decimals, as in `1200.50`.
///
/// Charges are never negative, which [`Money::charge`] sees to; a sum that was kept
/// elsewhere may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// The text is no sum of money that can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sum of at most eight digits and two decimals")]
pub struct NotMoney;

impl Money {
    /// What somebody is charged, in hundredths; `None` for less than nothing and for
    /// more than can be kept.
    pub fn charge(hundredths: i64) -> Option<Self> {
        (0..=MOST).contains(&hundredths).then_some(Self(hundredths))
    }

    /// A sum as it was kept, in hundredths; `None` for one out of range.
    pub fn kept(hundredths: i64) -> Option<Self> {
        (-MOST..=MOST).contains(&hundredths).then_some(Self(hundredths))
    }

    /// How many hundredths it is.
    pub fn hundredths(self) -> i64 {
        self.0
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

    /// Takes one or two decimals, or none, and a minus.
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
    fn refuses_what_is_no_sum(
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
    fn nobody_is_charged_less_than_nothing() {
        assert_eq!(Money::charge(-1), None);
        assert_eq!(Money::charge(MOST + 1), None);
        assert_eq!(Money::charge(0), Money::kept(0));
        assert_eq!(Money::kept(-1).map(Money::hundredths), Some(-1));
        assert_eq!(Money::kept(-MOST - 1), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(hundredths in -MOST..=MOST) {
            let sum = Money::kept(hundredths).unwrap();
            prop_assert_eq!(sum.to_string().parse(), Ok(sum));
        }
    }
}
