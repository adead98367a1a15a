//! Path parameters.

use crate::error::ApiError;

/// Parses an id from a path. A number that is too large for the database becomes 0, which is no
/// row's id.
///
/// # Errors
/// 404 if `text` is not a number.
pub fn id(text: &str) -> Result<i64, ApiError> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::not_found("Not found."));
    }
    // Ids start at 1.
    Ok(text.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1", 1)]
    #[case("+1", 1)]
    #[case("01", 1)]
    #[case("-1", -1)]
    #[case("9223372036854775808", 0)]
    fn reads_numbers(#[case] text: &str, #[case] number: i64) {
        assert_eq!(id(text).unwrap(), number);
    }

    #[rstest]
    #[case("abc")]
    #[case("")]
    #[case("-")]
    #[case("1_0")]
    #[case("0x1")]
    fn refuses_text_that_is_not_a_number(#[case] text: &str) {
        assert!(id(text).is_err());
    }
}
