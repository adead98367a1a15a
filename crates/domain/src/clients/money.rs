//! Amounts of money.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::validation::Violation;

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

    /// Reads a charge as a caller wrote it.
    ///
    /// # Errors
    /// A broken rule of charges.
    pub(super) fn parse_charge(text: &str) -> Result<Self, Violation> {
        let (is_negative, digits) =
            text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) {
            return Err(Violation::new("invalid", "A valid number is required."));
        }
        if decimals.len() > 2 {
            let message = "Ensure that there are no more than 2 decimal places.";
            return Err(Violation::new("max_decimal_places", message));
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > 8 {
            let message = "Ensure that there are no more than 8 digits before the decimal point.";
            return Err(Violation::new("max_whole_digits", message));
        }
        // Eight and two digits are an amount in range.
        let amount: Option<Self> = format!("0{whole}{decimals:0<2}").parse().ok().map(Self);
        match amount {
            Some(amount) if !is_negative || amount.0 == 0 => Ok(amount),
            _ => {
                let message = "Ensure this value is greater than or equal to 0.";
                Err(Violation::new("min_value", message))
            }
        }
    }

    /// The amount in hundredths.
    pub fn hundredths(self) -> i64 {
        self.0
    }
}

/// A sum of amounts, in hundredths. It may be larger than any [`Money`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MoneyTotal(pub i64);

impl fmt::Display for MoneyTotal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_amount(self.0, formatter)
    }
}

/// Writes an amount with a dot and two decimals.
fn write_amount(hundredths: i64, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if hundredths < 0 { "-" } else { "" };
    let sum = hundredths.unsigned_abs();
    write!(formatter, "{sign}{}.{:02}", sum / 100, sum % 100)
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
        write_amount(self.0, formatter)
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

    #[rstest]
    #[case("0", Ok(0))]
    #[case("-0.00", Ok(0))]
    #[case("00001200.5", Ok(120_050))]
    #[case("99999999.99", Ok(MOST))]
    #[case("-0.01", Err("min_value"))]
    #[case("100000000", Err("max_whole_digits"))]
    #[case("-100000000", Err("max_whole_digits"))]
    #[case("1.000", Err("max_decimal_places"))]
    #[case("1,20", Err("invalid"))]
    #[case("1e3", Err("invalid"))]
    #[case("+1", Err("invalid"))]
    #[case("NaN", Err("invalid"))]
    #[case("1.", Err("invalid"))]
    #[case(".5", Err("invalid"))]
    #[case("\u{661}", Err("invalid"))]
    #[case("true", Err("invalid"))]
    fn reads_a_charge(#[case] text: &str, #[case] expected: Result<i64, &str>) {
        let read = Money::parse_charge(text).map(Money::hundredths);
        assert_eq!(read.map_err(|violation| violation.code), expected);
    }

    #[test]
    fn a_total_may_exceed_a_charge() {
        assert_eq!(MoneyTotal(MOST * 3).to_string(), "299999999.97");
        assert_eq!(MoneyTotal(-5).to_string(), "-0.05");
    }

    proptest! {
        #[test]
        fn written_amounts_are_read_back(hundredths in -MOST..=MOST) {
            let sum = Money::kept(hundredths).unwrap();
            prop_assert_eq!(sum.to_string().parse(), Ok(sum));
        }
    }
}
