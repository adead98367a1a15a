//! The rules for new passwords: long enough, and not easy to guess. There are no rules about kinds
//! of characters.

use crate::validation::{Invalid, Violation};

/// The fewest characters of a password.
pub const SHORTEST: usize = 12;
/// The most characters of a password, so that nobody sends megabytes to be hashed.
pub const LONGEST: usize = 1_000;

/// Passwords that are used often, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// The field of the errors.
const FIELD: &str = "password";

/// Checks a new password. `own` are texts about the person, such as the name and the address, which
/// make bad passwords.
///
/// # Errors
/// The broken rule, of the field `password`.
pub fn check_password(password: &str, own: &[&str]) -> Result<(), Invalid> {
    let length = password.chars().count();
    let violation = if length < SHORTEST {
        let message = format!("Ensure this field has at least {SHORTEST} characters.");
        Violation::new("min_length", message)
    } else if length > LONGEST {
        let message = format!("Ensure this field has no more than {LONGEST} characters.");
        Violation::new("max_length", message)
    } else if is_about(password, own) {
        Violation::new("personal", "This is too similar to your name or e-mail address.")
    } else if is_common(password) {
        Violation::new("common", "This password is too easy to guess.")
    } else {
        return Ok(());
    };
    Err(Invalid::field(FIELD, violation))
}

/// Whether the password is one of these texts, or one of them with a few characters around it.
fn is_about(password: &str, own: &[&str]) -> bool {
    /// More characters than these are enough of a password by themselves.
    const AROUND: usize = 4;
    let password = password.to_lowercase();
    own.iter().map(|text| text.trim().to_lowercase()).any(|text| {
        let length = text.chars().count();
        length >= SHORTEST / 2
            && password.contains(&text)
            && password.chars().count() <= length + AROUND
    })
}

/// Whether many people use the password, or it follows a simple pattern.
fn is_common(password: &str) -> bool {
    let password = password.trim().to_lowercase();
    let lines = || COMMON.lines().filter(|line| !line.starts_with('#'));
    lines().any(|line| line == password) || is_repeated(&password) || is_sequence(&password)
}

/// Whether the text is a shorter one again and again.
fn is_repeated(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=characters.len() / 2).any(|period| {
        let shifted = characters.iter().skip(period);
        characters.iter().zip(shifted).all(|(one, later)| one == later)
    })
}

/// Whether each character is the neighbour of the one before it, as in 123456789012.
fn is_sequence(text: &str) -> bool {
    let step = |by: i64| {
        let pairs = text.chars().zip(text.chars().skip(1));
        let mut pairs = pairs.map(|(one, next)| (i64::from(u32::from(one)), u32::from(next)));
        let ends = [('9', '0'), ('0', '9'), ('z', 'a'), ('a', 'z')];
        let wraps = |one: i64, next: i64| {
            let of = |character: char| i64::from(u32::from(character));
            ends.iter().any(|(end, begin)| (of(*end), of(*begin)) == (one, next))
        };
        pairs.all(|(one, next)| one + by == i64::from(next) || wraps(one, next.into()))
    };
    step(1) || step(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn code(password: &str) -> &'static str {
        let own = ["ana.horvat", "ana@exit3.agency", "Ana", "Horvat", ""];
        match check_password(password, &own) {
            Ok(()) => "",
            Err(invalid) => {
                let (field, violations) = invalid.fields().next().unwrap();
                assert_eq!((field, violations.len()), ("password", 1));
                violations[0].code
            }
        }
    }

    #[rstest]
    #[case("", "min_length")]
    #[case("Kratka lozi", "min_length")]
    #[case("čšžđćčšžđćč", "min_length")]
    #[case("čšžđćplavi12", "")]
    #[case("plavi konj trči", "")]
    #[case("            ", "common")]
    #[case("aaaaaaaaaaaa", "common")]
    #[case("123456789012", "common")]
    #[case("987654321098", "common")]
    #[case("abcdefghijklm", "common")]
    #[case("abcabcabcabca", "common")]
    #[case("passwordpassword", "common")]
    #[case("Password1234", "common")]
    #[case("QWERTY123456", "common")]
    #[case("1Qaz2wsx3edc", "common")]
    #[case("correcthorsebatterystaple", "common")]
    #[case("ana.horvat12", "personal")]
    #[case("ANA@exit3.agency", "personal")]
    #[case("horvathorvat", "common")]
    #[case("ana.horvat voli more", "")]
    #[case("nqzvkrwtyplm", "")]
    fn only_length_and_guesses_count(#[case] password: &str, #[case] expected: &str) {
        assert_eq!(code(password), expected, "{password:?}");
    }

    #[test]
    fn a_password_has_an_upper_limit() {
        let mixed = |length: usize| "xK4 čŠ9w ".chars().cycle().take(length).collect::<String>();
        assert_eq!(code(&format!("{}!", mixed(LONGEST))), "max_length");
        // It repeats itself, but is not the shorter text alone.
        assert_eq!(code(&format!("!{}", mixed(LONGEST - 1))), "");
    }

    #[test]
    fn the_list_has_lines_that_the_length_does_not_refuse_anyway() {
        let lines: Vec<&str> = COMMON.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.len() > 200);
        for line in lines {
            assert!(line.chars().count() >= SHORTEST && *line == line.to_lowercase(), "{line}");
        }
    }
}
